//! The only way out of a worker: every outbound TCP connection of an app is opened here; only name servers are asked elsewhere, in
//! [`names`](super::names). The policy of the app must allow the address, whatever asks for the connection and however many redirects
//! led to it. Each connection needs a [`OutboundSlot`], of which an app has a limited number.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use nix::libc::EMFILE;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tower_service::Service;

use super::failure::{CONNECT_TIMEOUT, DialError, causes};
use super::places::{Counts, Dialed, Places};
use super::policy::Policy;

/// Idle time after which the kernel sends a keepalive probe.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Opens connections under a policy.
#[derive(Debug, Clone)]
pub(crate) struct Dialer {
    policy: Arc<Policy>,
    places: Arc<Places>,
}

/// A slot among an app's outbound connections, with which one connection can be opened.
#[derive(Debug, Clone)]
pub(crate) struct OutboundSlot {
    dialer: Dialer,
    place: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Dialer {
    /// Creates a dialer for one app, with at most `max` connections.
    pub(crate) fn new(policy: Policy, max: u32) -> Self {
        Self { policy: Arc::new(policy), places: Arc::new(Places::new(max)) }
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Returns the connection counters of the app.
    pub(crate) fn counts(&self) -> Counts {
        self.places.counts()
    }

    /// Takes a slot. Waits up to [`CONNECT_TIMEOUT`] for one.
    ///
    /// # Errors
    /// [`DialError::NoPlace`] on timeout.
    pub(crate) async fn slot(&self) -> Result<OutboundSlot, DialError> {
        let Ok(place) = timeout(CONNECT_TIMEOUT, self.places.take()).await else {
            self.places.count_refused();
            return Err(DialError::NoPlace { max: self.places.max() });
        };
        Ok(OutboundSlot { dialer: self.clone(), place: Arc::new(Mutex::new(Some(place))) })
    }

    /// Connects to the host and port of a URL.
    async fn dial(&self, uri: Uri) -> Result<TokioIo<TcpStream>, DialError> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default);
        self.dial_host(host, port).await
    }

    /// Connects to a host. Tries its addresses in the order of RFC 8305.
    async fn dial_host(&self, host: &str, port: u16) -> Result<TokioIo<TcpStream>, DialError> {
        let addresses = self.addresses(host, port).await?;
        // The connector asks for one of the addresses, whatever the name.
        let mut uri = hyper::http::uri::Parts::default();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = format!("name.invalid:{port}").parse().ok();
        uri.path_and_query = Some(hyper::http::uri::PathAndQuery::from_static("/"));
        let uri = Uri::from_parts(uri).unwrap_or_default();
        let mut connector = HttpConnector::new_with_resolver(Addresses(addresses));
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_keepalive(Some(KEEPALIVE));
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.call(uri).await.map_err(|error| {
            let error = causes(&error).find_map(|cause| cause.downcast_ref::<io::Error>());
            match error.map(|error| (error.kind(), error.raw_os_error())) {
                Some((io::ErrorKind::TimedOut, _)) => DialError::TimedOut,
                Some((_, Some(EMFILE))) => {
                    self.places.count_no_descriptor();
                    DialError::NoDescriptor
                }
                Some((_, Some(code))) => DialError::Unconnected(io::Error::from_raw_os_error(code)),
                Some((kind, None)) => DialError::Unconnected(kind.into()),
                None => DialError::Unconnected(io::Error::other("no address to connect to")),
            }
        })
    }

    /// Resolves a host to the addresses that the policy allows.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            self.policy.check(None, address, port)?;
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        // All dots: with two of them, the name would be asked for with one, which is the name itself for a name server.
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        self.policy.check_name(&name, port)?;
        let found = resolve(&name, port).await?;
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

/// Resolves a name, which has no dot at its end, as the system does.
pub(super) async fn resolve(name: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
    // These names are never sent to a name server (RFC 6761).
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
    }
    let found = tokio::net::lookup_host((name, port)).await.map_err(|error| {
        let text = error.to_string();
        let detail = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
        DialError::Unresolved { name: name.to_owned(), detail: detail.to_owned() }
    })?;
    Ok(found.collect())
}

impl OutboundSlot {
    /// Connects to a host. Returns the address of the other side, too.
    pub(super) async fn dial(self, host: &str, port: u16) -> Result<(Dialed, SocketAddr), DialError> {
        let io = self.dialer.dial_host(host.trim_matches(['[', ']']), port).await?;
        let peer = io.inner().peer_addr().map_err(DialError::Unconnected)?;
        Ok((self.enter(io, true)?, peer))
    }

    fn enter(self, io: TokioIo<TcpStream>, is_duplex: bool) -> Result<Dialed, DialError> {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A slot is good for one connection.
        let place = place.ok_or(DialError::NoPlace { max: self.dialer.places.max() })?;
        Ok(self.dialer.places.enter(io, place, is_duplex))
    }
}

impl Service<Uri> for OutboundSlot {
    type Response = Dialed;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let slot = self.clone();
        Box::pin(async move {
            let io = slot.dialer.dial(uri).await?;
            slot.enter(io, false)
        })
    }
}

/// A resolver for a connector: returns addresses that have been resolved and checked before.
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
    use tokio::net::{TcpListener, TcpSocket};

    use super::{DialError, Dialed, Dialer, Policy, Service as _};

    fn denying(hosts: &[NetHost]) -> Dialer {
        let deny = hosts.iter().map(|host| NetRule { host: host.clone(), port: None }).collect();
        Dialer::new(Policy::new(NetRules { allow: None, deny }), 8)
    }

    async fn dial(dialer: &Dialer, url: &str) -> Result<Dialed, DialError> {
        dialer.slot().await?.call(url.parse().unwrap()).await
    }

    fn network(address: &str, prefix: u8) -> NetHost {
        NetHost::Network { address: address.parse().unwrap(), prefix }
    }

    #[tokio::test]
    async fn each_address_of_a_name_is_judged_by_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = &*format!("http://localhost:{port}/");
        let open = dial(&denying(&[]), url).await.unwrap();
        assert_eq!(open.peer().port(), port);
        // The name's other address is still allowed.
        assert!(dial(&denying(&[network("::1", 128)]), url).await.is_ok());
        let error = dial(&denying(&[network("127.0.0.0", 8), network("::1", 128)]), url).await.unwrap_err();
        assert_eq!(error.to_string(), format!("localhost:{port} (127.0.0.1) is denied by deny_net"));
        let error = dial(&denying(&[NetHost::Name("localhost".into())]), url).await.unwrap_err();
        assert_eq!(error.to_string(), format!("localhost:{port} is denied by deny_net"));
        // Neither case nor dots at its end change a name.
        for name in ["LocalHost.", "localhost..", "localhost..."] {
            let dotted = &*format!("http://{name}:{port}/");
            let error = dial(&denying(&[NetHost::Name("localhost".into())]), dotted).await.unwrap_err();
            assert_eq!(error.to_string(), format!("localhost:{port} is denied by deny_net"));
        }
    }

    #[tokio::test]
    async fn addresses_written_out_are_judged_too() {
        let dialer = denying(&[network("127.0.0.0", 8)]);
        for host in ["127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"] {
            let error = dial(&dialer, &format!("http://{host}:9/")).await.unwrap_err();
            assert!(error.to_string().ends_with("is denied by deny_net"), "{error}");
        }
        let error = dial(&dialer, "https://169.254.169.254/").await.unwrap_err();
        assert!(error.to_string().contains("link-local"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_taken_until_the_connection_is_closed() {
        let dialer = Dialer::new(Policy::default(), 1);
        let slot = dialer.slot().await.unwrap();
        assert_eq!(dialer.counts().open, 1);
        let error = dialer.slot().await.unwrap_err();
        assert!(matches!(error, DialError::NoPlace { max: 1 }), "{error}");
        assert_eq!(dialer.counts().refused, 1);
        let (next, ()) = tokio::join!(dialer.slot(), async { drop(slot) });
        assert!(next.is_ok() && dialer.counts().open == 1);
    }

    #[tokio::test]
    async fn a_failure_says_what_happened() {
        // A port that nobody else can have, and on which nobody listens.
        let taken = TcpSocket::new_v4().unwrap();
        taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let closed = taken.local_addr().unwrap();
        let error = dial(&denying(&[]), &format!("http://{closed}/")).await.unwrap_err();
        assert!(error.to_string().to_lowercase().contains("connection refused"), "{error}");
        let error = dial(&denying(&[]), "http://no-such-host.invalid/").await.unwrap_err();
        assert!(
            error.to_string().starts_with("the name no-such-host.invalid cannot be resolved ("),
            "{error}"
        );
    }
}
