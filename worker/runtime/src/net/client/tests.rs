//! TLS and HTTP/2, with a certificate authority that only these tests trust; `tests/tls` holds the certificates it has signed.

use std::sync::Arc;

use deno_fetch::ReqBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::connector::{Connector, Offer};
use super::super::dial::Dialer;
use super::super::policy::Policy;
use super::Client;

const AUTHORITY: &[u8] = include_bytes!("../../../../../tests/tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../../../../tests/tls/localhost.pem");
const EXPIRED: &[u8] = include_bytes!("../../../../../tests/tls/expired.pem");
const KEY: &[u8] = include_bytes!("../../../../../tests/tls/localhost.key");

/// Starts an HTTPS server and returns its port. `protocols` are the ones it supports, in its order of preference.
async fn serve(certificate: &[u8], protocols: &[&str]) -> u16 {
    let certificate = CertificateDer::from_pem_slice(certificate).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let echo = service_fn(async |request: Request<Incoming>| {
                    Ok::<_, hyper::Error>(Response::new(request.into_body()))
                });
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), echo)
                    .await;
            });
        }
    });
    port
}

fn client() -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(AUTHORITY).unwrap()).unwrap();
    Client::over(Connector::new(Dialer::new(Policy::default(), 8), Offer::Http2).trusting(roots))
}

/// Returns the HTTP version that was used and the body of the response, or the error.
async fn post(client: &Client, url: String) -> Result<(Version, String), String> {
    let request = Request::post(url).body(ReqBody::full("body".into())).unwrap();
    let response = client.clone().send(request).await.map_err(|failure| failure.to_string())?;
    let version = response.version();
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    Ok((version, String::from_utf8(body.to_vec()).unwrap()))
}

#[tokio::test]
async fn a_server_is_spoken_to_in_the_best_version_it_has() {
    let client = client();
    for (protocols, version) in
        [(&["http/1.1", "h2"][..], Version::HTTP_11), (&["h2"], Version::HTTP_2), (&[], Version::HTTP_11)]
    {
        let port = serve(CERTIFICATE, protocols).await;
        for _ in 0..2 {
            let answer = post(&client, format!("https://localhost:{port}/")).await;
            assert_eq!(answer, Ok((version, "body".to_owned())), "{protocols:?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_must_be_trusted_valid_and_for_that_name() {
    let client = client();
    let failed =
        |host: &str, why: &str| Err(format!("fetch to https://{host} failed: its TLS certificate {why}"));
    let port = serve(CERTIFICATE, &["h2"]).await;
    assert_eq!(
        post(&client, format!("https://127.0.0.1:{port}/")).await,
        failed(&format!("127.0.0.1:{port}"), "is for another name")
    );
    let untrusting = Client::new(Dialer::new(Policy::default(), 8));
    assert_eq!(
        post(&untrusting, format!("https://localhost:{port}/")).await,
        failed(&format!("localhost:{port}"), "is not from an authority that this system trusts")
    );
    let port = serve(EXPIRED, &["h2"]).await;
    assert_eq!(
        post(&client, format!("https://localhost:{port}/")).await,
        failed(&format!("localhost:{port}"), "has expired")
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_to_nothing_is_given_up() {
    // Accepts connections and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    assert_eq!(
        post(&client(), url.clone()).await,
        Err(format!("fetch to {url} failed: no connection within 10 s"))
    );
}
