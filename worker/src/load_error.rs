//! Why an app does not load. The texts are for its developers: message, file, line and column, and the source line with a caret.

use std::io;

use deno_core::error::{CoreError, CoreErrorKind};
use deno_error::JsErrorClass as _;
use nano_runtime::{AppFolder, report};
use thiserror::Error;

use crate::isolate::IsolateError;
use crate::loader::ReadError;

/// Why an app does not load.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    /// The app's fault: a module does not load, or throws when it is evaluated.
    #[error("{text}")]
    Exception { text: String, source: CoreError },
    /// The app's fault: a promise that its modules wait for is never settled.
    #[error("a top-level await never settles")]
    NeverSettles,
    /// The app's fault: its modules block the event loop.
    #[error("the app's modules ran longer than `watchdog` allows without returning")]
    TooLong,
    /// The app's fault: its modules fill the heap.
    #[error("the app's modules used more heap than `heap` allows")]
    OutOfMemory,
    /// The app's fault: nothing answers requests, and nothing runs on a schedule.
    #[error(
        "{entry}: the entry module has no fetch handler; add \
         `export default {{ async fetch(request, env, ctx) {{ return new Response(\"hi\") }} }}`"
    )]
    NoHandler { entry: String },
    /// The app's fault: a getter of its default export throws.
    #[error("the default export cannot be read")]
    UnreadableExport,
    /// The fault of the app's configuration: files that only the other format has.
    #[error(
        "{entry} has a default export, so that {name} (`text_blobs`, `data_blobs` or `wasm_modules` of the wrangler file) cannot be a \
         global variable: these are for apps of addEventListener(\"fetch\", …); import {path} in the code in place of it, as wrangler \
         demands, too"
    )]
    BlobOfModule { name: String, path: String, entry: String },
    /// The app's fault: a file of `wasm_modules` that V8 does not compile.
    #[error("{path} is no valid WebAssembly; correct {name} of `wasm_modules` in the wrangler file")]
    NotWasm { name: String, path: String },
    /// The fault of the app's configuration: a value that V8 cannot hold.
    #[error("env or props is too large")]
    EnvTooLarge,
    /// The fault of the app's configuration.
    #[error("env cannot be read")]
    UnreadableEnv,
    /// The system's fault: it starts no more threads.
    #[error("cannot start the watchdog thread: {0}")]
    Watchdog(#[source] io::Error),
    /// Our fault: a path of the app is not absolute.
    #[error(transparent)]
    Path(#[from] ReadError),
    /// Our fault, or the system's: the isolate was not made.
    #[error(transparent)]
    Isolate(#[from] IsolateError),
}

impl LoadError {
    /// What V8 or the loader reports.
    pub(crate) fn exception(error: CoreError, folder: &AppFolder) -> Self {
        Self::Exception { text: describe(&error, folder), source: error }
    }
}

/// Message, file, line and column, and the source line with a caret.
pub(crate) fn describe(error: &CoreError, folder: &AppFolder) -> String {
    match error.as_kind() {
        CoreErrorKind::Js(js) => report(js, "", folder),
        other => {
            let text = folder.shorten(&other.to_string());
            if other.get_class() == "SyntaxError" { format!("SyntaxError: {text}") } else { text }
        }
    }
}
