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
    /// Answers a request whose head has been read.
    pub(crate) fn answer<B: RequestBody>(
        self: &Rc<Self>,
        request: Request<B>,
    ) -> impl Future<Output = Response<ResponseBody>> + use<B> {
        let (answering, serving) = (self.clone(), Serving::new(&self.client));
        async move { answering.proxy.answer(request, &answering.peer, serving).await }
    }
}
