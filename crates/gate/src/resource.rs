//! Resources: what a permit can be about, and the views that it opens.

mod acls;
mod keyset;
mod people;
mod rules;
mod secret;
mod sharing;
mod store;

pub use acls::{AclNamed, Acls, Attachment, HolderNamed};
pub use keyset::{Job, Jobs, Keyset, KeysetView, Keysets, KeysetsView};
pub use people::{Group, Groups, KeyHolder, Membership, Own, People, Token, User, Users};
pub use rules::{Rules, RulesView};
pub use secret::{FolderView, Secret, SecretLivesView, SecretReadView, SecretWriteView, StoreFolder};
pub use sharing::Sharing;
pub use store::{Store, StoreReadView, StoreWriteView, Stores, StoresView};

use crate::admit::Gate;
use crate::seer::Seer;
use crate::server_view::ServerView;
use crate::trail_view::TrailView;
use std::future::Future;
use std::sync::Arc;
use strongroom_authz::Target;
use strongroom_barrier::{BarrierError, Opened};
use strongroom_model::Action as ActionCode;

/// An action is a type: of one kind of resource, opening one kind of view. Engines declare theirs.
pub trait Action: Send + Sync + 'static {
    /// Its code in rules and trail.
    const CODE: ActionCode;
    /// What it is about.
    type Resource: Resource;
    /// What its permit opens.
    type View: From<<Self::Resource as Resource>::Resolved> + Send;
}

/// Declares an engine's actions: a type each, `Name = Code: Resource => View;`.
#[macro_export]
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $code:ident: $resource:ty => $view:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl $crate::Action for $name {
            const CODE: $crate::ActionCode = $crate::ActionCode::$code;
            type Resource = $resource;
            type View = $view;
        }
    )*};
}

/// Something that an action can be about, as a caller named it.
pub trait Resource: Sized + Send {
    /// The thing itself.
    type Resolved: Send;

    /// Its path, for the trail.
    fn describe(&self) -> String;

    /// What it is, for the rules.
    fn target(&self) -> Target<'_>;

    /// Finds it. `None`: there is no such thing.
    fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> impl Future<Output = Result<Option<Self::Resolved>, BarrierError>> + Send;

    /// Of what is listed name by name, or given out piece by piece: the view shows what the caller sees, for as long as the
    /// right lasts.
    fn shown_to(_: &mut Self::Resolved, _: impl FnOnce() -> Seer) {}
}

fn open(opened: Option<Arc<Opened>>) -> Result<Arc<Opened>, BarrierError> {
    opened.ok_or(BarrierError::Locked)
}

/// The server itself.
#[derive(Debug, Clone, Copy)]
pub struct Server;

impl Resource for Server {
    type Resolved = ServerView;

    fn describe(&self) -> String {
        String::new()
    }

    fn target(&self) -> Target<'_> {
        Target::Server
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<ServerView>, BarrierError> {
        Ok(Some(ServerView { gate: Arc::clone(gate), opened, seer: None }))
    }

    fn shown_to(view: &mut ServerView, seer: impl FnOnce() -> Seer) {
        view.seer = Some(seer());
    }
}

/// The trail.
#[derive(Debug, Clone, Copy)]
pub struct Trail;

impl Resource for Trail {
    type Resolved = TrailView;

    fn describe(&self) -> String {
        "trail".to_owned()
    }

    fn target(&self) -> Target<'_> {
        Target::Server
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<TrailView>, BarrierError> {
        Ok(Some(TrailView { gate: Arc::clone(gate), opened: open(opened)?, seer: None }))
    }

    fn shown_to(view: &mut TrailView, seer: impl FnOnce() -> Seer) {
        view.seer = Some(seer());
    }
}
