//! The stack of the thread that runs the app. V8 uses a part that it has measured out, but the parser of modules recurses as deep
//! as an expression is nested, and as often as one has operators in a row.

use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use nano_protocol::exit;
use nix::libc::{SI_USER, c_int, c_void, siginfo_t};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use super::end::exit_now;

/// Maximum size of the stack in bytes. The kernel compares the stack with the limit whenever it grows, and leaves 128 MiB free
/// below it. Threads have stacks of other sizes, which were fixed when the process started.
const SIZE: u64 = 64 * 1024 * 1024;

/// Size of the gap that the kernel keeps below a stack.
const GAP: usize = 1024 * 1024;

/// An address near the start of the stack, which grows towards lower ones.
static START: AtomicUsize = AtomicUsize::new(0);

/// Lets the stack of this thread, the main one, grow to [`SIZE`]. If it is full, the process exits with [`exit::STACK`].
///
/// # Errors
/// The kernel's error.
#[allow(unsafe_code, reason = "signal actions are set through libc")]
pub(crate) fn raise() -> nix::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_STACK)?;
    if soft < SIZE {
        // With a lower hard limit, the stack ends earlier.
        setrlimit(Resource::RLIMIT_STACK, SIZE.min(hard), hard)?;
    }
    START.store(ptr::from_ref(&soft).addr(), Ordering::Relaxed);
    // Rust has given this thread a signal stack. The default action is back when the handler runs.
    let flags = SaFlags::SA_ONSTACK | SaFlags::SA_SIGINFO | SaFlags::SA_RESETHAND;
    let action = SigAction::new(SigHandler::SigAction(on_fault), flags, SigSet::empty());
    // SAFETY: the handler calls nothing but functions that are safe in signal handlers.
    unsafe { sigaction(Signal::SIGSEGV, &action)? };
    Ok(())
}

/// Exits if the fault is in the room of the stack. Otherwise the signal ends the process: the instruction faults again, or a
/// signal that somebody has sent is raised anew.
#[allow(unsafe_code, reason = "the kernel passes a pointer")]
extern "C" fn on_fault(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel passes a valid pointer, and for a fault, the union holds an address.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    if code <= SI_USER {
        let _ = nix::sys::signal::raise(Signal::SIGSEGV);
        return;
    }
    let start = START.load(Ordering::Relaxed);
    let room = usize::try_from(SIZE).unwrap_or(usize::MAX).saturating_add(GAP);
    if address < start && start - address <= room {
        exit_now(exit::STACK);
    }
}
