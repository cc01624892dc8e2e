//! What members of the sharing system may do: they are no users, and no ACL reaches them.

use super::{Actions, Rule, Subject};
use strongroom_model::Action as A;

/// What every member needs, whoever it is.
const ANY_MEMBER: &[A] = &[
    A::SharingLogout,
    A::SharingMe,
    A::SharingOwnPassword,
    A::SharingPublicKey,
    A::SharingRights,
    A::SharingAttributes,
    A::SharingCollectors,
    A::SharingHeads,
];
/// What makes a member a reader or a collector.
const MEMBER: &[A] = &[
    A::SharingRegisterKeys,
    A::SharingMemberKeys,
    A::SharingIndexKeys,
    A::SharingTokens,
    A::SharingPostHead,
];
/// Of members, groups and rights.
const ADMINISTRATOR: &[A] = &[
    A::SharingCreateUser,
    A::SharingRekey,
    A::SharingSuspend,
    A::SharingResume,
    A::SharingDelete,
    A::SharingSetAttributes,
    A::SharingSetEpochs,
    A::SharingSetPassword,
    A::SharingCreateRight,
    A::SharingCreateGroup,
    A::SharingChangeGroup,
    A::SharingDeleteGroup,
    A::SharingGroups,
    A::SharingMembers,
];

/// The rules.
pub(super) fn rules() -> Vec<Rule> {
    let only = |actions: &[&[A]]| Actions::Only(actions.concat());
    vec![
        Rule::allow(
            "anyone may prove to be a member of the sharing system",
            Subject::Anyone,
            Actions::Only(vec![A::SharingLogin, A::SharingToken, A::SharingManifest]),
        ),
        Rule::allow(
            "a member of the sharing system may fetch and search",
            Subject::Member { admin: false },
            only(&[ANY_MEMBER, MEMBER]),
        ),
        Rule::allow(
            "an administrator of the sharing system may keep its members",
            Subject::Member { admin: true },
            only(&[ANY_MEMBER, ADMINISTRATOR]),
        ),
        Rule::deny(
            "an administrator of the sharing system holds no keys",
            Subject::Member { admin: true },
            only(&[MEMBER]),
        ),
    ]
}
