//! Answers the requests of one connection, whichever protocol it speaks.

use std::rc::Rc;

use hyper::{Request, Response};

use crate::edge::client::Client;
use crate::edge::client::peer::Peer;
use crate::edge::client::serving::Serving;
use crate::edge::proxy::Proxy;
use crate::edge::proxy::body::ResponseBody;
use crate::edge::proxy::upload::RequestBody;

/// What is needed to answer the requests of one connection.
#[derive(Debug)]
pub(crate) struct Answering {
    pub proxy: Rc<Proxy>,
    pub peer: Peer,
    pub client: Rc<Client>,
}

impl Answering {
    /// Answers a request whose head has been read, and passes the response to `then`. That is not left to the caller, because an
    /// `async` block around this future would be twice as large, and hyper moves it for each request.
    pub(crate) fn answer<B: RequestBody, R, F: FnOnce(Response<ResponseBody>) -> R>(
        self: &Rc<Self>,
        request: Request<B>,
        then: F,
    ) -> impl Future<Output = R> + use<B, R, F> {
        let (answering, serving) = (self.clone(), Serving::new(&self.client));
        async move { then(answering.proxy.answer(request, &answering.peer, serving).await) }
    }
}
