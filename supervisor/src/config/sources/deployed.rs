//! Merges apps that were deployed into the configuration.

use std::path::{Path, PathBuf};

use crate::config::errors::{Flaw, Place};
use crate::config::schema::defaults::Defaults;
use crate::config::sources::draft::{Draft, Places};
use crate::config::types::app_name::AppName;
use crate::config::types::host_pattern::HostPattern;
use crate::config::types::listen::Listen;

/// An app that was deployed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deployed {
    pub name: AppName,
    /// The folder that it is served from.
    pub path: PathBuf,
    /// Its address and hosts, if the configuration has no such app.
    pub site: Option<(Listen, Vec<HostPattern>)>,
    /// The place of this information, for people.
    pub place: String,
}

/// The error of a state folder from which deploys cannot be read.
#[derive(Debug)]
pub(crate) struct BrokenState {
    /// A file or folder, for people.
    pub place: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What was deployed and was laid over a configuration, as far as operators are told of it.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// Apps that the configuration does not have.
    pub(crate) only_deployed: Vec<AppName>,
    /// Notes for the operator.
    pub(crate) notes: Vec<String>,
}

/// Serves each app that was deployed from the folder of its deploy, and adds those that the configuration does not have. The
/// names of the drafts must be final.
pub(crate) fn overlay(drafts: &mut Vec<Draft>, deployed: Vec<Deployed>, defaults: &Defaults) -> Overlay {
    let mut overlay = Overlay::default();
    for Deployed { name, path, site, place } in deployed {
        let place = Place::flag(place);
        let gone = (!path.is_dir()).then(|| gone(&path));
        let known = drafts.iter_mut().find(|draft| draft.name.as_ref() == Some(&name));
        match (known, site) {
            (Some(draft), _) => {
                draft.serve_from(path, place.clone());
                draft.lacks_folder(gone, place);
            }
            (None, Some((listen, hosts))) => {
                overlay.only_deployed.push(name.clone());
                let mut draft = Draft {
                    name: Some(name),
                    path: Some(path),
                    hosts: hosts.into_iter().map(|host| (host, place.clone())).collect(),
                    defaults: defaults.clone(),
                    ..Draft::new(Places::all(place.clone()), listen)
                };
                draft.lacks_folder(gone, place);
                drafts.push(draft);
            }
            (None, None) => overlay.notes.push(format!(
                "app {name} was deployed over one of the configuration that is gone, so it is not served; fix: deploy it \
                 with --port, or remove it"
            )),
        }
    }
    overlay
}

fn gone(path: &Path) -> Flaw {
    let fix = "restore it, deploy the app again, or roll back";
    Flaw::new(format!("its folder {} is gone", path.display()), fix)
}
