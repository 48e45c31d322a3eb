//! How a worker ends at once: with the supervisor, of a fault, and by itself.

use nix::sys::signal::{SigHandler, Signal, signal};

/// If the supervisor dies, so does this process.
///
/// # Errors
/// What the kernel says.
pub(crate) fn with_supervisor() -> nix::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)
}

/// A fault ends the process at once and shows as its signal. Rust's handler swallows the first one that does not come from an
/// overflowing stack.
///
/// # Errors
/// What the kernel says.
#[allow(unsafe_code, reason = "signal actions are set through libc")]
pub(crate) fn of_faults() -> nix::Result<()> {
    for fault in [Signal::SIGSEGV, Signal::SIGBUS] {
        // SAFETY: the default action runs no code of ours.
        unsafe { signal(fault, SigHandler::SigDfl)? };
    }
    Ok(())
}

/// Ends the process now.
#[allow(unsafe_code, reason = "there is no safe _exit")]
pub(crate) fn exit_now(code: u8) -> ! {
    // SAFETY: _exit has no preconditions; it runs no destructors, so no other thread can see a torn-down V8.
    unsafe { nix::libc::_exit(i32::from(code)) }
}
