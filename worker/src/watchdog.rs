//! The watchdog thread. It interrupts JavaScript that runs too long without returning to the event loop, such as
//! `while (true) {}`, and starts the samples that measure the CPU time of requests.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::cpu_time::Sampler;
use crate::guard::{Guard, Termination};
use crate::sandbox::end::exit_now;
use deno_core::v8;
use nano_protocol::exit;

/// Polls per limit while JavaScript does not run. So both limits are enforced with an error of at most one part in this many.
const LOOKS: u32 = 10;

/// Longest time between two polls while JavaScript runs.
const CLOSE_LOOK: Duration = Duration::from_millis(10);

/// After how many close polls without running JavaScript the worker is idle.
const IDLE: u32 = 20;

/// How long terminated JavaScript may take to unwind before the process exits anyway. V8 does not check for termination in all
/// the code that it runs, and no request is answered meanwhile.
const GRACE: Duration = Duration::from_millis(200);

/// Limits on how long JavaScript may run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Without returning to the event loop.
    pub(crate) entry: Duration,
    /// For one request, in CPU time.
    pub(crate) cpu_time: Duration,
}

/// Starts the watchdog thread, which runs as long as the process. It polls rarely until it finds JavaScript running, and then
/// often until JavaScript has not run for a while, so an idle worker costs a few wake-ups per limit.
pub(crate) fn start(
    guard: Arc<Guard>,
    isolate: v8::IsolateHandle,
    sampler: Sampler,
    limits: Limits,
) -> std::io::Result<()> {
    let seldom = limits.entry.min(limits.cpu_time) / LOOKS;
    let closely = CLOSE_LOOK.min(limits.cpu_time / 50).min(seldom);
    let watch = move || {
        let mut last = None;
        let mut lasted = Duration::ZERO;
        let mut idle = IDLE;
        loop {
            let pause = if idle < IDLE { closely } else { seldom };
            let begun = Instant::now();
            thread::sleep(pause);
            // If the process was stopped (SIGSTOP, a suspended machine), one request must not be charged with all of that time.
            let passed = begun.elapsed().min(2 * pause);
            let running = guard.running();
            lasted = if running.is_some() && running == last { lasted + passed } else { Duration::ZERO };
            last = running;
            if let Some(entry) = running {
                idle = 0;
                if sampler.sample(entry, passed) {
                    guard.terminate(Termination::CpuTime);
                }
            } else {
                idle = (idle + 1).min(IDLE);
            }
            let is_out_of_time = guard.termination() == Some(Termination::CpuTime);
            if lasted >= limits.entry || is_out_of_time {
                guard.terminate(Termination::Watchdog);
                let begun = Instant::now();
                // Interrupted native code may just fail and let JavaScript go on. So this repeats until JavaScript has returned.
                while running.is_some() && guard.running() == running {
                    if begun.elapsed() >= GRACE {
                        // Native code runs that V8 cannot interrupt.
                        exit_now(guard.termination().map_or(exit::WATCHDOG, Termination::exit_code));
                    }
                    isolate.terminate_execution();
                    thread::sleep(CLOSE_LOOK);
                }
            }
        }
    };
    thread::Builder::new().name("watchdog".into()).spawn(watch).map(|_| ())
}
