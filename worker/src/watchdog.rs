//! Ends JavaScript that runs too long without returning to the event loop, such as `while (true) {}`.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use deno_core::v8;
use nano_protocol::exit;

use crate::guard::{Guard, Torn};
use crate::process::exit_now;

/// Looks per limit: an entry is ended after one limit, give or take this fraction of it.
const LOOKS: u32 = 10;

/// How long terminated JavaScript may take to unwind before the process ends regardless.
const GRACE: Duration = Duration::from_secs(1);

/// Starts the watchdog thread, which lives as long as the process.
///
/// Time is counted in looks, not read off a clock: a process that was stopped (SIGSTOP, a suspended machine) must not
/// find all of that time charged to one request.
pub(crate) fn start(guard: Arc<Guard>, isolate: v8::IsolateHandle, limit: Duration) -> std::io::Result<()> {
    let pause = limit / LOOKS;
    let watch = move || {
        let mut last = None;
        let mut looks = 0;
        loop {
            thread::sleep(pause);
            let running = guard.running();
            looks = if running.is_some() && running == last { looks + 1 } else { 0 };
            last = running;
            if looks >= LOOKS {
                guard.tear(Torn::Watchdog);
                isolate.terminate_execution();
                thread::sleep(GRACE);
                if guard.running() == running {
                    // Native code that V8 cannot interrupt.
                    exit_now(exit::WATCHDOG);
                }
            }
        }
    };
    thread::Builder::new().name("watchdog".into()).spawn(watch).map(|_| ())
}
