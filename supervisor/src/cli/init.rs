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
    /// Static files, and an API for them.
    #[value(alias = "static")]
    Site,
    /// A chat room over WebSockets.
    Chat,
    /// A handler that runs at set times.
    Cron,
    /// Two apps, of which one asks the other.
    Services,
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
            Self::Site => &[
                ("index.js", include_str!("../../../examples/site/index.js")),
                ("wrangler.toml", include_str!("../../../examples/site/wrangler.toml")),
                ("public/index.html", include_str!("../../../examples/site/public/index.html")),
                ("public/style.css", include_str!("../../../examples/site/public/style.css")),
            ],
            Self::Chat => &[("index.js", include_str!("../../../examples/chat/index.js"))],
            Self::Cron => &[
                ("index.js", include_str!("../../../examples/cron/index.js")),
                ("wrangler.toml", include_str!("../../../examples/cron/wrangler.toml")),
            ],
            Self::Services => &[
                ("nano.toml", include_str!("../../../examples/shop.toml")),
                ("shop/index.js", include_str!("../../../examples/shop/index.js")),
                ("stock/index.js", include_str!("../../../examples/stock/index.js")),
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
            let hint = match template {
                // `dev` is for one app.
                Template::Services => {
                    let config = folder.join("nano.toml");
                    format!("serve both with:\n  nano-supervisor serve --config {}", config.display())
                }
                _ => {
                    let command = "serve it, and follow changes of its files, with:\n  nano-supervisor dev";
                    format!("{command} {}", folder.display())
                }
            };
            print(&format!("\n{hint}"));
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error, FAILED),
    }
}
