//! The routes about deploys.

use std::rc::Rc;

use hyper::{Method, StatusCode, Uri};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::super::answer::{Answer, error, malformed, no_such_app, not_allowed, outcome, parameter};
use crate::api::deploys::RollbackOrder;
use crate::config::AppName;
use crate::model::change_error::ErrorKind;
use crate::ops::operator::Operator;

/// Whether the path after `/v1/apps/NAME` belongs to these routes.
pub(super) fn is_about(rest: &[&str]) -> bool {
    matches!(rest, [] | ["deploy" | "rollback" | "deploys"])
}

pub(super) async fn answer(
    method: &Method,
    uri: &Uri,
    app: &str,
    rest: &[&str],
    body: Option<&[u8]>,
    operator: &Rc<Operator>,
) -> Answer {
    let name: AppName = match app.parse() {
        Ok(name) => name,
        Err(flaw) => return malformed(&flaw),
    };
    let is_known = operator.has(app) || !operator.deploys_of(&name).is_empty();
    match (rest, method) {
        (["deploy"], &Method::POST) => match body.map(read) {
            Some(Ok(order)) => outcome(operator.deploy(&name, order).await.map(|done| json!(done))),
            Some(Err(why)) => malformed(&why),
            None => {
                let why = "folders of this machine are deployed over the control socket only";
                error(ErrorKind::Forbidden, &why)
            }
        },
        (["deploy"] | ["rollback"], _) if method != Method::POST => not_allowed("POST"),
        (["deploys"], _) if method != Method::GET => not_allowed("GET"),
        ([], _) if method != Method::DELETE => not_allowed("GET or DELETE"),
        _ if !is_known => no_such_app(operator, app),
        (["rollback"], _) => {
            let asked = || Ok(RollbackOrder { to: parameter(uri, "to") });
            match body.filter(|body| !body.is_empty()).map_or_else(asked, read) {
                Ok(order) => outcome(operator.rollback(&name, &order).await.map(|done| json!(done))),
                Err(why) => malformed(&why),
            }
        }
        (["deploys"], _) => {
            (StatusCode::OK, json!({ "app": name.as_str(), "deploys": operator.deploys_of(&name) }))
        }
        _ => outcome(operator.remove(&name).await.map(|done| json!(done))),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body)
}
