//! The static files of the dashboard, embedded in the executable.

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

#[derive(Debug, Clone, Copy)]
pub(crate) struct File {
    /// URL path.
    pub path: &'static str,
    /// Media type.
    pub kind: &'static str,
    pub contents: &'static str,
}

macro_rules! files {
    ($($path:literal $kind:ident $name:literal)*) => {
        &[$(File { path: $path, kind: $kind, contents: include_str!(concat!("dashboard/", $name)) }),*]
    };
}

const FILES: &[File] = files! {
    "/" HTML "index.html"
    "/dashboard.css" CSS "dashboard.css"
    "/detail.css" CSS "detail.css"
    "/dashboard.js" JS "dashboard.js"
    "/actions.js" JS "actions.js"
    "/api.js" JS "api.js"
    "/chart.js" JS "chart.js"
    "/crashes.js" JS "crashes.js"
    "/curves.js" JS "curves.js"
    "/deploys.js" JS "deploys.js"
    "/detail.js" JS "detail.js"
    "/dom.js" JS "dom.js"
    "/format.js" JS "format.js"
    "/judge.js" JS "judge.js"
    "/known.js" JS "known.js"
    "/list.js" JS "list.js"
    "/logs.js" JS "logs.js"
    "/menu.js" JS "menu.js"
    "/poll.js" JS "poll.js"
    "/row.js" JS "row.js"
    "/summary.js" JS "summary.js"
    "/suspects.js" JS "suspects.js"
    "/token.js" JS "token.js"
    "/view.js" JS "view.js"
};

/// The file at this path.
pub(crate) fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ops/admin/dashboard");
        let files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files.len(), FILES.len());
        for file in files {
            let name = file.to_str().unwrap();
            let path = if name == "index.html" { "/".to_owned() } else { format!("/{name}") };
            let served = find(&path).unwrap_or_else(|| panic!("{name} is not served"));
            assert_eq!(served.contents, std::fs::read_to_string(format!("{folder}/{name}")).unwrap());
        }
    }
}
