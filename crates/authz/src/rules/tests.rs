use super::*;
use crate::Target;
use strongroom_model::{Name, PartitionId, Principal, RequestId, TokenId};

const ROOT: UserId = UserId([1; 16]);

fn caller(origin: Origin, user: Option<UserId>) -> Caller {
    let principal = user.map(|user| {
        Arc::new(Principal { partition: PartitionId::default(), user, name: Name::new("someone").unwrap() })
    });
    Caller { principal, ..Caller::anonymous(origin, RequestId::default()) }
}

fn rules() -> RuleSet {
    let mut rules = RuleSet::built_in(1000);
    rules.push(RuleSet::full(ROOT, &Name::new("root").unwrap()));
    RuleSet::new(rules)
}

fn allowed(caller: &Caller, action: Action) -> bool {
    rules().decide(&Question { caller, action, target: Target::Server, access: action.access() }).allowed
}

/// Every action against every kind of caller: who may do what, as one reviewed table.
#[test]
fn the_whole_table_is_as_reviewed() {
    let network = Origin::network("127.0.0.1".parse().unwrap());
    let nobody = caller(network, None);
    let root = caller(network, Some(ROOT));
    let other = caller(network, Some(UserId([2; 16])));
    let server = caller(Origin::Internal, None);
    let installer = caller(Origin::Local { uid: 1000 }, None);
    for action in Action::ALL.iter().copied() {
        use Action as A;
        let install = matches!(action, A::Initialise | A::ConfirmInitialise);
        let open = matches!(
            action,
            A::Unlock
                | A::Challenge
                | A::Authorize
                | A::Login
                | A::SharingLogin
                | A::SharingToken
                | A::SharingManifest
        );
        let own = action.name().starts_with("self.")
            || matches!(action, A::LookupToken | A::Deauth | A::RenewToken);
        let chore = matches!(
            action,
            A::Start
                | A::Stop
                | A::AutoUnlock
                | A::ConfirmRotateRoot
                | A::Checkpoint
                | A::Housekeeping
                | A::CreateBackup
                | A::ArchiveTrail
                | A::FollowTrail
                | A::JobStep
                | A::SharingUpkeep
        );
        assert_eq!(allowed(&nobody, action), open, "nobody {action:?}");
        assert_eq!(allowed(&root, action), !install, "root {action:?}");
        assert_eq!(allowed(&other, action), open || own, "other {action:?}");
        assert_eq!(allowed(&server, action), chore, "server {action:?}");
        assert_eq!(allowed(&installer, action), open || install, "installer {action:?}");
        let of_both = matches!(
            action,
            A::SharingLogout
                | A::SharingMe
                | A::SharingOwnPassword
                | A::SharingPublicKey
                | A::SharingRights
                | A::SharingAttributes
                | A::SharingCollectors
                | A::SharingHeads
        );
        let of_members = matches!(
            action,
            A::SharingRegisterKeys
                | A::SharingMemberKeys
                | A::SharingIndexKeys
                | A::SharingTokens
                | A::SharingPostHead
        );
        let of_administrators = action.name().starts_with("sharing.")
            && !of_members
            && !matches!(action, A::SharingAddAdmin | A::SharingUpkeep);
        // a member has a user's id, and is none: not even root's would make it one
        for id in [[1; 16], [3; 16]] {
            let member = |admin| {
                let credential = Credential::Member { token: TokenId([0; 16]), admin, issued_ms: 1 };
                Caller { credential, ..caller(network, Some(UserId(id))) }
            };
            let expected = open || of_both || of_members;
            assert_eq!(allowed(&member(false), action), expected, "member {action:?}");
            let expected = open || of_administrators;
            assert_eq!(allowed(&member(true), action), expected, "administrator of members {action:?}");
        }
    }
}

#[test]
fn only_root_the_server_uid_and_the_token_bearer_install() {
    for (uid, expected) in [(0, true), (1000, true), (1001, false)] {
        assert_eq!(allowed(&caller(Origin::Local { uid }, None), Action::Initialise), expected, "{uid}");
    }
    let mut remote = caller(Origin::network("127.0.0.1".parse().unwrap()), None);
    assert!(!allowed(&remote, Action::Initialise));
    remote.credential = Credential::Installation;
    assert!(allowed(&remote, Action::Initialise));
    assert!(!allowed(&remote, Action::Lock), "and nothing else");
}

#[test]
fn deny_wins_and_silence_denies() {
    let deny = Rule::deny("not today", Subject::User(ROOT), Actions::Only(vec![Action::Lock]));
    let rules = RuleSet::new(vec![RuleSet::full(ROOT, &Name::new("root").unwrap()), deny]);
    let caller = caller(Origin::Local { uid: 7 }, Some(ROOT));
    let decide = |action| {
        rules.decide(&Question { caller: &caller, action, target: Target::Server, access: action.access() })
    };
    assert_eq!(decide(Action::Lock), Decision { allowed: false, rule: "not today".into() });
    assert!(decide(Action::GetSecret).allowed);
    let silent = RuleSet::new(Vec::new());
    let decision = silent.decide(&Question {
        caller: &caller,
        action: Action::Lock,
        target: Target::Server,
        access: Action::Lock.access(),
    });
    assert_eq!(decision, Decision { allowed: false, rule: "no rule allows it".into() });
}
