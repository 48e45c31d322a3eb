//! Responses that are made of fetched ones: the most ordinary code of a proxy, held against what workerd makes of it.

use hyper::header::CONTENT_LENGTH;
use hyper::{Method, Response};

use crate::harness::Origin;
use crate::harness::origin::whole;
use crate::harness::workerd::Both;

#[tokio::test]
async fn a_fetched_response_is_passed_on_as_in_workerd() {
    let origin = Origin::http(|request| async move {
        let body = if request.method() == Method::HEAD { "" } else { "from upstream" };
        Response::builder().header(CONTENT_LENGTH, 13).header("x-own", "1").body(whole(body)).unwrap()
    })
    .await;
    let app = "export default { async fetch(request, env) {
        const response = await fetch(env.UP, { method: request.method });
        return new Response(response.body, response);
    } }";
    let Some(both) = Both::serve(app, origin.address).await else { return };
    for method in ["GET", "HEAD"] {
        let [ours, theirs] = both.send(method, "/", &[], "").await.map(Result::unwrap);
        for reply in [&ours, &theirs] {
            assert_eq!((reply.status, &*reply.reason), (200, "OK"), "{method}");
            assert_eq!((reply.header("content-length"), reply.header("x-own")), ("13", "1"), "{method}");
        }
        assert_eq!(ours.body, theirs.body, "{method}");
    }
}
