//! Questions as people put them: a word or an action's name, a store, a secret.

use crate::actions::{Area, area};
use crate::target::{OwnedTarget, Target};
use strongroom_model::{Access, Action, Name, SecretPath};

/// Why something is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Neither a word nor an action.
    #[error("there is no action of this name; the words read, write, modify and delete are known too")]
    Action,
    /// A secret has to be named.
    #[error("{0} is asked upon a secret: name its store and its path")]
    Secret(&'static str),
    /// A store has to be named.
    #[error("{0} is asked upon a store: name it, and no secret")]
    Store(&'static str),
    /// It is about neither.
    #[error("{0} is asked upon no store and no secret")]
    Neither(&'static str),
}

/// A question about somebody who is yet to be named: an action with its access, upon a target.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The action.
    pub action: Action,
    /// The access, one bit each: of an action that makes or changes, by what is there, both.
    pub access: Vec<Access>,
    target: OwnedTarget,
}

impl Ask {
    /// From a word (`read`, `write`, `modify`, `delete`) or an action's name, and what it is asked upon.
    pub fn new(word: &str, store: Option<&Name>, secret: Option<&SecretPath>) -> Result<Self, AskError> {
        let (action, access) = match (word, secret) {
            ("read", None) => (Action::ListSecrets, vec![Access::READ]),
            ("read", Some(_)) => (Action::GetSecret, vec![Access::READ]),
            ("write", _) => (Action::PutSecret, vec![Access::WRITE]),
            ("modify", _) => (Action::PutSecret, vec![Access::MODIFY]),
            ("delete", _) => (Action::DeleteSecret, vec![Access::DELETE]),
            (name, _) => {
                let action = Action::ALL.iter().copied().find(|action| action.name() == name);
                let action = action.ok_or(AskError::Action)?;
                let access = match action.access() {
                    Access::PUT => vec![Access::WRITE, Access::MODIFY],
                    access => vec![access],
                };
                (action, access)
            }
        };
        let target = target(action, store.map(Name::as_str), secret.map(SecretPath::as_str))?;
        Ok(Self { action, access, target: OwnedTarget::from(&target) })
    }

    /// What it is asked upon.
    pub fn target(&self) -> Target<'_> {
        self.target.target()
    }
}

impl std::fmt::Display for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.action.name())?;
        match self.target() {
            Target::Server => Ok(()),
            target => write!(f, " {target}"),
        }
    }
}

fn target<'a>(
    action: Action,
    store: Option<&'a str>,
    secret: Option<&'a str>,
) -> Result<Target<'a>, AskError> {
    let name = action.name();
    match (area(action), action, store, secret) {
        (Area::Secrets, Action::ListSecrets | Action::ListExpiring, Some(store), None)
        | (Area::StoresRead | Area::StoresAdmin, _, Some(store), None) => Ok(Target::Store(store)),
        (Area::StoresRead, Action::ListStores, None, None)
        | (Area::Secrets, Action::ListExpiring, None, None)
        | (Area::Other | Area::Installing, _, None, None) => Ok(Target::Server),
        (Area::Secrets, Action::ListSecrets | Action::ListExpiring, ..)
        | (Area::StoresRead | Area::StoresAdmin, ..) => Err(AskError::Store(name)),
        (Area::Secrets, _, Some(store), Some(path)) => Ok(Target::Secret { store, path }),
        (Area::Secrets, ..) => Err(AskError::Secret(name)),
        (Area::Other | Area::Installing, ..) => Err(AskError::Neither(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(word: &str, store: Option<&str>, secret: Option<&str>) -> Result<String, AskError> {
        let store = store.map(|store| Name::new(store).unwrap());
        let secret = secret.map(|secret| SecretPath::new(secret).unwrap());
        let ask = Ask::new(word, store.as_ref(), secret.as_ref())?;
        let access: Vec<_> = ask.access.iter().map(Access::to_string).collect();
        Ok(format!("{ask} {}", access.join(",")))
    }

    #[test]
    fn words_and_names_become_actions() {
        let (web, key) = (Some("web"), Some("app/key"));
        for (word, store, secret, wanted) in [
            ("read", web, key, "secret.get web/app/key r"),
            ("read", web, None, "secret.list web r"),
            ("write", web, key, "secret.put web/app/key w"),
            ("modify", web, key, "secret.put web/app/key m"),
            ("delete", web, key, "secret.delete web/app/key d"),
            ("secret.put", web, key, "secret.put web/app/key w,m"),
            ("store.create", web, None, "store.create web w"),
            ("store.list", None, None, "store.list r"),
            ("keyset.rotate", None, None, "keyset.rotate m"),
        ] {
            assert_eq!(ask(word, store, secret).as_deref(), Ok(wanted));
        }
    }

    #[test]
    fn what_cannot_be_asked_is_told() {
        let (web, key) = (Some("web"), Some("app/key"));
        assert_eq!(ask("secret.gett", web, key), Err(AskError::Action));
        assert_eq!(ask("write", web, None), Err(AskError::Secret("secret.put")));
        assert_eq!(ask("secret.get", None, None), Err(AskError::Secret("secret.get")));
        assert_eq!(ask("store.remove", None, None), Err(AskError::Store("store.remove")));
        assert_eq!(ask("store.remove", web, key), Err(AskError::Store("store.remove")));
        assert_eq!(ask("read", None, None), Err(AskError::Store("secret.list")));
        assert_eq!(ask("user.create", web, None), Err(AskError::Neither("user.create")));
    }
}
