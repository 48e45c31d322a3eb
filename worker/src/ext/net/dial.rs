//! The one way out of a worker: every TCP connection that an app causes is opened here, and only to addresses that its
//! policy lets through. What asks for the connection, and after how many redirects, makes no difference.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::failure::causes;
use super::policy::{Policy, Refusal};

/// For everything until a connection can be used: looking its name up, TCP and TLS.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After how long without traffic the kernel asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Opens connections under a policy.
#[derive(Debug, Clone)]
pub struct Dialer {
    policy: Arc<Policy>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// It is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No address for this name.
    #[error("the name {name} cannot be resolved ({detail})")]
    Unresolved {
        /// The name.
        name: String,
        /// What the resolver said.
        detail: String,
    },
    /// None of its addresses took the connection.
    #[error("{0}")]
    Unconnected(io::Error),
    /// It took longer than [`CONNECT_TIMEOUT`].
    #[error("no connection within {} s", CONNECT_TIMEOUT.as_secs())]
    TimedOut,
}

impl Dialer {
    /// A dialer for one app.
    pub fn new(policy: Policy) -> Self {
        Self { policy: Arc::new(policy) }
    }

    /// Connects to the host and port of a URL, trying its addresses as RFC 8305 says.
    async fn dial(self, uri: Uri) -> Result<TokioIo<TcpStream>, DialError> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default);
        let addresses = self.addresses(host, port).await?;
        let mut connector = HttpConnector::new_with_resolver(Addresses(addresses));
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_keepalive(Some(KEEPALIVE));
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.call(uri).await.map_err(|error| {
            let error = causes(&error).find_map(|cause| cause.downcast_ref::<io::Error>());
            match error.map(|error| (error.kind(), error.raw_os_error())) {
                Some((io::ErrorKind::TimedOut, _)) => DialError::TimedOut,
                Some((_, Some(code))) => DialError::Unconnected(io::Error::from_raw_os_error(code)),
                Some((kind, None)) => DialError::Unconnected(kind.into()),
                None => DialError::Unconnected(io::Error::other("no address to connect to")),
            }
        })
    }

    /// The addresses of a host that may be reached.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            self.policy.check(None, address, port)?;
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.policy.check_name(&name, port)?;
        let found = resolve(&name, port).await.map_err(|error| {
            let text = error.to_string();
            let detail = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
            DialError::Unresolved { name: name.clone(), detail: detail.to_owned() }
        })?;
        let mut refused = None;
        let allowed = found
            .into_iter()
            .filter(|address| match self.policy.check(Some(&name), address.ip(), port) {
                Ok(()) => true,
                Err(refusal) => {
                    refused.get_or_insert(refusal);
                    false
                }
            })
            .collect::<Vec<_>>();
        match refused {
            Some(refusal) if allowed.is_empty() => Err(refusal.into()),
            _ => Ok(allowed),
        }
    }
}

async fn resolve(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    // Never asked of a name server (RFC 6761).
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
    }
    Ok(tokio::net::lookup_host((name, port)).await?.collect())
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().dial(uri))
    }
}

/// Addresses that have been resolved and checked already, as the resolver of a connector.
#[derive(Clone)]
struct Addresses(Vec<SocketAddr>);

impl Service<Name> for Addresses {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(std::mem::take(&mut self.0).into_iter()))
    }
}

#[cfg(test)]
mod tests {
    use nano_protocol::message::{NetHost, NetRule, NetRules};
    use tokio::net::TcpListener;

    use super::{Dialer, Policy, Service as _};

    fn denying(hosts: &[NetHost]) -> Dialer {
        let deny = hosts.iter().map(|host| NetRule { host: host.clone(), port: None }).collect();
        Dialer::new(Policy::new(NetRules { allow: None, deny }))
    }

    fn network(address: &str, prefix: u8) -> NetHost {
        NetHost::Network { address: address.parse().unwrap(), prefix }
    }

    #[tokio::test]
    async fn each_address_of_a_name_is_judged_by_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let uri = || format!("http://localhost:{port}/").parse().unwrap();
        let open = denying(&[]).call(uri()).await.unwrap();
        assert_eq!(open.inner().peer_addr().unwrap().port(), port);
        // The other address of the name is left.
        assert!(denying(&[network("::1", 128)]).call(uri()).await.is_ok());
        let error = denying(&[network("127.0.0.0", 8), network("::1", 128)]).call(uri()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("localhost:{port} (127.0.0.1) is denied by deny_net"));
        let error = denying(&[NetHost::Name("localhost".into())]).call(uri()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("localhost:{port} is denied by deny_net"));
        // A name's case and its root dot do not make another name of it.
        let dotted = format!("http://LocalHost.:{port}/").parse().unwrap();
        let error = denying(&[NetHost::Name("localhost".into())]).call(dotted).await.unwrap_err();
        assert_eq!(error.to_string(), format!("localhost:{port} is denied by deny_net"));
    }

    #[tokio::test]
    async fn addresses_written_out_are_judged_too() {
        let dialer = denying(&[network("127.0.0.0", 8)]);
        for host in ["127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"] {
            let error = dialer.clone().call(format!("http://{host}:9/").parse().unwrap()).await.unwrap_err();
            assert!(error.to_string().ends_with("is denied by deny_net"), "{error}");
        }
        let error = dialer.clone().call("https://169.254.169.254/".parse().unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("link-local"), "{error}");
    }

    #[tokio::test]
    async fn a_failure_says_what_happened() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = denying(&[]).call(format!("http://{closed}/").parse().unwrap()).await.unwrap_err();
        assert!(error.to_string().to_lowercase().contains("connection refused"), "{error}");
        let error = denying(&[]).call("http://no-such-host.invalid/".parse().unwrap()).await.unwrap_err();
        assert!(
            error.to_string().starts_with("the name no-such-host.invalid cannot be resolved ("),
            "{error}"
        );
    }
}
