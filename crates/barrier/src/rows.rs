//! Row keys: one byte of table, then ids. Part of the format (`docs/formats/rows.md`).

/// Row keys, one function a table.
pub mod keys {
    use strongroom_model::{
        AclId, CredentialId, FolderId, GroupId, JobId, KeysetId, ObjectId, PartitionId, RequestId, StoreId,
        UserId,
    };
    use strongroom_store::RowKey;

    fn key(table: u8, parts: &[&[u8]]) -> RowKey {
        match RowKey::new(prefix(table, parts)) {
            Ok(key) => key,
            Err(_) => unreachable!("row keys here have 1 to 41 bytes"),
        }
    }

    fn prefix(table: u8, parts: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
        bytes.push(table);
        for part in parts {
            bytes.extend_from_slice(part);
        }
        bytes
    }

    /// The root record: what unlock keys wrap.
    pub fn root() -> RowKey {
        key(0x01, &[])
    }

    /// When a set of unlock keys was made.
    pub fn unlock_set(id: [u8; 8]) -> RowKey {
        key(0x01, &[&id])
    }

    /// All partitions.
    pub fn partitions() -> Vec<u8> {
        prefix(0x02, &[])
    }

    /// A partition.
    pub fn partition(id: PartitionId) -> RowKey {
        key(0x02, &[&id.0])
    }

    /// All rows of partitions under a root key that is not in force yet.
    pub fn all_beside() -> Vec<u8> {
        prefix(0x14, &[])
    }

    /// A partition under a root key that is not in force yet.
    pub fn beside(id: PartitionId) -> RowKey {
        key(0x14, &[&id.0])
    }

    /// A partition's keysets.
    pub fn keysets(partition: PartitionId) -> Vec<u8> {
        prefix(0x03, &[&partition.0])
    }

    /// A keyset.
    pub fn keyset(partition: PartitionId, id: KeysetId) -> RowKey {
        key(0x03, &[&partition.0, &id.0])
    }

    /// A folder's directory entries.
    pub fn entries(folder: FolderId) -> Vec<u8> {
        prefix(0x04, &[&folder.0])
    }

    /// A directory entry, under its name's hash.
    pub fn entry(folder: FolderId, hash: &[u8; 16]) -> RowKey {
        key(0x04, &[&folder.0, hash])
    }

    /// All versions of all objects of a folder.
    pub fn folder_versions(folder: FolderId) -> Vec<u8> {
        prefix(0x05, &[&folder.0])
    }

    /// All versions of an object.
    pub fn versions(folder: FolderId, object: ObjectId) -> Vec<u8> {
        prefix(0x05, &[&folder.0, &object.0])
    }

    /// A version of an object.
    pub fn version(folder: FolderId, object: ObjectId, version: u64) -> RowKey {
        key(0x05, &[&folder.0, &object.0, &version.to_be_bytes()])
    }

    /// The version number in a version's key.
    pub fn version_of(key: &RowKey) -> Option<u64> {
        key.as_bytes().get(33..).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes)
    }

    /// Which keyset a store is attached to.
    pub fn keymap(partition: PartitionId, store: StoreId) -> RowKey {
        key(0x07, &[&partition.0, &store.0])
    }

    /// A folder's count.
    pub fn count(folder: FolderId) -> RowKey {
        key(0x08, &[&folder.0])
    }

    /// A user.
    pub fn user(partition: PartitionId, id: UserId) -> RowKey {
        key(0x09, &[&partition.0, &id.0])
    }

    /// A credential.
    pub fn credential(partition: PartitionId, id: CredentialId) -> RowKey {
        key(0x0a, &[&partition.0, &id.0])
    }

    /// All tokens of all partitions.
    pub fn all_tokens() -> Vec<u8> {
        prefix(0x0b, &[])
    }

    /// All tokens.
    pub fn tokens(partition: PartitionId) -> Vec<u8> {
        prefix(0x0b, &[&partition.0])
    }

    /// A token, under half of its digest.
    pub fn token(partition: PartitionId, half_digest: &[u8; 16]) -> RowKey {
        key(0x0b, &[&partition.0, half_digest])
    }

    /// All recorded outcomes.
    pub fn outcomes() -> Vec<u8> {
        prefix(0x0c, &[])
    }

    /// The outcome of a request.
    pub fn outcome(id: RequestId) -> RowKey {
        key(0x0c, &[&id.0])
    }

    /// All checkpoints of the trail.
    pub fn checkpoints() -> Vec<u8> {
        prefix(0x0d, &[])
    }

    /// The checkpoint at an entry.
    pub fn checkpoint(seq: u64) -> RowKey {
        key(0x0d, &[&seq.to_be_bytes()])
    }

    /// The clock's high-water mark.
    pub fn clock() -> RowKey {
        key(0x0e, &[])
    }

    /// All users.
    pub fn users(partition: PartitionId) -> Vec<u8> {
        prefix(0x09, &[&partition.0])
    }

    /// All credentials.
    pub fn credentials(partition: PartitionId) -> Vec<u8> {
        prefix(0x0a, &[&partition.0])
    }

    /// Written anew by every change of who may do what: commits of users' writes are bound to it.
    pub fn authz_revision(partition: PartitionId) -> RowKey {
        key(0x10, &[&partition.0])
    }

    /// All groups.
    pub fn groups(partition: PartitionId) -> Vec<u8> {
        prefix(0x11, &[&partition.0])
    }

    /// A group.
    pub fn group(partition: PartitionId, id: GroupId) -> RowKey {
        key(0x11, &[&partition.0, &id.0])
    }

    /// All ACLs.
    pub fn acls(partition: PartitionId) -> Vec<u8> {
        prefix(0x12, &[&partition.0])
    }

    /// An ACL.
    pub fn acl(partition: PartitionId, id: AclId) -> RowKey {
        key(0x12, &[&partition.0, &id.0])
    }

    /// All passwords.
    pub fn passwords(partition: PartitionId) -> Vec<u8> {
        prefix(0x13, &[&partition.0])
    }

    /// A user's password.
    pub fn password(partition: PartitionId, user: UserId) -> RowKey {
        key(0x13, &[&partition.0, &user.0])
    }

    /// The id in the key of a row that has one below its partition.
    pub fn id_of(key: &RowKey) -> Option<[u8; 16]> {
        key.as_bytes().get(17..).and_then(|bytes| bytes.try_into().ok())
    }

    /// All segments of the trail that moved out.
    pub fn segments() -> Vec<u8> {
        prefix(0x16, &[])
    }

    /// The segment that begins with an entry.
    pub fn segment(first_seq: u64) -> RowKey {
        key(0x16, &[&first_seq.to_be_bytes()])
    }

    /// When the last backup was made.
    pub fn last_backup() -> RowKey {
        key(0x17, &[&[0]])
    }

    /// All beginnings of lives: restores.
    pub fn lives() -> Vec<u8> {
        prefix(0x17, &[&[1]])
    }

    /// The life that began behind an entry.
    pub fn life(seq: u64) -> RowKey {
        key(0x17, &[&[1], &seq.to_be_bytes()])
    }

    /// The key that signs checkpoints.
    pub fn checkpoint_key(partition: PartitionId) -> RowKey {
        key(0x0f, &[&partition.0])
    }

    /// All background jobs.
    pub fn jobs(partition: PartitionId) -> Vec<u8> {
        prefix(0x15, &[&partition.0])
    }

    /// A background job.
    pub fn job(partition: PartitionId, id: JobId) -> RowKey {
        key(0x15, &[&partition.0, &id.0])
    }

    /// All records of the attribute authority.
    pub fn sharing_all(partition: PartitionId) -> Vec<u8> {
        prefix(0x18, &[&partition.0])
    }

    /// A record of the attribute authority, under the hash of what it is about.
    pub fn sharing(partition: PartitionId, hash: &[u8; 16]) -> RowKey {
        key(0x18, &[&partition.0, hash])
    }

    /// All places of stores in the key map.
    pub fn keymaps(partition: PartitionId) -> Vec<u8> {
        prefix(0x07, &[&partition.0])
    }

    /// A table, whole.
    pub(crate) fn table(number: u8) -> Vec<u8> {
        prefix(number, &[])
    }
}
