//! Errors of outbound requests: the destination, what happened, and a code for programs.

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::time::Duration;

use deno_error::{AdditionalProperties, JsErrorBox, JsErrorClass};
use hyper::Uri;
use nano_protocol::message::Thrown;

use super::policy::Refusal;

/// Timeout for opening a connection: name lookup, TCP and TLS.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    /// The policy does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The name did not resolve to an address.
    #[error("the name {name} cannot be resolved ({detail})")]
    Unresolved {
        name: String,
        /// The resolver's message.
        detail: String,
    },
    /// No address accepted the connection.
    #[error("{0}")]
    Unconnected(io::Error),
    /// No slot became free within [`CONNECT_TIMEOUT`].
    #[error(
        "the app has {max} outbound connections open, which is as many as it may (`max_outbound`), and none was closed \
         within {} s",
        CONNECT_TIMEOUT.as_secs()
    )]
    NoPlace { max: u32 },
    /// The worker has reached its limit of open descriptors.
    #[error("the app has as many files and connections open as it may (`max_fds`)")]
    NoDescriptor,
    /// It took longer than [`CONNECT_TIMEOUT`].
    #[error("no connection within {} s", CONNECT_TIMEOUT.as_secs())]
    TimedOut,
}

/// A `TypeError` with a message for people and a `code` like those of Node.js, or what another app has thrown.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    message: String,
    code: &'static str,
    /// Class and `name` of the error that another app has thrown.
    remote: Option<(String, String)>,
}

impl JsErrorClass for Failure {
    fn get_class(&self) -> Cow<'static, str> {
        self.remote.as_ref().map_or("TypeError".into(), |(class, _)| class.clone().into())
    }

    fn get_message(&self) -> Cow<'static, str> {
        self.message.clone().into()
    }

    fn get_additional_properties(&self) -> AdditionalProperties {
        let property = match &self.remote {
            None => ("code".into(), self.code.into()),
            Some((_, name)) => ("remoteName".into(), name.clone().into()),
        };
        Box::new(std::iter::once(property))
    }

    fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }
}

impl Failure {
    /// Creates an error for a request that was never sent.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: "ERR_INVALID_ARG_VALUE", remote: None }
    }

    /// Creates the error that another app has thrown. Its name is in `remoteName`, where `bindings.js` finds it.
    pub(crate) fn remote(Thrown { class, name, message, .. }: Thrown) -> Self {
        // Others need not exist here.
        let class = if CLASSES.contains(&&*class) { class } else { "Error".to_owned() };
        Self { message, code: "", remote: Some((class, name)) }
    }

    /// Creates an error saying that `what`, sent to `uri`, failed because of `error`.
    pub(crate) fn of(what: &str, uri: &Uri, error: &(dyn Error + 'static)) -> Self {
        let (code, detail) = explain(error);
        Self::because(what, uri, code, &detail)
    }

    /// Creates an error saying that `what`, sent to `uri`, failed with this code.
    pub(crate) fn because(what: &str, uri: &Uri, code: &'static str, detail: &str) -> Self {
        let verb = if code == REFUSED { "was refused" } else { "failed" };
        Self { message: format!("{what} to {} {verb}: {detail}", origin(uri)), code, remote: None }
    }
}

/// The classes of errors that JavaScript itself has.
const CLASSES: [&str; 6] = ["Error", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];

/// The code of destinations that the policy refuses.
const REFUSED: &str = "EACCES";

/// Returns the origin of a URL: everything else in it may be secret.
pub(crate) fn origin(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    format!("{}://{authority}", uri.scheme_str().unwrap_or_default())
}

/// Iterates over an error and its causes, outermost first.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>() {
            // `io::Error::source` skips the wrapped error and returns that error's source.
            Some(wrapper) => wrapper.get_ref().map(|wrapped| wrapped as _),
            None => error.source(),
        }
    })
}

/// Returns code and text of the most specific error in the chain.
pub(crate) fn explain(error: &(dyn Error + 'static)) -> (&'static str, String) {
    causes(error).find_map(telling).unwrap_or_else(|| {
        let innermost = causes(error).last().unwrap_or(error);
        ("ECONNABORTED", innermost.to_string())
    })
}

fn telling(error: &(dyn Error + 'static)) -> Option<(&'static str, String)> {
    if let Some(error) = error.downcast_ref::<DialError>() {
        return Some(match error {
            DialError::Refused(refusal) => (REFUSED, refusal.to_string()),
            DialError::Unresolved { detail, .. } if detail.starts_with("Temporary") => {
                ("EAI_AGAIN", error.to_string())
            }
            DialError::Unresolved { .. } => ("ENOTFOUND", error.to_string()),
            DialError::Unconnected(error) => system(error),
            DialError::NoPlace { .. } => ("EBUSY", error.to_string()),
            DialError::NoDescriptor => ("EMFILE", error.to_string()),
            DialError::TimedOut => ("ETIMEDOUT", error.to_string()),
        });
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(tls(error));
    }
    if let Some(error) = error.downcast_ref::<JsErrorBox>() {
        return Some(("ERR_INVALID_STATE", format!("the request body broke off: {error}")));
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        if error.is_incomplete_message() {
            return Some(("ECONNRESET", "the connection was closed before the response was complete".into()));
        }
        if error.is_parse() {
            return Some(("EPROTO", format!("the response is not valid HTTP: {error}")));
        }
    }
    match error.downcast_ref::<io::Error>() {
        Some(error) if error.get_ref().is_none() || error.kind() == io::ErrorKind::UnexpectedEof => {
            Some(system(error))
        }
        _ => None,
    }
}

fn system(error: &io::Error) -> (&'static str, String) {
    let (code, text) = match error.kind() {
        io::ErrorKind::ConnectionRefused => ("ECONNREFUSED", "connection refused"),
        io::ErrorKind::ConnectionReset => ("ECONNRESET", "connection reset"),
        io::ErrorKind::ConnectionAborted => ("ECONNABORTED", "connection aborted"),
        io::ErrorKind::BrokenPipe => ("EPIPE", "connection closed by the other side"),
        io::ErrorKind::UnexpectedEof => ("ECONNRESET", "connection closed too early"),
        io::ErrorKind::HostUnreachable => ("EHOSTUNREACH", "host unreachable"),
        io::ErrorKind::NetworkUnreachable => ("ENETUNREACH", "network unreachable"),
        io::ErrorKind::TimedOut => ("ETIMEDOUT", "timed out"),
        _ => return ("EIO", error.to_string()),
    };
    (code, text.to_owned())
}

fn tls(error: &rustls::Error) -> (&'static str, String) {
    use rustls::CertificateError as Certificate;
    let (code, text) = match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            Certificate::UnknownIssuer => (
                "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
                "its TLS certificate is not from an authority that this system trusts".to_owned(),
            ),
            Certificate::Expired | Certificate::ExpiredContext { .. } => {
                ("CERT_HAS_EXPIRED", "its TLS certificate has expired".to_owned())
            }
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
                ("CERT_NOT_YET_VALID", "its TLS certificate is not valid yet".to_owned())
            }
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                ("ERR_TLS_CERT_ALTNAME_INVALID", "its TLS certificate is for another name".to_owned())
            }
            other => ("CERT_REJECTED", format!("its TLS certificate is not valid: {other}")),
        },
        other => ("EPROTO", format!("TLS: {other}")),
    };
    (code, text)
}
