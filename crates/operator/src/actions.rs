//! The engine's actions, as types.

use strongroom_gate::{
    BackupView, Job, JobStepView, JobView, Jobs, JobsView, Keyset, KeysetView, Keysets, KeysetsView, Server,
    ServerView, Trail, TrailView, actions,
};

actions! {
    /// Make the root key, the unlock keys and the first user.
    Initialise = Initialise: Server => ServerView;
    /// Confirm that the unlock keys are kept.
    ConfirmInitialise = ConfirmInitialise: Server => ServerView;
    /// Present an unlock key.
    Unlock = Unlock: Server => ServerView;
    /// Lock.
    Lock = Lock: Server => ServerView;
    /// Begin a rotation of the root key.
    RotateRoot = RotateRoot: Server => ServerView;
    /// Begin it, and lock.
    RotateRootAndLock = RotateRoot: Server => ServerView;
    /// Finish it.
    ConfirmRotateRoot = ConfirmRotateRoot: Server => ServerView;
    /// Give it up.
    CancelRotateRoot = CancelRotateRoot: Server => ServerView;
    /// Give the partition a new KEK.
    RotateKek = RotateKek: Server => ServerView;
    /// Finish a rotation of the root key with every other key.
    RotateAll = RotateAll: Server => ServerView;
    /// List unlock keys.
    ListUnlockKeys = ListUnlockKeys: Server => ServerView;
    /// Revoke an unlock key.
    RevokeUnlockKey = RevokeUnlockKey: Server => ServerView;
    /// Make a keyset.
    CreateKeyset = CreateKeyset: Keysets => KeysetsView;
    /// Give a keyset a new term.
    RotateKeyset = RotateKeyset: Keyset => KeysetView;
    /// Remove a keyset.
    RemoveKeyset = RemoveKeyset: Keyset => KeysetView;
    /// List jobs.
    ListJobs = ListJobs: Jobs => JobsView;
    /// Show one job.
    ShowJob = ListJobs: Job => JobView;
    /// Give a job up.
    CancelJob = CancelJob: Job => JobView;
    /// One step of a job.
    JobStep = JobStep: Job => JobStepView;
    /// Add auto-unlock.
    AddAutoUnlock = AddAutoUnlock: Server => ServerView;
    /// Remove auto-unlock.
    RemoveAutoUnlock = RemoveAutoUnlock: Server => ServerView;
    /// Unlock without a person.
    AutoUnlock = AutoUnlock: Server => ServerView;
    /// The server started.
    Start = Start: Server => ServerView;
    /// The server stopped in good order.
    Stop = Stop: Server => ServerView;
    /// Accept the wall clock after a jump.
    AcceptClock = AcceptClock: Server => ServerView;
    /// Remove what has expired.
    Housekeeping = Housekeeping: Server => ServerView;

    /// Look at everything that is stored.
    DeepCheck = DeepCheck: Server => ServerView;
    /// Make a backup.
    CreateBackup = CreateBackup: Server => BackupView;
    /// Take note of how a backup ended.
    EndBackup = CreateBackup: Server => ServerView;

    /// Read entries of the trail.
    ReadTrail = ReadTrail: Trail => TrailView;
    /// Verify the trail.
    VerifyTrail = VerifyTrail: Trail => TrailView;
    /// Sign a checkpoint because somebody asked.
    SignCheckpoint = Checkpoint: Trail => TrailView;
    /// Sign a checkpoint because it is time.
    ChoreCheckpoint = Checkpoint: Trail => TrailView;
    /// Move old entries out because it is time.
    ArchiveTrail = ArchiveTrail: Trail => TrailView;
    /// List the segments that moved out.
    ListSegments = ListSegments: Trail => TrailView;
    /// Follow the trail, to export it.
    FollowTrail = FollowTrail: Server => ServerView;
}
