//! Looks up names for `node:dns`, under the rules for outbound connections: addresses as the host resolves them when an app
//! connects, and records of any kind from the name servers of the host.

use std::borrow::Cow;
use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use deno_core::serde_json::{Value, json};
use deno_core::{OpState, op2};
use deno_error::{AdditionalProperties, JsErrorClass};
use hickory_resolver::config::ResolveHosts;
use hickory_resolver::name_server::TokioConnectionProvider;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::proto::{ProtoError, ProtoErrorKind};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use tokio::time::timeout;

use super::dial::{Dialer, resolve};
use super::failure::{CONNECT_TIMEOUT, DialError, explain};
use super::network::Network;
use crate::requests::in_flight::in_flight;

/// Why a name could not be looked up, with a code as those of Node.js.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct NameFailure {
    code: &'static str,
    message: Cow<'static, str>,
}

impl JsErrorClass for NameFailure {
    fn get_class(&self) -> Cow<'static, str> {
        "Error".into()
    }

    fn get_message(&self) -> Cow<'static, str> {
        self.message.clone()
    }

    fn get_additional_properties(&self) -> AdditionalProperties {
        Box::new(std::iter::once(("code".into(), self.code.into())))
    }

    fn get_ref(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }
}

impl NameFailure {
    fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let (code, message) = explain(error);
        Self::new(code, message)
    }

    fn timed_out() -> Self {
        Self::new("ETIMEOUT", format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))
    }
}

/// Returns a name in the one spelling in which the rules know it: lower case, ASCII, no dot at the end.
fn spelled(name: &str) -> Result<String, NameFailure> {
    let bad = || NameFailure::new("EBADNAME", "it is not the name of a host");
    let ascii = if name.is_ascii() {
        Cow::Borrowed(name)
    } else {
        idna::domain_to_ascii(name).map_err(|_| bad())?.into()
    };
    let name = ascii.trim_end_matches('.').to_ascii_lowercase();
    // Others could be escapes, with which a name looks like another one to the rules.
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.bytes().all(is_usual) { Ok(name) } else { Err(bad()) }
}

/// Resolves a host to addresses, as the host of the worker does when the app connects to it.
async fn addresses(dialer: &Dialer, host: &str) -> Result<Vec<IpAddr>, NameFailure> {
    let name = spelled(host)?;
    dialer.policy().check_lookup(&name).map_err(|refusal| NameFailure::of(&DialError::from(refusal)))?;
    let _slot = dialer.slot().await.map_err(|error| NameFailure::of(&error))?;
    let found = timeout(CONNECT_TIMEOUT, resolve(&name, 0)).await.map_err(|_| NameFailure::timed_out())?;
    let found = found.map_err(|error| NameFailure::of(&error))?;
    let mut addresses: Vec<_> = found.into_iter().map(|address| address.ip()).collect();
    addresses.dedup();
    Ok(addresses)
}

/// Asks the name servers of the host for the records of a name. Returns what there is of this kind, with its time to live.
async fn records(dialer: &Dialer, name: &str, kind: RecordType) -> Result<Vec<(u32, Value)>, NameFailure> {
    let asked = question(dialer, name, kind)?;
    let _slot = dialer.slot().await.map_err(|error| NameFailure::of(&error))?;
    let resolver = resolver()?;
    let asking = timeout(CONNECT_TIMEOUT, ask(&resolver, asked, kind));
    asking.await.unwrap_or_else(|_| Err(NameFailure::timed_out()))
}

/// Returns the name that name servers are asked for, if the app may.
fn question(dialer: &Dialer, name: &str, kind: RecordType) -> Result<Name, NameFailure> {
    let address = name.parse::<IpAddr>().ok().filter(|_| kind == RecordType::PTR);
    let mut asked = match address {
        Some(address) => Name::from(address),
        None => Name::from_ascii(spelled(name)?)
            .map_err(|error| NameFailure::new("EBADNAME", error.to_string()))?,
    };
    asked.set_fqdn(true);
    let address = address.or_else(|| asked.parse_arpa_name().ok().map(|network| network.addr()));
    let checked = match address {
        Some(address) => dialer.policy().check_lookup_of(address),
        None => dialer.policy().check_lookup(&spelled(name)?),
    };
    checked.map_err(|refusal| NameFailure::of(&DialError::from(refusal)))?;
    Ok(asked)
}

async fn ask(
    resolver: &TokioResolver,
    name: Name,
    kind: RecordType,
) -> Result<Vec<(u32, Value)>, NameFailure> {
    match resolver.lookup(name, kind).await {
        Ok(found) => {
            // The aliases that led to the records come with them.
            let of_kind = |record: &&Record| record.record_type() == kind;
            Ok(found
                .record_iter()
                .filter(of_kind)
                .map(|record| (record.ttl(), told(record.data())))
                .collect())
        }
        Err(error) => match error.proto() {
            Some(error) => unanswered(error),
            None => Err(NameFailure::new("EBADRESP", error.to_string())),
        },
    }
}

/// Creates a client of the name servers in `/etc/resolv.conf`. It lives for one query: apps rarely ask, and the file may change.
fn resolver() -> Result<TokioResolver, NameFailure> {
    let builder = TokioResolver::builder_tokio();
    builder.map(tuned).map_err(|error| {
        NameFailure::new("ECONNREFUSED", format!("/etc/resolv.conf cannot be read: {error}"))
    })
}

fn tuned(mut builder: ResolverBuilder<TokioConnectionProvider>) -> TokioResolver {
    let options = builder.options_mut();
    // The records of a host are those that name servers have.
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 0;
    options.edns0 = true;
    builder.build()
}

/// What comes of a query without records: none, or a failure.
fn unanswered(error: &ProtoError) -> Result<Vec<(u32, Value)>, NameFailure> {
    let (code, why) = match error.kind() {
        ProtoErrorKind::NoRecordsFound { response_code, .. } => match response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => return Ok(Vec::new()),
            ResponseCode::Refused => ("EREFUSED", "the name server refuses to answer"),
            ResponseCode::FormErr => ("EFORMERR", "the name server does not understand the query"),
            ResponseCode::NotImp => ("ENOTIMP", "the name server does not know such queries"),
            _ => ("ESERVFAIL", "the name server has failed"),
        },
        ProtoErrorKind::Timeout => ("ETIMEOUT", "the name server does not answer"),
        ProtoErrorKind::NoConnections | ProtoErrorKind::Io(_) => {
            ("ECONNREFUSED", "the name server cannot be reached")
        }
        _ => return Err(NameFailure::new("EBADRESP", error.to_string())),
    };
    Err(NameFailure::new(code, why))
}

/// Returns a name as Node writes it: without the dot at its end.
fn plain(name: &Name) -> String {
    let mut text = name.to_ascii();
    if text.len() > 1 && text.ends_with('.') {
        text.pop();
    }
    text
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Returns what a record says, as the functions of `node:dns` return it.
fn told(data: &RData) -> Value {
    match data {
        RData::A(address) => json!(address.to_string()),
        RData::AAAA(address) => json!(address.to_string()),
        RData::CNAME(name) => json!(plain(&name.0)),
        RData::NS(name) => json!(plain(&name.0)),
        RData::PTR(name) => json!(plain(&name.0)),
        RData::MX(mx) => json!({ "exchange": plain(mx.exchange()), "priority": mx.preference() }),
        RData::TXT(txt) => txt.iter().map(|part| text(part)).collect(),
        RData::SRV(srv) => json!({
            "priority": srv.priority(), "weight": srv.weight(), "port": srv.port(), "name": plain(srv.target()),
        }),
        RData::SOA(soa) => json!({
            "nsname": plain(soa.mname()), "hostmaster": plain(soa.rname()), "serial": soa.serial(),
            "refresh": soa.refresh(), "retry": soa.retry(), "expire": soa.expire(), "minttl": soa.minimum(),
        }),
        RData::CAA(caa) => {
            let critical = if caa.issuer_critical() { 128 } else { 0 };
            json!({ "critical": critical, (caa.tag().as_str()): text(caa.raw_value()) })
        }
        RData::NAPTR(naptr) => json!({
            "flags": text(naptr.flags()), "service": text(naptr.services()), "regexp": text(naptr.regexp()),
            "replacement": if naptr.replacement().is_root() { String::new() } else { plain(naptr.replacement()) },
            "order": naptr.order(), "preference": naptr.preference(),
        }),
        other => json!(other.to_string()),
    }
}

/// Resolves a host to its addresses, as text.
#[op2]
#[serde]
pub(crate) async fn op_dns_lookup(
    state: Rc<RefCell<OpState>>,
    #[string] host: String,
) -> Result<Vec<String>, NameFailure> {
    let network = state.borrow().borrow::<Rc<Network>>().clone();
    let found = addresses(network.dialer(), &host).await;
    network.warn(&in_flight(&state.borrow()));
    Ok(found?.iter().map(IpAddr::to_string).collect())
}

/// Asks for the records of a name. `kind` is a name of RFC 1035 or its successors, such as `MX`. Returns pairs of a time to live
/// in seconds and what the record says.
#[op2]
#[serde]
pub(crate) async fn op_dns_query(
    state: Rc<RefCell<OpState>>,
    #[string] name: String,
    #[string] kind: String,
) -> Result<Vec<(u32, Value)>, NameFailure> {
    let kind = kind.parse().map_err(|error: ProtoError| NameFailure::new("EBADQUERY", error.to_string()))?;
    let network = state.borrow().borrow::<Rc<Network>>().clone();
    // Boxed because the future is large and short-lived.
    let found = Box::pin(records(network.dialer(), &name, kind)).await;
    network.warn(&in_flight(&state.borrow()));
    found
}

#[cfg(test)]
mod tests;
