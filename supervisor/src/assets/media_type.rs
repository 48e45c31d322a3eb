//! The media type of a file, by its extension, as Workers name it.

use std::collections::HashMap;
use std::sync::LazyLock;

use hyper::header::HeaderValue;

/// The table of `mime_guess`: extensions in lower case. Made for the first file.
static KNOWN: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let rows = include_str!(concat!(env!("OUT_DIR"), "/media_types.txt")).lines();
    rows.filter_map(|row| row.split_once(' ')).collect()
});

/// Extensions that Workers name differently than the table of `mime_guess` does.
const OTHERS: [(&str, &str); 22] = [
    ("asc", "application/pgp-keys"),
    ("cjs", "application/node"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("flac", "audio/x-flac"),
    ("ico", "image/vnd.microsoft.icon"),
    ("jsx", "text/jsx"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("manifest", "text/cache-manifest"),
    ("map", "application/json"),
    ("mdx", "text/mdx"),
    ("mjs", "text/javascript"),
    ("otf", "font/otf"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"),
    ("wgsl", "text/wgsl"),
    ("woff", "font/woff"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("yaml", "text/yaml"),
    ("yml", "text/yaml"),
];

/// Returns the media type of a file of this name, if its extension is known. Text is UTF-8.
pub(super) fn of(name: &str) -> Option<HeaderValue> {
    let (stem, extension) = name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    let media_type = match OTHERS.iter().find(|(known, _)| *known == extension) {
        _ if stem.is_empty() => return None,
        Some((_, media_type)) => media_type,
        None => *KNOWN.get(&*extension)?,
    };
    if media_type.starts_with("text/") {
        HeaderValue::try_from(format!("{media_type}; charset=utf-8")).ok()
    } else {
        Some(HeaderValue::from_static(media_type))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_file_has_the_media_type_that_workers_give_it() {
        for (name, expected) in [
            ("index.html", Some("text/html; charset=utf-8")),
            ("a.b.JS", Some("text/javascript; charset=utf-8")),
            ("a.mjs", Some("text/javascript; charset=utf-8")),
            ("a.css", Some("text/css; charset=utf-8")),
            ("a.json", Some("application/json")),
            ("a.js.map", Some("application/json")),
            ("a.svg", Some("image/svg+xml")),
            ("a.woff2", Some("font/woff2")),
            ("a.wasm", Some("application/wasm")),
            ("a.webmanifest", Some("application/manifest+json")),
            ("a.unknown-thing", None),
            ("README", None),
            (".js", None),
        ] {
            let found = super::of(name);
            assert_eq!(found.as_ref().map(|value| value.to_str().unwrap()), expected, "{name}");
        }
    }
}
