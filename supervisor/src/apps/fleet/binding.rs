//! Binds listening addresses that are missing, and hands sockets over to a successor.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::os::fd::{OwnedFd, RawFd};

use tracing::info;

use super::Fleet;
use super::wanted::{Bound, WantedApp};
use crate::apps::inherited::HandedSocket;
use crate::apps::sockets::{self, Listening};
use crate::model::ids::AppId;
use crate::model::ids::ListenerId;

impl Fleet {
    /// Binds the missing addresses. Returns the new sockets, and the apps whose address could not be bound.
    pub(super) fn bind(&self, wanted: &[WantedApp]) -> Bound {
        let io_threads = self.shared.io_threads.count();
        let apps: Vec<_> = wanted.iter().map(|wanted| (wanted.app, &*wanted.spec)).collect();
        let name =
            |app: &AppId| apps.iter().find(|(found, _)| found == app).map(|(_, spec)| spec.name.as_str());
        let (mut sockets, mut bound, mut failed) = (HashMap::new(), Vec::new(), Vec::new());
        for slot in
            sockets::assign(&self.listening.borrow(), &apps).into_iter().filter(|slot| slot.bound.is_none())
        {
            let names: Vec<_> = slot.apps.iter().filter_map(name).collect();
            let claimed = self.inherited.claim(&slot.listen, &names, io_threads);
            let found = claimed.and_then(|claimed| match claimed {
                Some(sockets) => sockets::bound(sockets),
                None => sockets::bind(&slot.listen, &names.join(", "), io_threads),
            });
            let (address, mine) = match found {
                Ok(found) => found,
                Err(error) => {
                    let copy = || io::Error::new(error.kind(), error.to_string());
                    failed.extend(slot.apps.iter().map(|app| (*app, copy())));
                    continue;
                }
            };
            info!(%address, apps = names.join(","), "listening");
            let id = ListenerId(self.last_listener.get() + 1);
            self.last_listener.set(id.0);
            let copies = mine.iter().filter_map(|socket| socket.try_clone().ok()).collect();
            self.sockets.borrow_mut().insert(id, copies);
            sockets.insert(id, mine);
            bound.push(Listening { id, listen: slot.listen, address, apps: slot.apps });
        }
        self.listening.borrow_mut().extend(bound);
        Bound { sockets, failed }
    }

    /// Closes sockets that were bound for a change that has failed.
    pub(super) fn let_go(&self, sockets: &HashMap<ListenerId, Vec<TcpListener>>) {
        self.listening.borrow_mut().retain(|bound| !sockets.contains_key(&bound.id));
        self.sockets.borrow_mut().retain(|id, _| !sockets.contains_key(id));
    }

    /// Copies all listening sockets for a successor. `hand` returns the descriptor number that each will have there.
    ///
    /// # Errors
    /// Fails if the process has no descriptors left.
    pub(crate) fn hand_over(&self, mut hand: impl FnMut(OwnedFd) -> RawFd) -> io::Result<Vec<HandedSocket>> {
        let (listening, sockets, members) =
            (self.listening.borrow(), self.sockets.borrow(), self.members.borrow());
        let name = |app: &AppId| {
            let member = members.iter().find(|member| member.app == *app)?;
            Some(member.spec.name.to_string())
        };
        let handed = listening.iter().filter_map(|bound| Some((bound, sockets.get(&bound.id)?)));
        let handed = handed.map(|(bound, sockets)| {
            let copies = sockets.iter().map(|socket| Ok(hand(socket.try_clone()?.into())));
            Ok(HandedSocket {
                listen: bound.listen.to_string(),
                apps: bound.apps.iter().filter_map(name).collect(),
                descriptors: copies.collect::<io::Result<_>>()?,
            })
        });
        handed.collect()
    }
}
