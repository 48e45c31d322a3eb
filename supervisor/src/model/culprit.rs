//! The request that has ended its worker, and which of the lost requests it is.

use nano_protocol::message::{RequestId, RequestName};

use crate::model::kind;
use crate::model::lost_request::LostRequest;

/// The request that has ended a worker, as far as the worker has told.
#[derive(Debug, Clone)]
pub(crate) struct Culprit {
    pub id: RequestId,
    /// Its name, and whether it had been answered.
    pub name: Option<(RequestName, bool)>,
}

impl Culprit {
    /// Whether it is this request. All requests that an app makes in the course of another one have the id of that one, so the
    /// name has to be the same as well.
    pub(crate) fn is(&self, request: &LostRequest) -> bool {
        let path = request.target.split('?').next().unwrap_or_default();
        let is_called = |name: &RequestName| {
            kind::cut(&name.method, kind::METHOD) == request.method && is_same(path, &name.path)
        };
        request.id == self.id.to_string() && self.name.as_ref().is_none_or(|(name, _)| is_called(name))
    }
}

/// Whether two paths are the same, as far as neither was truncated.
fn is_same(one: &str, other: &str) -> bool {
    let begin = |path: &'_ str| path.strip_suffix(kind::CUT).map(|begin| begin.trim_end().len());
    match (begin(one), begin(other)) {
        (None, None) => one == other,
        (one_kept, other_kept) => {
            let kept = one_kept.into_iter().chain(other_kept).min();
            kept.is_some_and(|kept| one.get(..kept).is_some_and(|begin| other.get(..kept) == Some(begin)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_culprit_is_the_request_of_its_id_and_of_its_name_as_far_as_that_is_known() {
        let request = |target: &str| LostRequest::new(RequestId(1), "GET", target);
        let long = format!("/{}", "é".repeat(1000));
        let culprit = |path: &str| Culprit {
            id: RequestId(1),
            name: Some((RequestName { method: "GET".into(), path: path.into() }, false)),
        };
        assert!(Culprit { id: RequestId(1), name: None }.is(&request("/a")));
        assert!(!Culprit { id: RequestId(2), name: None }.is(&request("/a")));
        for (path, target) in [
            ("/a", "/a"),
            ("/a", "/a?b"),
            ("/a/b ...", "/a/bc"),
            (&long[..31], &long[..31]),
            (&format!("{} ...", &long[..301]), &long),
            (&format!("{} ...", &long[..101]), &long),
            (&long[..301], &long[..301]),
        ] {
            assert!(culprit(path).is(&request(target)), "{path} {target}");
        }
        for (path, target) in
            [("/a", "/b"), ("/a", "/ab"), ("/ab", "/a"), ("/a/b ...", "/a"), ("/x ...", &long), ("/a", &long)]
        {
            assert!(!culprit(path).is(&request(target)), "{path} {target}");
        }
        assert!(!culprit("/a").is(&LostRequest::new(RequestId(1), "POST", "/a")));
    }
}
