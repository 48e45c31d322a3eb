//! Ends the worker process at once: when the supervisor dies, on a fault, and by itself.

use nix::sys::signal::{SigHandler, Signal, signal};

/// Has the kernel kill this process when the supervisor dies.
///
/// # Errors
/// The kernel's error.
pub(crate) fn with_supervisor() -> nix::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)
}

/// Has a fault end the process at once, with its signal as the exit status. Rust's own handler ignores the first fault that is
/// not a stack overflow.
///
/// # Errors
/// The kernel's error.
#[allow(unsafe_code, reason = "signal actions are set through libc")]
pub(crate) fn of_faults() -> nix::Result<()> {
    for fault in [Signal::SIGSEGV, Signal::SIGBUS] {
        // SAFETY: the default action runs no code of this process.
        unsafe { signal(fault, SigHandler::SigDfl)? };
    }
    Ok(())
}

/// Ends the process now.
#[allow(unsafe_code, reason = "there is no safe _exit")]
pub(crate) fn exit_now(code: u8) -> ! {
    // SAFETY: _exit has no preconditions. It runs no destructors, so no other thread can see a V8 that is being torn down.
    unsafe { nix::libc::_exit(i32::from(code)) }
}
