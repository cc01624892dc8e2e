//! Which rows hold sealed records, and in which place each was sealed: so that a record can be sealed anew by whoever
//! knows nothing of it but its row.

use strongroom_ambient::Ambient;
use strongroom_keyring::{Kind, OpenError, Sealer};
use strongroom_model::{FolderId, ObjectId};
use strongroom_store::RowKey;

/// Tables of records that lie in no folder and are sealed under the partition's system keyset. Their object is the last
/// 16 bytes of their row's key.
pub(crate) const SINGLES: &[(u8, Kind)] = &[
    (0x07, Kind::KeyMap),
    (0x09, Kind::User),
    (0x0a, Kind::Credential),
    (0x0b, Kind::Token),
    (0x0c, Kind::Outcome),
    (0x0e, Kind::Clock),
    (0x0f, Kind::CheckpointKey),
    (0x11, Kind::Group),
    (0x12, Kind::Acl),
    (0x13, Kind::Password),
    (0x15, Kind::Job),
    (0x18, Kind::Sharing),
];

/// Tables of records in folders, sealed under the folder's keyset.
pub(crate) const ENTRIES: u8 = 0x04;
pub(crate) const VERSIONS: u8 = 0x05;
pub(crate) const COUNTS: u8 = 0x08;

/// Where the record of a row was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealedAt {
    /// The folder; `None` of a single record.
    pub(crate) folder: Option<FolderId>,
    pub(crate) kind: Kind,
    object: ObjectId,
    version: u64,
    /// Bytes in the clear before the record.
    clear: usize,
}

impl SealedAt {
    /// The place of a row's record; `None` of a row that holds none.
    pub(crate) fn of(key: &RowKey, value: &[u8]) -> Option<Self> {
        let (table, rest) = key.as_bytes().split_first()?;
        let in_folder = |kind, object, version, clear| {
            let folder = rest.get(..16).and_then(FolderId::from_slice)?;
            Some(Self { folder: Some(folder), kind, object, version, clear })
        };
        match *table {
            ENTRIES => in_folder(Kind::Entry, ObjectId::from_slice(value.get(..16)?)?, 0, 16),
            VERSIONS => {
                let object = ObjectId::from_slice(rest.get(16..32)?)?;
                let version = u64::from_be_bytes(rest.get(32..40)?.try_into().ok()?);
                in_folder(Kind::SecretVersion, object, version, 0)
            }
            COUNTS => in_folder(Kind::Count, ObjectId::from_slice(rest.get(..16)?)?, 0, 0),
            table => {
                let (_, kind) = SINGLES.iter().find(|(single, _)| *single == table)?;
                let object = ObjectId::from_slice(rest.get(rest.len().checked_sub(16)?..)?)?;
                Some(Self { folder: None, kind: *kind, object, version: 0, clear: 0 })
            }
        }
    }

    /// The folder whose keyset seals a row, if it lies in one; for changes whose value is not known yet.
    pub(crate) fn folder_of(key: &RowKey) -> Option<FolderId> {
        let (table, rest) = key.as_bytes().split_first()?;
        let in_folder = matches!(*table, ENTRIES | VERSIONS | COUNTS);
        rest.get(..16).filter(|_| in_folder).and_then(FolderId::from_slice)
    }

    /// The term of the record in a row's value.
    pub(crate) fn term(&self, value: &[u8]) -> Option<u32> {
        Sealer::term_of(value.get(self.clear..)?)
    }

    /// Opens the record in a row's value, and forgets what it says.
    pub(crate) fn open(&self, sealer: &Sealer, value: &[u8]) -> Result<(), OpenError> {
        let record = value.get(self.clear..).ok_or(OpenError::Malformed)?;
        sealer.open(&self.object, self.version, record).map(drop)
    }

    /// The row's value with its record sealed anew under the sealer's write term.
    pub(crate) fn reseal(
        &self,
        sealer: &Sealer,
        ambient: &Ambient,
        value: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        let (clear, record) = value.split_at_checked(self.clear).ok_or(OpenError::Malformed)?;
        let plain = sealer.open(&self.object, self.version, record)?;
        let mut fresh = Vec::with_capacity(value.len());
        fresh.extend_from_slice(clear);
        plain.expose(|plain| sealer.seal_into(ambient, &self.object, self.version, plain, &mut fresh));
        Ok(fresh)
    }
}
