//! What every command is given: who asks, and the fields.

use crate::Door;
use crate::fault::Fault;
use crate::request::Fields;
use crate::table::Command;
use parking_lot::Mutex;
use strongroom_identity::{IdentityError, Offer, TOKEN_PREFIX};
use strongroom_model::{Caller, Name, UserId};
use zeroize::Zeroizing;

/// A request on its way to its command. Its fields are read by way of it: `asked.text("user_name")?`.
pub(crate) struct Asked<'t> {
    pub(crate) door: &'t Door,
    pub(crate) caller: Caller,
    pub(crate) fields: Fields<'t>,
    /// Where `authorize` leaves what its second step is about.
    pub(crate) offer: &'t Mutex<Option<Offer>>,
}

impl<'t> std::ops::Deref for Asked<'t> {
    type Target = Fields<'t>;

    fn deref(&self) -> &Fields<'t> {
        &self.fields
    }
}

impl Asked<'_> {
    /// Makes a caller of the bearer of a token, who also names an access key of theirs.
    pub(crate) async fn authenticate(&mut self, command: Command) -> Result<(), Fault> {
        let credential = |field: &str| -> Result<String, Fault> {
            self.optional_text(field)?.ok_or_else(|| Fault::no_credential(field))
        };
        let (key, token) = (credential("access_key_id")?, Zeroizing::new(credential("auth_token")?));
        if !self.door.gate.is_unlocked() {
            return Err(Fault::locked());
        }
        let token = Zeroizing::new(token.to_ascii_lowercase());
        match self.door.identity.authenticate_with_key(&mut self.caller, &token, &key).await {
            Err(IdentityError::Unauthenticated) => {
                self.door.identity.turn_away(&self.caller, command.action()).await?;
                let told = Fault::from(IdentityError::Unauthenticated);
                Err(if is_token(&token) { told } else { Fault::no_token() })
            }
            Ok(()) if !(self.door.is_paced)(self.user()) => Err(Fault::paced()),
            outcome => Ok(outcome?),
        }
    }

    /// The caller's user.
    pub(crate) fn user(&self) -> UserId {
        self.caller.principal.as_ref().map(|principal| principal.user).unwrap_or_default()
    }

    /// A name that must be there: of a user, a store.
    pub(crate) fn name(&self, field: &str) -> Result<Name, Fault> {
        name(field, &self.text(field)?)
    }
}

/// Whether a text looks like a token: one of this protocol's, or of the core's own.
fn is_token(text: &str) -> bool {
    text.starts_with(TOKEN_PREFIX) || text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An id as this protocol writes it: 32 digits and no dashes.
pub(crate) fn bare_id(id: &impl std::fmt::Display) -> String {
    id.to_string().replace('-', "")
}

/// A text as a name.
pub(crate) fn name(field: &str, text: &str) -> Result<Name, Fault> {
    Name::new(text).map_err(|fault| Fault::value(&format!("{field}: {fault}")))
}
