//! Who may ask for what: every action, every role.

use crate::house::House;
use strongroom_attributes as authority;
use strongroom_attributes::Sharing;
use strongroom_gate::{Action, Denied, SharingView};
use strongroom_model::Caller;

/// Whether somebody is admitted to an action.
async fn may<A>(house: &House, caller: &Caller) -> bool
where
    A: Action<Resource = Sharing, View = SharingView>,
{
    match house.world.gate.admit::<A>(caller, Sharing::own(caller)).await {
        Ok(permit) => {
            drop(permit);
            true
        }
        Err(Denied::Refused { .. }) => false,
        Err(other) => panic!("{}: {other}", A::CODE.name()),
    }
}

macro_rules! table {
    ($house:expr, $callers:expr; $($action:ident $expected:literal)*) => {{
        let mut told = Vec::new();
        $(
            let mut row = String::new();
            for caller in $callers {
                row.push(if may::<authority::$action>($house, caller).await { '+' } else { '-' });
            }
            if row != $expected {
                told.push(format!("{}: {row}, expected {}", stringify!($action), $expected));
            }
        )*
        assert!(told.is_empty(), "{told:#?}");
    }};
}

#[tokio::test]
async fn every_action_is_for_whom_it_is_meant() {
    let house = House::new().await;
    let admin = house.admin().await;
    let member = house.member("ann", &["A"], 1).await;
    let root = house.world.root_caller().await.unwrap();
    let stranger = house.world.stranger();
    // a stranger, a member, an administrator of the sharing system, root
    table! { &house, [&stranger, &member, &admin, &root];
        Login "++++" Renew "++++" ReadManifest "++++"
        Logout "-+++" ReadMe "-+++" OwnPassword "-+++" ReadPublicKey "-+++" ReadRights "-+++"
        ListAttributes "-+++" ListCollectors "-+++" ReadHeads "-+++"
        RegisterKeys "-+-+" MemberKeys "-+-+" IndexKeys "-+-+" AskTokens "-+-+" PostHead "-+-+"
        CreateUser "--++" Rekey "--++" Suspend "--++" Resume "--++" Delete "--++" SetAttributes "--++"
        SetEpochs "--++" SetPassword "--++" CreateRight "--++" CreateGroup "--++" ChangeGroup "--++"
        DeleteGroup "--++" ListGroups "--++" ListMembers "--++"
        AddAdmin "---+" Upkeep "---+"
    }
}

#[tokio::test]
async fn a_member_is_no_user_of_the_server() {
    let house = House::new().await;
    let member = house.member("root", &["A"], 1).await;
    let gate = &house.world.gate;
    let own = strongroom_gate::Own::of(&member);
    let refused = gate.admit::<strongroom_identity::ReadSelf>(&member, own).await;
    assert!(matches!(refused, Err(Denied::Refused { .. })), "{refused:?}");
    let users = strongroom_gate::Users { name: None };
    assert!(gate.admit::<strongroom_identity::ListUsers>(&member, users).await.is_err());
}
