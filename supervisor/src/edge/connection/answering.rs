//! Who answers the requests of one connection, whatever it speaks.

use std::cell::Cell;
use std::rc::Rc;

use hyper::{Request, Response};

use crate::edge::client::Client;
use crate::edge::client::peer::Peer;
use crate::edge::client::serving::Serving;
use crate::edge::proxy::Proxy;
use crate::edge::proxy::body::ResponseBody;
use crate::edge::proxy::upload::RequestBody;

/// Who answers the requests of one connection.
#[derive(Debug)]
pub(crate) struct Answering {
    pub proxy: Rc<Proxy>,
    /// Where it leads from and to.
    pub peer: Peer,
    /// Its state.
    pub client: Rc<Client>,
    /// Whether the address it came through is being closed.
    pub is_closing: Rc<Cell<bool>>,
}

impl Answering {
    /// A request has been read; its answer.
    pub(crate) fn answer<B: RequestBody>(
        self: &Rc<Self>,
        request: Request<B>,
    ) -> impl Future<Output = Response<ResponseBody>> + use<B> {
        let (answering, serving) = (self.clone(), Serving::new(&self.client));
        async move { answering.proxy.answer(request, &answering.peer, serving).await }
    }
}
