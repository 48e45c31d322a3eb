//! `init`: writes an app to start from. The templates are the repository's examples.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::output::{FAILED, complain, print};

/// What to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// The smallest app: one handler, one answer.
    Hello,
    /// TypeScript in src/, with a tsconfig.json for editors.
    Typescript,
    /// A JSON API: routes, errors, a variable from .env.
    Api,
    /// A page and its stylesheet.
    Static,
}

impl Template {
    /// Relative paths and contents of the files.
    fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Hello => &[("index.js", include_str!("../../../examples/hello/index.js"))],
            Self::Typescript => &[
                ("src/index.ts", include_str!("../../../examples/typescript/src/index.ts")),
                ("src/greet.ts", include_str!("../../../examples/typescript/src/greet.ts")),
                ("tsconfig.json", include_str!("../../../examples/typescript/tsconfig.json")),
            ],
            Self::Api => &[
                ("index.js", include_str!("../../../examples/api/index.js")),
                (".env", include_str!("../../../examples/api/.env")),
            ],
            Self::Static => &[
                ("index.js", include_str!("../../../examples/static/index.js")),
                ("index.html", include_str!("../../../examples/static/index.html")),
                ("style.css", include_str!("../../../examples/static/style.css")),
            ],
        }
    }
}

/// Writes an app into the new folder `folder`. Returns the paths of the files.
///
/// # Errors
/// If something exists already or cannot be written; the text names the path.
pub(super) fn write(folder: &Path, template: Template) -> io::Result<Vec<PathBuf>> {
    let failed = |path: &Path, error: io::Error| {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
    };
    if fs::symlink_metadata(folder).is_ok() && !is_empty_folder(folder) {
        let text = format!(
            "{} is there already and not an empty folder; fix: choose another name",
            folder.display()
        );
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    let mut written = Vec::new();
    for (path, text) in template.files() {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
        }
        // `create_new` never overwrites a file, even if another process creates it at the same time.
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| failed(&path, error))?;
        written.push(path);
    }
    Ok(written)
}

fn is_empty_folder(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Writes an app, and prints the next steps.
pub(super) fn init_app(folder: &Path, template: Template) -> ExitCode {
    match write(folder, template) {
        Ok(files) => {
            files.iter().for_each(|file| print(&format!("wrote {}", file.display())));
            let hint = "\nserve it, and follow changes of its files, with:\n  nano-supervisor dev";
            print(&format!("{hint} {}", folder.display()));
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error, FAILED),
    }
}
