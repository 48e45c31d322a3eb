//! Word to systemd, where it started this process and wants to know (sd_notify(3), `Type=notify`).

use sd_notify::NotifyState;

/// Every app was tried; and this is the main process, which after an upgrade is another one.
pub(crate) fn ready() {
    say(&[NotifyState::Ready, NotifyState::MainPid(std::process::id())]);
}

/// The configuration is read again, until [`ready`].
pub(crate) fn reloading() {
    let now = NotifyState::monotonic_usec_now().ok();
    say(&[Some(NotifyState::Reloading), now].into_iter().flatten().collect::<Vec<_>>());
}

/// It drains, and ends.
pub(crate) fn stopping() {
    say(&[NotifyState::Stopping]);
}

fn say(states: &[NotifyState<'_>]) {
    // There is nobody to tell how that went.
    let _ = sd_notify::notify(states);
}
