//! The path of the control socket: the configured one, the usual one, or none.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::json;
use toml::de::DeValue;

use crate::config::document::value;
use crate::config::errors::Flaw;
use crate::config::setting::json::text_or_false;
use crate::config::setting::{Setting, kinds};

/// The file name of the socket in the usual folders.
const SOCKET: &str = "nano-supervisor.sock";

/// The folders of the socket of a supervisor that was started by root or by systemd.
const OF_OTHERS: [&str; 2] = ["/run", "/run/nano-supervisor"];

/// Longest path of the socket, in bytes. The kernel allows 107, and the temporary name of the socket is longer.
const LONGEST: usize = 90;

/// The setting `control`: a path, or `false`.
pub(crate) fn setting() -> Setting<ControlPath> {
    let show = |path: &ControlPath| match path {
        ControlPath::Usual => json!(null),
        ControlPath::At(path) => json!(path),
        ControlPath::Off => json!(false),
    };
    kinds::in_folder("path", text_or_false(), ControlPath::read, show)
}

/// The control socket as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ControlPath {
    /// Not configured: the socket is where `status` and the other commands look for it, unless another supervisor uses that path.
    #[default]
    Usual,
    /// The socket has this path.
    At(PathBuf),
    /// There is no socket.
    Off,
}

impl ControlPath {
    /// Reads the field `control`: a path, relative to `folder`, or `false`.
    fn read(value: &DeValue<'_>, folder: &Path) -> Result<Self, Flaw> {
        match value {
            DeValue::Boolean(false) => Ok(Self::Off),
            DeValue::Boolean(true) => Err(Flaw::new(
                "true is no path",
                "leave it out: there is a control socket unless this is false",
            )),
            _ => Self::at(&folder.join(value::text(value)?)),
        }
    }

    /// Checks that a Unix-domain socket can have this path.
    fn at(path: &Path) -> Result<Self, Flaw> {
        let length = path.as_os_str().len();
        if path.file_name().is_none() || path.is_dir() {
            return Err(Flaw::new("is not the path of a socket", "name a file, such as \"/run/nano.sock\""));
        }
        if length > LONGEST {
            let fix = format!("the kernel's limit is near: stay within {LONGEST} bytes");
            return Err(Flaw::new(format!("is too long for a socket ({length} bytes)"), fix));
        }
        Ok(Self::At(path.to_owned()))
    }
}

/// Returns where commands look for a supervisor if no socket is named: the usual path of this user, or else the path of a
/// supervisor that root or systemd has started.
pub(crate) fn found_control_path(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let usual = usual_control_path(variable);
    let others = OF_OTHERS.iter().map(|folder| Path::new(folder).join(SOCKET));
    // A user who may not read these folders gets the error of the first path.
    [usual.clone()].into_iter().chain(others).find(|path| path.exists()).unwrap_or(usual)
}

/// Returns the usual path of the control socket: `$NANO_SUPERVISOR_CONTROL`, or in `$RUNTIME_DIRECTORY` (systemd),
/// `$XDG_RUNTIME_DIR` or `/run`, in this order.
pub(crate) fn usual_control_path(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    if let Some(path) = variable("NANO_SUPERVISOR_CONTROL").filter(|path| !path.is_empty()) {
        return path.into();
    }
    let folder = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"]
        .into_iter()
        .filter_map(|name| variable(name).map(PathBuf::from))
        .find(|folder| folder.is_absolute());
    folder.unwrap_or_else(|| "/run".into()).join(SOCKET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_where_the_system_has_such_things() {
        let with = |set: &'static [(&str, &str)]| {
            usual_control_path(|name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
            })
        };
        assert_eq!(with(&[]), Path::new("/run/nano-supervisor.sock"));
        assert_eq!(
            with(&[("XDG_RUNTIME_DIR", "/run/user/7")]),
            Path::new("/run/user/7/nano-supervisor.sock")
        );
        let systemd = [("RUNTIME_DIRECTORY", "/run/nano"), ("XDG_RUNTIME_DIR", "/run/user/7")];
        assert_eq!(with(Box::leak(Box::new(systemd))), Path::new("/run/nano/nano-supervisor.sock"));
        let image =
            [("NANO_SUPERVISOR_CONTROL", "/run/nano/control.sock"), ("XDG_RUNTIME_DIR", "/run/user/7")];
        assert_eq!(with(Box::leak(Box::new(image))), Path::new("/run/nano/control.sock"));
        assert_eq!(with(&[("XDG_RUNTIME_DIR", "relative")]), Path::new("/run/nano-supervisor.sock"));
    }
}
