//! An entry: `format u8 | flags u8 | request id 16 | body`, the body sealed when there is a key.

use strongroom_ambient::{Ambient, UnixMillis};
use strongroom_barrier::{Reader, Writer};
use strongroom_keyring::Sealer;
use strongroom_model::{Action, CredentialId, ObjectId, RequestId, TokenId, UserId};
use strongroom_secret::SecretBytes;

const FORMAT: u8 = 1;
const PLAIN: u8 = 0;
const SEALED: u8 = 1;
const HEADER_BYTES: usize = 18;

/// A name, where names are kept.
fn keep(named: bool, text: &str) -> &[u8] {
    if named { text.as_bytes() } else { &[] }
}

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $code:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$of])* $variant = $code,)*
        }

        impl $name {
            /// Its number in the trail.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// From its number.
            pub fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// For people.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

coded! {
    /// What became of an operation. Numbers are part of the format.
    Verdict {
        /// A change was made.
        Done = 1, "done";
        /// What was asked for was given up.
        Released = 2, "released";
        /// There was nothing to give up.
        NotFound = 3, "not_found";
        /// The rules, or the state, did not allow it.
        Refused = 4, "refused";
        /// It was allowed and did not happen.
        Failed = 5, "failed";
        /// It was allowed and never tried.
        Abandoned = 6, "abandoned";
    }
}

coded! {
    /// What was decided. Numbers are part of the format.
    Decision {
        /// A rule allows it.
        Allowed = 1, "allowed";
        /// A rule denies it, or none allows it.
        Refused = 2, "refused";
    }
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The user.
    pub user: UserId,
    /// The user's name then.
    pub name: String,
    /// The access key, if one was used.
    pub key: Option<CredentialId>,
    /// The token, if one was used.
    pub token: Option<TokenId>,
}

/// One entry, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The request.
    pub request: RequestId,
    /// When it was decided.
    pub time: UnixMillis,
    /// What was asked.
    pub action: Action,
    /// What was decided.
    pub decision: Decision,
    /// Who asked, if anybody proved anything.
    pub who: Option<Who>,
    /// From where.
    pub origin: String,
    /// What it was about: never a value.
    pub resource: String,
    /// The rule that decided.
    pub rule: String,
    /// More, for people: never a value.
    pub note: String,
}

/// An entry that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Of an impossible shape.
    #[error("malformed entry")]
    Malformed,
    /// Sealed, and the trail is locked.
    #[error("entry is sealed")]
    Sealed,
    /// Sealed, and does not open.
    #[error("entry does not open")]
    Rejected,
}

impl Record {
    /// Encodes, sealed if there is a key. Without one the entry keeps no name: resource, rule's subject, user name
    /// and note are dropped, ids stay.
    pub fn encode(&self, ambient: &Ambient, trail: Option<&Sealer>) -> Vec<u8> {
        let flags = if trail.is_some() { SEALED } else { PLAIN };
        let body = SecretBytes::new(self.body(trail.is_some()));
        let header = Writer::with_capacity(HEADER_BYTES + body.len() + 64).u8(FORMAT).u8(flags);
        let mut out = header.raw(&self.request.0).finish();
        match trail {
            Some(sealer) => {
                body.expose(|bytes| sealer.seal_into(ambient, &ObjectId(self.request.0), 0, bytes, &mut out));
            }
            None => body.expose(|bytes| out.extend_from_slice(bytes)),
        }
        out
    }

    fn body(&self, named: bool) -> Vec<u8> {
        let text = |text: &str| if named { text.len() } else { 0 };
        let size = 160 + self.origin.len() + text(&self.resource) + self.rule.len() + text(&self.note);
        let mut writer = Writer::with_capacity(size)
            .i64(self.time.0)
            .raw(&self.action.code().to_be_bytes())
            .u8(self.decision.code())
            .u8(u8::from(self.who.is_some()));
        if let Some(who) = &self.who {
            writer = writer
                .raw(&who.user.0)
                .raw(&who.key.unwrap_or_default().0)
                .raw(&who.token.unwrap_or_default().0)
                .bytes(keep(named, &who.name));
        }
        writer
            .bytes(self.origin.as_bytes())
            .bytes(keep(named, &self.resource))
            .bytes(self.rule.as_bytes())
            .bytes(keep(named, &self.note))
            .finish()
    }

    /// The request id of an entry: in the clear, so that an unknown outcome can be resolved.
    pub fn request_of(entry: &[u8]) -> Option<RequestId> {
        RequestId::from_slice(entry.get(2..HEADER_BYTES)?)
    }

    /// Opens an entry.
    pub fn decode(entry: &[u8], trail: Option<&Sealer>) -> Result<Self, EntryError> {
        let (header, body) = entry.split_at_checked(HEADER_BYTES).ok_or(EntryError::Malformed)?;
        let request = Self::request_of(entry).ok_or(EntryError::Malformed)?;
        match header {
            [FORMAT, PLAIN, ..] => Self::parse(request, body).ok_or(EntryError::Malformed),
            [FORMAT, SEALED, ..] => trail
                .ok_or(EntryError::Sealed)?
                .open(&ObjectId(request.0), 0, body)
                .map_err(|_| EntryError::Rejected)?
                .expose(|bytes| Self::parse(request, bytes))
                .ok_or(EntryError::Malformed),
            _ => Err(EntryError::Malformed),
        }
    }

    fn parse(request: RequestId, body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let time = UnixMillis(reader.i64()?);
        let action = Action::from_code(u16::from_be_bytes(reader.array()?))?;
        let decision = Decision::from_code(reader.u8()?)?;
        let who = match reader.u8()? {
            0 => None,
            1 => Some(Self::parse_who(&mut reader)?),
            _ => return None,
        };
        let mut text = || reader.text().map(str::to_owned);
        let record = Self {
            request,
            time,
            action,
            decision,
            who,
            origin: text()?,
            resource: text()?,
            rule: text()?,
            note: text()?,
        };
        reader.rest().is_empty().then_some(record)
    }

    fn parse_who(reader: &mut Reader<'_>) -> Option<Who> {
        let user = UserId(reader.array()?);
        let key = Some(CredentialId(reader.array()?)).filter(|id| *id != CredentialId::default());
        let token = Some(TokenId(reader.array()?)).filter(|id| *id != TokenId::default());
        Some(Who { user, key, token, name: reader.text()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use strongroom_keyring::{Keyset, Kind, Place};
    use strongroom_model::{FolderId, KeysetId, PartitionId};

    fn ambient() -> Ambient {
        Ambient {
            clock: std::sync::Arc::new(strongroom_ambient::FakeClock::at(UnixMillis(5))),
            entropy: std::sync::Arc::new(strongroom_ambient::SeededEntropy::new(9)),
        }
    }

    fn sealer() -> Sealer {
        let keyset = Keyset::generate(&ambient(), KeysetId([1; 16]));
        Sealer::new(
            &keyset,
            Place { partition: PartitionId([2; 16]), folder: FolderId([0; 16]), kind: Kind::Trail },
        )
    }

    fn record() -> Record {
        Record {
            request: RequestId([3; 16]),
            time: UnixMillis(1_700_000_000_000),
            action: Action::GetSecret,
            decision: Decision::Allowed,
            who: Some(Who {
                user: UserId([4; 16]),
                name: "root".into(),
                key: Some(CredentialId([5; 16])),
                token: None,
            }),
            origin: "127.0.0.1".into(),
            resource: "web/db/password".into(),
            rule: "root may do anything".into(),
            note: "version 3".into(),
        }
    }

    #[test]
    fn a_sealed_entry_opens_to_what_it_was_and_shows_no_name() {
        let entry = record().encode(&ambient(), Some(&sealer()));
        assert_eq!(Record::decode(&entry, Some(&sealer())), Ok(record()));
        assert_eq!(Record::request_of(&entry), Some(RequestId([3; 16])));
        for name in ["root", "web", "127.0.0.1", "version"] {
            assert!(!entry.windows(name.len()).any(|window| window == name.as_bytes()), "{name}");
        }
        assert_eq!(Record::decode(&entry, None), Err(EntryError::Sealed));
    }

    #[test]
    fn an_entry_made_while_locked_keeps_no_name() {
        let entry = record().encode(&ambient(), None);
        let opened = Record::decode(&entry, None).unwrap();
        assert_eq!((opened.resource.as_str(), opened.note.as_str()), ("", ""));
        assert_eq!(opened.who.unwrap().name, "");
        assert_eq!(opened.origin, "127.0.0.1");
    }

    #[test]
    fn an_entry_under_another_request_does_not_open() {
        let mut entry = record().encode(&ambient(), Some(&sealer()));
        entry[5] ^= 1;
        assert_eq!(Record::decode(&entry, Some(&sealer())), Err(EntryError::Rejected));
    }

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Record::decode(&bytes, Some(&sealer())).is_ok();
            let mut plain = vec![FORMAT, PLAIN];
            plain.extend(bytes);
            let _ = Record::decode(&plain, None).is_ok();
        }
    }
}
