//! The sharing system as a resource: all of it, a member or group by name, the member who asks.

use super::{Resource, open};
use crate::admit::Gate;
use crate::sharing::{SharingView, member_of};
use std::sync::Arc;
use strongroom_authz::Target;
use strongroom_barrier::{BarrierError, Opened};
use strongroom_model::{Caller, Credential};
use strongroom_sharing::MemberId;

/// The sharing system.
#[derive(Debug, Clone)]
pub struct Sharing {
    about: String,
    caller: Option<(MemberId, Credential)>,
}

impl Sharing {
    /// All of it: listings, the manifest, the server's own work.
    pub fn whole() -> Self {
        Self { about: String::new(), caller: None }
    }

    /// A member, a group, a right: `about` is its name as it is registered.
    pub fn named(about: impl Into<String>) -> Self {
        Self { about: about.into(), caller: None }
    }

    /// Whoever asks, as a member.
    pub fn own(caller: &Caller) -> Self {
        let about =
            caller.principal.as_ref().map_or_else(String::new, |principal| principal.name.to_string());
        Self { about, caller: member_of(caller) }
    }
}

impl Resource for Sharing {
    type Resolved = SharingView;

    fn describe(&self) -> String {
        self.about.clone()
    }

    fn target(&self) -> Target<'_> {
        if self.about.is_empty() { Target::Server } else { Target::Other(&self.about) }
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<SharingView>, BarrierError> {
        let opened = open(opened)?;
        let state = gate.sharing_state(&opened).await?;
        Ok(Some(SharingView::new(gate, opened, state, self.about, self.caller)))
    }
}
