//! Reading everybody at unlock, and again after a commit of unknown outcome.

use super::directory::{Directory, State};
use super::records::{AclRecord, CredentialRecord, GroupRecord, PasswordRecord, TokenRecord, UserRecord};
use super::tokens::Tokens;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use strongroom_barrier::{BarrierError, Folder, Opened, keys};
use strongroom_keyring::Kind;
use strongroom_model::{AclId, CredentialId, GroupId, Name, ObjectId, UserId};
use strongroom_store::Range;

const PAGE: usize = 1_000;

impl Directory {
    /// Reads users, groups and credentials. One damaged user or group, and nothing is opened: what it would have
    /// denied must not be allowed. A damaged credential or token only holds for nobody.
    pub(crate) async fn load(opened: &Opened) -> Result<Self, BarrierError> {
        let directory = Self::default();
        directory.read(opened).await?;
        Ok(directory)
    }

    /// Reads everything anew, in place of what is known.
    pub(crate) async fn read(&self, opened: &Opened) -> Result<(), BarrierError> {
        let _alone = self.hold.write().await;
        let partition = opened.partition();
        let mut state = State::default();
        each(opened, keys::acls(partition), Kind::Acl, AclRecord::decode, |id, record| {
            record.map(|record| drop(state.acls.insert(AclId(id), Arc::new(record))))
        })
        .await?;
        each(opened, keys::groups(partition), Kind::Group, GroupRecord::decode, |id, record| {
            record.map(|record| state.put_group(GroupId(id), record))
        })
        .await?;
        each(opened, keys::users(partition), Kind::User, UserRecord::decode, |id, record| {
            record.map(|record| state.put_user(UserId(id), record))
        })
        .await?;
        let named = state.users.values().map(|user| (&user.record.name, user.id.0));
        check_names(&opened.users, Kind::User, named.collect()).await?;
        let named = state.groups.values().map(|group| (&group.record.name, group.id.0));
        check_names(&opened.groups, Kind::Group, named.collect()).await?;
        let named = state.acls.iter().map(|(id, record)| (record.acl.name(), id.0));
        check_names(&opened.acls, Kind::Acl, named.collect()).await?;
        read_credentials(opened, &mut state).await?;
        let number = crate::policy::changes_of_people(opened).await?;
        let tokens = read_tokens(opened, &state).await?;
        *self.state.write() = state;
        *self.tokens.write() = tokens;
        self.number.store(number, Ordering::Release);
        Ok(())
    }
}

/// Each record of a table, in order; `take` may refuse one that does not open.
pub(crate) async fn each<T>(
    opened: &Opened,
    prefix: Vec<u8>,
    kind: Kind,
    decode: impl Fn(&[u8]) -> Option<T>,
    mut take: impl FnMut([u8; 16], Result<T, BarrierError>) -> Result<(), BarrierError>,
) -> Result<(), BarrierError> {
    let mut after = None;
    loop {
        let range = Range { after, ..Range::prefix(prefix.clone(), PAGE) };
        let rows = opened.store().list(range).await?;
        let Some(last) = rows.last().map(|row| row.key.clone()) else { return Ok(()) };
        for row in rows {
            let id = keys::id_of(&row.key).unwrap_or_default();
            let plain = match opened.open_single(kind, id, &row.value) {
                Ok(plain) => Ok(plain),
                // perhaps sealed anew since it was listed, and its term retired
                Err(_) => match opened.read_single(kind, id, &row.key).await {
                    Ok(Some(plain)) => Ok(plain),
                    Ok(None) => continue,
                    Err(fault) => Err(fault),
                },
            };
            let record = plain.and_then(|plain| {
                let damaged = || BarrierError::corrupt(format!("{kind:?} {}", ObjectId(id)));
                plain.expose(&decode).ok_or_else(damaged)
            });
            take(id, record)?;
        }
        after = Some(last);
    }
}

/// Every record has its entry, and every entry its record.
async fn check_names(folder: &Folder, kind: Kind, named: Vec<(&Name, [u8; 16])>) -> Result<(), BarrierError> {
    for (name, id) in &named {
        if folder.find(name.as_str()).await?.is_none_or(|head| head.object.0 != *id) {
            return Err(BarrierError::corrupt(format!(
                "{kind:?} {} has a record and no entry",
                ObjectId(*id)
            )));
        }
    }
    let (count, _) = folder.count().await?;
    if usize::try_from(count) != Ok(named.len()) {
        let found = named.len();
        return Err(BarrierError::corrupt(format!("{count} entries of kind {kind:?} have {found} records")));
    }
    Ok(())
}

async fn read_credentials(opened: &Opened, state: &mut State) -> Result<(), BarrierError> {
    let (partition, users) = (opened.partition(), &mut *state);
    let key = |id, record: Result<CredentialRecord, BarrierError>| {
        if let Some(record) = readable(record) {
            users.change_credentials(record.user, |person| person.keys.push(CredentialId(id)));
        }
        Ok(())
    };
    each(opened, keys::credentials(partition), Kind::Credential, CredentialRecord::decode, key).await?;
    let password = |user, record: Result<PasswordRecord, BarrierError>| {
        if let Some(record) = readable(record) {
            state.change_credentials(UserId(user), |person| person.password = Some(record.id));
        }
        Ok(())
    };
    each(opened, keys::passwords(partition), Kind::Password, PasswordRecord::decode, password).await
}

async fn read_tokens(opened: &Opened, state: &State) -> Result<Tokens, BarrierError> {
    let mut tokens = Tokens::default();
    let prefix = keys::tokens(opened.partition());
    each(opened, prefix, Kind::Token, TokenRecord::decode, |_, record| {
        if let Some(token) = readable(record)
            && state.users.get(&token.user).is_some_and(|person| person.backs(&token))
        {
            tokens.insert(token);
        }
        Ok(())
    })
    .await?;
    Ok(tokens)
}

/// What holds for nobody if it is damaged.
fn readable<T>(record: Result<T, BarrierError>) -> Option<T> {
    record.inspect_err(|fault| tracing::error!(%fault, "it does not hold for anybody")).ok()
}

/// The directory that a caller of an unlocked gate sees.
pub(crate) fn known(directory: Option<Arc<Directory>>) -> Result<Arc<Directory>, BarrierError> {
    directory.ok_or(BarrierError::Locked)
}
