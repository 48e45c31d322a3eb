//! Connections for HTTP: plain or TLS, depending on the scheme of the URL.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use hyper::Uri;
use hyper::http::uri::Scheme;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use super::dial::{Dialer, OutboundSlot};
use super::failure::{CONNECT_TIMEOUT, DialError};
use super::places::Dialed;

/// A connection, plain or encrypted.
pub(crate) type MaybeTls = MaybeHttpsStream<Dialed>;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The protocols offered over TLS.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Offer {
    /// HTTP/2, and HTTP/1.1 for servers that do not support it.
    Http2,
    /// HTTP/1.1 only, for connections that become a WebSocket.
    Http1,
    /// No protocol, for connections that are not for HTTP.
    Nothing,
}

/// Opens connections for HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    dialer: Dialer,
    offer: Offer,
    /// Created for the first `https:` URL.
    tls: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Connector {
    /// Creates a connector of one app.
    pub(crate) fn new(dialer: Dialer, offer: Offer) -> Self {
        Self { dialer, offer, tls: Arc::default() }
    }

    /// Trusts these certificate authorities instead of the system's.
    #[cfg(test)]
    pub(crate) fn trusting(self, roots: RootCertStore) -> Self {
        let tls = Arc::new(tls_config(self.offer, Arc::new(roots)));
        Self { tls: Arc::new(tls.into()), ..self }
    }

    async fn connect(&self, mut slot: OutboundSlot, uri: Uri) -> Result<MaybeTls, BoxError> {
        if uri.scheme() == Some(&Scheme::HTTPS) {
            let tls = self.tls.get_or_init(|| Arc::new(tls_config(self.offer, roots())));
            HttpsConnector::from((slot, tls.clone())).call(uri).await
        } else {
            Ok(MaybeHttpsStream::Http(slot.call(uri).await?))
        }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeTls;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<MaybeTls, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let slot = connector.dialer.slot().await?;
            let connection = connector.connect(slot, uri);
            tokio::time::timeout(CONNECT_TIMEOUT, connection).await.unwrap_or(Err(DialError::TimedOut.into()))
        })
    }
}

/// Returns a configuration that trusts these certificate authorities.
pub(super) fn tls_config(offer: Offer, roots: Arc<RootCertStore>) -> ClientConfig {
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider supports the versions that it was built with")
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = match offer {
        Offer::Http2 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Offer::Http1 => vec![b"http/1.1".to_vec()],
        Offer::Nothing => Vec::new(),
    };
    config
}

/// Returns the certificate authorities that the system trusts. If it has none, returns Mozilla's as of the build.
pub(super) fn roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    ROOTS
        .get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().unwrap_or_default());
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
            Arc::new(roots)
        })
        .clone()
}
