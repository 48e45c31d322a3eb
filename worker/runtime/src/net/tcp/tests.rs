//! TLS from the start and later, with a certificate authority that only these tests trust; `tests/tls` holds the certificates.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::connector::{Offer, tls_config};
use super::super::dial::Dialer;
use super::super::policy::Policy;
use super::{Stream, Tcp, connect, poll_fn, secure};

const AUTHORITY: &[u8] = include_bytes!("../../../../../tests/tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../../../../tests/tls/localhost.pem");
const KEY: &[u8] = include_bytes!("../../../../../tests/tls/localhost.key");

/// Starts a server that answers "plain" to the first byte if `starts_plain`, then does TLS, and sends back what it gets.
async fn serve(starts_plain: bool) -> u16 {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if starts_plain {
                stream.read_u8().await.unwrap();
                stream.write_all(b"plain").await.unwrap();
            }
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = [0; 5];
            stream.read_exact(&mut bytes).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
        }
    });
    port
}

fn config() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(AUTHORITY).unwrap()).unwrap();
    Arc::new(tls_config(Offer::Nothing, Arc::new(roots)))
}

/// Sends these bytes, and returns what five bytes come back.
async fn exchange(stream: Stream, bytes: &[u8]) -> (std::rc::Rc<Tcp>, [u8; 5]) {
    let tcp = Tcp::new("the connection".to_owned());
    tcp.open(stream);
    tcp.write(bytes).await.unwrap();
    let mut heard = [0; 5];
    let mut at = 0;
    while at < heard.len() {
        at += poll_fn(|cx| tcp.poll_read(cx, &mut heard[at..])).await.unwrap();
    }
    (tcp, heard)
}

#[tokio::test]
async fn tls_begins_at_once_or_later() {
    let dialer = || Dialer::new(Policy::default(), 8);
    let port = serve(false).await;
    let (stream, peer) = connect(dialer(), "localhost".into(), port, Some(config())).await.unwrap();
    assert!(peer.ends_with(&format!(":{port}")), "{peer}");
    assert_eq!(&exchange(stream, b"hello").await.1, b"hello");
    let port = serve(true).await;
    let (stream, _) = connect(dialer(), "localhost".into(), port, None).await.unwrap();
    let (tcp, heard) = exchange(stream, b"!").await;
    assert_eq!(&heard, b"plain");
    let stream = secure(tcp.end(super::CLOSED).unwrap(), "localhost", config()).await.unwrap();
    assert_eq!(&exchange(stream, b"hello").await.1, b"hello");
    assert_eq!(tcp.write(b"x").await.unwrap_err().to_string(), "This socket has been closed.");
}

#[tokio::test]
async fn the_certificate_must_be_for_the_name_that_is_expected() {
    let port = serve(true).await;
    for (name, why) in [("other.example", "is for another name"), ("127.0.0.1", "is for another name")] {
        let dialer = Dialer::new(Policy::default(), 8);
        let (stream, _) = connect(dialer, "localhost".into(), port, None).await.unwrap();
        let (tcp, _) = exchange(stream, b"!").await;
        let error = secure(tcp.end(super::CLOSED).unwrap(), name, config()).await.err().unwrap();
        assert!(error.to_string().ends_with(why), "{error}");
    }
}
