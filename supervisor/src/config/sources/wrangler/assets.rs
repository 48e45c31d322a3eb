//! The key `assets` of a wrangler file.

use std::path::Path;

use clap::ValueEnum;
use serde_json::Value;

use super::fields::{Content, Field};
use super::found::within;
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::schema::assets::{AssetSettings, worker_first_of, worker_patterns};

/// Reads the settings below the key, which is at `place`. The directory is relative to the second of the folders, which is
/// relative to the first, that of the app. Also returns the names of settings that have no effect here.
pub(super) fn read(
    fields: Vec<Field>,
    place: &Place,
    (root, folder): (&Path, &Path),
    problems: &mut Problems,
) -> Option<(AssetSettings, Vec<String>)> {
    let (mut settings, mut ignored) = (AssetSettings::default(), Vec::new());
    let mut has_directory = false;
    for Field { name, place, content } in fields {
        let read = match &*name {
            "directory" => {
                has_directory = true;
                content.text().map(|directory| {
                    // One that leads out is reported when it is looked for.
                    let inside = within(root, folder, &directory);
                    let inside = inside.map(|path| path.to_string_lossy().into_owned());
                    settings.directory = inside.unwrap_or(directory);
                })
            }
            "html_handling" => choice(content).map(|html| settings.html_handling = html),
            "not_found_handling" => choice(content).map(|not_found| settings.not_found_handling = not_found),
            "run_worker_first" => {
                let first = match content {
                    Content::Value(Ok(Value::Bool(is_first))) => Ok(worker_first_of(is_first)),
                    content => content.texts().and_then(|patterns| worker_patterns(&patterns)),
                };
                first.map(|first| settings.run_worker_first = first)
            }
            "binding" => content.text().map(|name| settings.binding = Some(name)),
            _ => {
                ignored.push(format!("assets.{name}"));
                Ok(())
            }
        };
        problems.keep(|| place, read);
    }
    if !has_directory {
        let fix = "build first: npm run build, if the build adds it, or add `directory`";
        problems.add(place.clone(), Flaw::new("has no `directory`", fix));
        return None;
    }
    Some((settings, ignored))
}

/// Reads one of the words of an enumeration.
fn choice<T: ValueEnum>(content: Content) -> Result<T, Flaw> {
    let text = content.text()?;
    T::from_str(&text, false).map_err(|_| {
        let known: Vec<_> = T::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
        let known: Vec<_> = known.iter().map(|known| format!("{:?}", known.get_name())).collect();
        Flaw::new(format!("{text:?} is none of its values"), format!("write {}", known.join(" or ")))
    })
}
