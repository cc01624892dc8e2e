//! The gate: the PEP, the waist of the house, the only maker of permits.
//!
//! **What it is for.** Every operation of every door passes [`Gate::admit`]: it takes a place in the writer's queue,
//! asks the rules, resolves the resource, and returns a [`Permit`] that carries a view of that resource and nothing
//! else, with the entry that goes with whatever is done through it.
//!
//! **What it promises.** No effect and no answer without an entry: a read's result is [`Held`] until its entry is
//! durable, a write's entry is part of its transaction, a permit dropped unspent leaves an *abandoned* entry, and a
//! trail that cannot be written refuses. What was checked is what is used: an engine is handed no name.
//!
//! **What it does not know.** What an action does with its view.
//!
//! Forging a permit does not compile, nor does spending one twice, writing with a read permit, or using what was not
//! released: see `tests/misuse`.
//!
//! ```compile_fail
//! use strongroom_gate::Permit;
//! # struct Anything;
//! let permit: Permit<Anything> = Permit { view: (), entry: () };
//! ```

mod admit;
mod archive;
mod backoff;
mod backup_view;
mod clock;
mod denied;
mod entry;
mod jobs;
mod network;
mod outcome;
mod passwords;
mod people;
mod policy;
mod recover;
mod refusals;
mod reserve;
mod resource;
mod seer;
mod server_view;
mod sharing;
mod standing;
mod trail_feed;
mod trail_view;

pub use admit::{Admission, Gate, GateOptions};
pub use archive::{ArchiveError, Keep};
pub use backoff::{Attempt, Backoff};
pub use backup_view::{BackupBegun, BackupFault, BackupStream, BackupView};
pub use clock::ClockState;
pub use denied::Denied;
pub use entry::{CommitError, Entry, Held, Permit, TrailError};
pub use jobs::{Agenda, JobRecord, JobState, JobStepView, JobView, JobsView, StoredJob, StoredJobs};
pub use passwords::{HashError, Hasher, MAX_PASSWORD_BYTES, MIN_PASSWORD_BYTES, Verified};
pub use people::{
    AclRecord, AclView, AclsView, AttachmentView, Change, Changing, CredentialRecord, GroupRecord, GroupView,
    GroupsView, Holder, MAX_ACLS, MAX_ATTACHED, MAX_GROUPS, MAX_MEMBERSHIPS, MAX_TOKENS, MAX_TOKENS_PER_USER,
    MAX_USERS, MemberView, PROTECTED, PasswordRecord, PeopleView, Person, Steady, Team, TokenRecord,
    TokenView, UserRecord, UserView, UsersView, Way,
};
pub use resource::{
    AclNamed, Acls, Action, Attachment, FolderView, Group, Groups, HolderNamed, Job, Jobs, KeyHolder, Keyset,
    KeysetView, Keysets, KeysetsView, Membership, Own, People, Resource, Rules, RulesView, Secret,
    SecretLivesView, SecretReadView, SecretWriteView, Server, Sharing, Store, StoreFolder, StoreReadView,
    StoreWriteView, Stores, StoresView, Token, Trail, User, Users,
};
pub use seer::Seer;
pub use server_view::ServerView;
pub use sharing::{
    AuthorityRecord, CollectorsRecord, HeadRecord, MAX_COLLECTOR_GROUPS, MAX_MARKS, MAX_MEMBERS,
    MAX_REGISTERED_RIGHTS, MarkRecord, MemberRecord, ReplacedRecord, RightRecord, RuleRecord, SharingChange,
    SharingView, Span, Standing,
};
pub use standing::{LongListing, RightLost};
pub use trail_feed::TrailFeed;
pub use trail_view::{TrailRight, TrailView};

pub use strongroom_audit::{
    Checkpoint, CheckpointError, Decision, EntryError, Fault, Record, Report, Segment, SegmentDir,
    SegmentError, Verdict, Who,
};
pub use strongroom_authz::{
    Able, Acl, AclError, ActionSet, Actions, Ask, AskError, Candidate, Covers, Explanation, List, Mode, Nacl,
    NaclRule, Nacls, NetworkAsk, Pattern, PatternError, PolicyBuilder, Rule, RuleSet, Source, Subject,
    Target,
};
pub use strongroom_backup::Mark as BackupMark;
pub use strongroom_barrier::{
    BarrierError, Batch, Bounds, DeepReport, Deleted, Entry as FolderEntry, Folder, Head, Limits, Names,
    Page, Reader, Rewritten, VersionRecord, Writer, keys,
};
pub use strongroom_keyring::{Kind, RootKey};
pub use strongroom_model::Action as ActionCode;
pub use strongroom_store::{Committed, Precondition, Revision, Space, StoreError, TrailEntry, TrailHead};
