//! The engine's actions, as types.

use strongroom_gate::{Action, Server, ServerView, Trail, TrailView};
use strongroom_model::Action as Code;

macro_rules! actions {
    ($resource:ty, $view:ty; $($(#[$doc:meta])* $name:ident = $code:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Action for $name {
            const CODE: Code = Code::$code;
            type Resource = $resource;
            type View = $view;
        }
    )*};
}

actions! { Server, ServerView;
    /// Make the root key, the unlock keys and the first user.
    Initialise = Initialise;
    /// Confirm that the unlock keys are kept.
    ConfirmInitialise = ConfirmInitialise;
    /// Present an unlock key.
    Unlock = Unlock;
    /// Lock.
    Lock = Lock;
    /// Begin a rotation of the root key.
    RotateRoot = RotateRoot;
    /// Finish it.
    ConfirmRotateRoot = ConfirmRotateRoot;
    /// Give it up.
    CancelRotateRoot = CancelRotateRoot;
    /// Add auto-unlock.
    AddAutoUnlock = AddAutoUnlock;
    /// Remove auto-unlock.
    RemoveAutoUnlock = RemoveAutoUnlock;
    /// Unlock without a person.
    AutoUnlock = AutoUnlock;
    /// The server started.
    Start = Start;
    /// The server stopped in good order.
    Stop = Stop;
    /// Accept the wall clock after a jump.
    AcceptClock = AcceptClock;
    /// Remove what has expired.
    Housekeeping = Housekeeping;
}

actions! { Trail, TrailView;
    /// Read entries of the trail.
    ReadTrail = ReadTrail;
    /// Verify the trail.
    VerifyTrail = VerifyTrail;
    /// Sign a checkpoint because somebody asked.
    SignCheckpoint = Checkpoint;
    /// Sign a checkpoint because it is time.
    ChoreCheckpoint = Checkpoint;
}
