//! State notifications to systemd (sd_notify(3), `Type=notify`). Without systemd they do nothing.

use sd_notify::NotifyState;

/// Every app has been tried. Also sends the main process id, which changes with an upgrade.
pub(crate) fn ready() {
    say(&[NotifyState::Ready, NotifyState::MainPid(std::process::id())]);
}

/// A reload has started. It lasts until [`ready`].
pub(crate) fn reloading() {
    let now = NotifyState::monotonic_usec_now().ok();
    say(&[Some(NotifyState::Reloading), now].into_iter().flatten().collect::<Vec<_>>());
}

/// The supervisor drains and then exits.
pub(crate) fn stopping() {
    say(&[NotifyState::Stopping]);
}

fn say(states: &[NotifyState<'_>]) {
    // A failure affects nothing here, and there is nobody to report it to.
    let _ = sd_notify::notify(states);
}
