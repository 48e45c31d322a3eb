//! Decides which file answers a path: how HTML files are named in URLs (`html_handling`), and what stands in for a file that is
//! not there (`not_found_handling`). The rules are those of Workers.

use clap::ValueEnum;

/// How HTML files are named in URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum HtmlHandling {
    /// `/about.html` is served at `/about`, `/blog/index.html` at `/blog/`.
    #[default]
    AutoTrailingSlash,
    /// Both at a path with a slash at its end.
    ForceTrailingSlash,
    /// Both at a path without one.
    DropTrailingSlash,
    /// Every file only at its own path.
    None,
}

/// What answers a request for which there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum NotFoundHandling {
    /// The worker, or 404 without a body.
    #[default]
    None,
    /// `/index.html`, with 200.
    SinglePageApplication,
    /// The nearest `404.html`, with 404.
    #[value(name = "404-page")]
    NotFoundPage,
}

/// What is to be done about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent<F, P> {
    /// A file is served.
    Serve(F),
    /// A page is served because there is no file.
    NotFoundPage(F),
    /// Another path is the canonical one.
    Redirect(P),
}

/// Finds files by their exact path. `F` is a file; those with the same content are equal.
pub(crate) struct Finder<L> {
    pub find: L,
    pub html: HtmlHandling,
    pub not_found: NotFoundHandling,
    /// Whether they are the files of a build for Pages, where `404.html` of a folder comes before `/index.html`.
    pub is_for_pages: bool,
}

type Found<F> = Option<Intent<F, String>>;

impl<F: PartialEq, L: Fn(&str) -> Option<F>> Finder<L> {
    /// Decides what to do about a path, which is decoded and starts with a slash. `None` if nothing is there.
    pub(crate) fn intent(&self, path: &str) -> Found<F> {
        self.look(path, true)
    }

    fn look(&self, path: &str, redirects: bool) -> Found<F> {
        let lookup = Lookup { finder: self, redirects };
        let found = match self.html {
            HtmlHandling::AutoTrailingSlash => lookup.auto(path),
            HtmlHandling::ForceTrailingSlash => lookup.force(path),
            HtmlHandling::DropTrailingSlash => lookup.drop(path),
            HtmlHandling::None => lookup.serve(path),
        };
        found.or_else(|| self.instead(path))
    }

    /// Finds what stands in for a file that is not there.
    fn instead(&self, path: &str) -> Found<F> {
        match self.not_found {
            NotFoundHandling::None => None,
            NotFoundHandling::SinglePageApplication => {
                let nearest = self.is_for_pages.then(|| self.nearest(path)).flatten();
                nearest.or_else(|| (self.find)("/index.html").map(Intent::Serve))
            }
            NotFoundHandling::NotFoundPage => self.nearest(path),
        }
    }

    /// Finds the nearest `404.html`.
    fn nearest(&self, path: &str) -> Found<F> {
        // A client may send a path of thousands of folders, so that nothing is copied for each of them.
        let mut page = path.to_owned();
        while let Some(at) = page.rfind('/') {
            page.truncate(at);
            page.push_str("/404.html");
            if let Some(found) = (self.find)(&page) {
                return Some(Intent::NotFoundPage(found));
            }
            page.truncate(at);
        }
        None
    }
}

/// One look for a file, in the order in which Workers look.
struct Lookup<'a, L> {
    finder: &'a Finder<L>,
    /// Whether a redirect may be the answer. Not while one is being checked.
    redirects: bool,
}

impl<F: PartialEq, L: Fn(&str) -> Option<F>> Lookup<'_, L> {
    fn serve(&self, path: &str) -> Found<F> {
        (self.finder.find)(path).map(Intent::Serve)
    }

    /// Redirects to `to` if `file` is what is served there, and no file has exactly that path.
    fn redirect(&self, file: &str, to: &str) -> Found<F> {
        let find = &self.finder.find;
        if !self.redirects {
            return None;
        }
        let file = find(file)?;
        if find(to).is_some() {
            return None;
        }
        match self.finder.look(to, false)? {
            Intent::Serve(served) | Intent::NotFoundPage(served) if served == file => {
                Some(Intent::Redirect(to.to_owned()))
            }
            _ => None,
        }
    }

    fn auto(&self, path: &str) -> Found<F> {
        let by_name = if let Some(folder) = path.strip_suffix("/index") {
            self.serve(path)
                .or_else(|| self.redirect(&format!("{path}.html"), &format!("{folder}/")))
                .or_else(|| self.redirect(&format!("{folder}.html"), folder))
        } else if let Some(folder) = path.strip_suffix("/index.html") {
            self.redirect(path, &format!("{folder}/"))
                .or_else(|| self.redirect(&format!("{folder}.html"), folder))
        } else if let Some(folder) = path.strip_suffix('/') {
            self.serve(&format!("{path}index.html"))
                .or_else(|| self.redirect(&format!("{folder}.html"), folder))
        } else if let Some(stem) = path.strip_suffix(".html") {
            self.redirect(path, stem)
                .or_else(|| self.redirect(&format!("{stem}/index.html"), &format!("{stem}/")))
        } else {
            None
        };
        by_name
            .or_else(|| self.serve(path))
            .or_else(|| self.serve(&format!("{path}.html")))
            .or_else(|| self.redirect(&format!("{path}/index.html"), &format!("{path}/")))
    }

    fn force(&self, path: &str) -> Found<F> {
        let by_name = if let Some(folder) = path.strip_suffix("/index") {
            let with_slash = format!("{folder}/");
            self.serve(path)
                .or_else(|| self.redirect(&format!("{path}.html"), &with_slash))
                .or_else(|| self.redirect(&format!("{folder}.html"), &with_slash))
        } else if let Some(folder) = path.strip_suffix("/index.html") {
            let with_slash = format!("{folder}/");
            self.redirect(path, &with_slash).or_else(|| self.redirect(&format!("{folder}.html"), &with_slash))
        } else if let Some(folder) = path.strip_suffix('/') {
            self.serve(&format!("{path}index.html")).or_else(|| self.serve(&format!("{folder}.html")))
        } else if let Some(stem) = path.strip_suffix(".html") {
            let with_slash = format!("{stem}/");
            // Where there is a folder of that name with an index as well, each is served at its own path.
            self.redirect(path, &with_slash)
                .or_else(|| self.serve(path))
                .or_else(|| self.redirect(&format!("{stem}/index.html"), &with_slash))
        } else {
            None
        };
        by_name
            .or_else(|| self.serve(path))
            .or_else(|| self.redirect(&format!("{path}.html"), &format!("{path}/")))
            .or_else(|| self.redirect(&format!("{path}/index.html"), &format!("{path}/")))
    }

    fn drop(&self, path: &str) -> Found<F> {
        let by_name = if let Some(folder) = path.strip_suffix("/index") {
            self.serve(path).or_else(|| match folder {
                // The slash of the root cannot be dropped.
                "" => self.redirect("/index.html", "/"),
                _ => self
                    .redirect(&format!("{folder}.html"), folder)
                    .or_else(|| self.redirect(&format!("{path}.html"), folder)),
            })
        } else if let Some(folder) = path.strip_suffix("/index.html") {
            match folder {
                "" => self.redirect("/index.html", "/"),
                _ => self
                    .redirect(path, folder)
                    .or_else(|| self.serve(path))
                    .or_else(|| self.redirect(&format!("{folder}.html"), folder)),
            }
        } else if let Some(folder) = path.strip_suffix('/') {
            match folder {
                "" => self.serve("/index.html"),
                _ => self
                    .redirect(&format!("{folder}.html"), folder)
                    .or_else(|| self.redirect(&format!("{folder}/index.html"), folder)),
            }
        } else if let Some(stem) = path.strip_suffix(".html") {
            self.redirect(path, stem).or_else(|| self.redirect(&format!("{stem}/index.html"), stem))
        } else {
            None
        };
        by_name
            .or_else(|| self.serve(path))
            .or_else(|| self.serve(&format!("{path}.html")))
            .or_else(|| self.serve(&format!("{path}/index.html")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns what is done about each path, given these files.
    fn decide(html: HtmlHandling, not_found: NotFoundHandling, files: &[&str], path: &str) -> String {
        let find = |path: &str| files.iter().find(|file| **file == path).copied();
        match (Finder { find, html, not_found, is_for_pages: false }).intent(path) {
            None => "none".to_owned(),
            Some(Intent::Serve(file)) => format!("200 {file}"),
            Some(Intent::NotFoundPage(file)) => format!("404 {file}"),
            Some(Intent::Redirect(to)) => format!("307 {to}"),
        }
    }

    #[test]
    fn html_files_are_named_as_configured() {
        use HtmlHandling as H;
        let files = [
            "/index.html",
            "/file.html",
            "/folder/index.html",
            "/file.bin",
            "/both.html",
            "/both/index.html",
        ];
        let rows = [
            ("/", ["200 /index.html", "200 /index.html", "200 /index.html", "none"]),
            ("/index.html", ["307 /", "307 /", "307 /", "200 /index.html"]),
            ("/index", ["307 /", "307 /", "307 /", "none"]),
            ("/file", ["200 /file.html", "307 /file/", "200 /file.html", "none"]),
            ("/file/", ["307 /file", "200 /file.html", "307 /file", "none"]),
            ("/file.html", ["307 /file", "307 /file/", "307 /file", "200 /file.html"]),
            ("/file/index", ["307 /file", "307 /file/", "307 /file", "none"]),
            ("/folder", ["307 /folder/", "307 /folder/", "200 /folder/index.html", "none"]),
            ("/folder/", ["200 /folder/index.html", "200 /folder/index.html", "307 /folder", "none"]),
            ("/folder.html", ["307 /folder/", "307 /folder/", "307 /folder", "none"]),
            ("/folder/index.html", ["307 /folder/", "307 /folder/", "307 /folder", "200 /folder/index.html"]),
            ("/file.bin", ["200 /file.bin"; 4]),
            ("/file.bin/", ["none"; 4]),
            ("/both", ["200 /both.html", "307 /both/", "200 /both.html", "none"]),
            ("/both/", ["200 /both/index.html", "200 /both/index.html", "307 /both", "none"]),
            ("/both.html", ["307 /both", "200 /both.html", "307 /both", "200 /both.html"]),
        ];
        let all = [H::AutoTrailingSlash, H::ForceTrailingSlash, H::DropTrailingSlash, H::None];
        for (path, expected) in rows {
            let found = all.map(|html| decide(html, NotFoundHandling::None, &files, path));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn what_is_not_there_is_answered_as_configured() {
        let files = ["/index.html", "/404.html", "/docs/404.html"];
        let decide = |not_found, path| decide(HtmlHandling::AutoTrailingSlash, not_found, &files, path);
        for (path, page) in [
            ("/nowhere", "404 /404.html"),
            ("/docs/a/b", "404 /docs/404.html"),
            ("/docs/", "404 /docs/404.html"),
            ("/docs", "404 /404.html"),
        ] {
            assert_eq!(decide(NotFoundHandling::NotFoundPage, path), page);
            assert_eq!(decide(NotFoundHandling::SinglePageApplication, path), "200 /index.html");
            assert_eq!(decide(NotFoundHandling::None, path), "none");
        }
    }

    proptest! {
        #[test]
        fn no_path_leads_outside_the_index_and_redirects_end_at_a_file(
            path in "/([a-c]|index|[.]html|[.][.]|[.]|/|%2e|\\\\){0,6}",
            html in prop::sample::select(HtmlHandling::value_variants()),
            not_found in prop::sample::select(NotFoundHandling::value_variants()),
            is_for_pages in any::<bool>(),
            files in prop::collection::vec("/([a-c]/)?([a-c]|index|404)([.]html)?", 0..6),
        ) {
            let find = |path: &str| files.iter().find(|file| *file == path);
            let finder = Finder { find, html, not_found, is_for_pages };
            match finder.intent(&path) {
                Some(Intent::Redirect(to)) => {
                    // Workers have two redirects in a row too: from `/index/` to `/index`, and from that to `/`.
                    let next = match finder.intent(&to) {
                        Some(Intent::Redirect(to)) => finder.intent(&to),
                        next => next,
                    };
                    prop_assert!(matches!(next, Some(Intent::Serve(_) | Intent::NotFoundPage(_))), "{to}: {next:?}");
                }
                Some(Intent::Serve(file) | Intent::NotFoundPage(file)) => prop_assert!(files.contains(file)),
                None => {}
            }
        }
    }
}
