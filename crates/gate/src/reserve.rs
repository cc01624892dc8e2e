//! What goes on when the disk is full.

use strongroom_model::{Access, Action as ActionCode, Effect};

/// What goes on in the reserve of a full disk: reads, whatever removes or revokes, and what an operator needs to get so
/// far. Everything else waits for room, a new action too unless it is listed here.
pub(crate) fn is_essential(action: ActionCode) -> bool {
    use ActionCode as A;
    let removes = action.effect() == Effect::Read || action.access() == Access::DELETE;
    let operates = matches!(
        action,
        // to come in
        A::Unlock | A::AutoUnlock | A::ConfirmInitialise | A::Authorize | A::Login | A::SharingToken
            // to close
            | A::Lock | A::Start | A::Stop | A::AcceptClock | A::Checkpoint
            // to end what was begun; the new unlock keys are in hands already
            | A::CancelRotateRoot | A::ConfirmRotateRoot | A::CancelJob
            // a right is taken away: a user disabled, a member dropped; the opposite waits, which the engine sees to
            | A::DetachAcl | A::UpdateUser | A::UpdateGroup | A::SharingSuspend
            // an epoch ends whether there is room or not
            | A::SharingUpkeep
    );
    removes || operates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_reserve_whatever_reads_removes_or_revokes_goes_on_and_nothing_is_added() {
        use ActionCode as A;
        let goes_on = [
            A::Unlock,
            A::AutoUnlock,
            A::Lock,
            A::Start,
            A::Stop,
            A::Authorize,
            A::Login,
            A::Deauth,
            A::RevokeToken,
            A::RevokeOwnToken,
            A::RevokeUnlockKey,
            A::RemoveAutoUnlock,
            A::RemoveUser,
            A::RemoveAccessKey,
            A::RemoveOwnAccessKey,
            A::RemovePassword,
            A::RemoveGroup,
            A::RemoveAcl,
            A::DetachAcl,
            A::UpdateUser,
            A::UpdateGroup,
            A::DeleteSecret,
            A::DestroySecret,
            A::RemoveSecret,
            A::RemoveStore,
            A::RemoveKeyset,
            A::ArchiveTrail,
            A::Housekeeping,
            A::CancelJob,
            A::CancelRotateRoot,
            A::ConfirmRotateRoot,
            A::Checkpoint,
            A::AcceptClock,
            A::SharingToken,
            A::SharingSuspend,
            A::SharingDelete,
            A::SharingUpkeep,
        ];
        for action in goes_on {
            assert!(is_essential(action), "{}", action.name());
        }
        let waits = [
            A::Initialise,
            A::PutSecret,
            A::GenerateSecret,
            A::UndeleteSecret,
            A::CreateStore,
            A::ConfigureStore,
            A::CreateKeyset,
            A::RotateKeyset,
            A::RotateKek,
            A::RotateRoot,
            A::RotateAll,
            A::JobStep,
            A::AddAutoUnlock,
            A::CreateUser,
            A::AddAccessKey,
            A::AddOwnAccessKey,
            A::SetPassword,
            A::SetOwnPassword,
            A::CreateGroup,
            A::CreateAcl,
            A::UpdateAcl,
            A::AttachAcl,
            A::RenewToken,
            A::SharingCreateUser,
            A::SharingResume,
            A::SharingRegisterKeys,
        ];
        for action in waits {
            assert!(!is_essential(action), "{}", action.name());
        }
        for action in ActionCode::ALL.iter().filter(|action| action.effect() == Effect::Read) {
            assert!(is_essential(*action), "{}", action.name());
        }
    }
}
