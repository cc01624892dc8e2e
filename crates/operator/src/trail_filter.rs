//! Which entries of the trail are wanted.

use crate::TrailLine;
use strongroom_ambient::UnixMillis;
use strongroom_gate::{Decision, Verdict};

/// Which entries are wanted; what is absent does not matter. An entry that cannot be read fits only if nothing that it
/// would say is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// By this user, by name.
    pub user: Option<String>,
    /// Of this action, or of this area (`secret`, `audit`).
    pub action: Option<String>,
    /// About this resource, or about what lies in it: a store, a folder of it.
    pub resource: Option<String>,
    /// Decided so.
    pub decision: Option<Decision>,
    /// With this outcome.
    pub verdict: Option<Verdict>,
    /// Not before.
    pub since: Option<UnixMillis>,
    /// Before.
    pub until: Option<UnixMillis>,
}

impl TrailFilter {
    /// Whether everything fits.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an entry fits.
    pub fn fits(&self, line: &TrailLine) -> bool {
        if self.verdict.is_some_and(|verdict| verdict.code() != line.verdict) {
            return false;
        }
        let Ok(record) = &line.record else {
            return Self { verdict: None, ..self.clone() }.is_open();
        };
        let user = record.who.as_ref().map(|who| who.name.as_str());
        self.user.as_deref().is_none_or(|wanted| user == Some(wanted))
            && self.action.as_deref().is_none_or(|wanted| within(record.action.name(), wanted, '.'))
            && self.resource.as_deref().is_none_or(|wanted| within(&record.resource, wanted, '/'))
            && self.decision.is_none_or(|wanted| record.decision == wanted)
            && self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time < until)
    }
}

/// Whether a path is another, or lies in it.
fn within(path: &str, of: &str, separator: char) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_gate::{EntryError, Record, Who};
    use strongroom_model::{Action, RequestId, UserId};

    fn line(user: &str, resource: &str) -> TrailLine {
        let who = Who { user: UserId([1; 16]), name: user.to_owned(), key: None, token: None };
        let record = Record {
            request: RequestId([2; 16]),
            time: UnixMillis(1_000),
            action: Action::GetSecret,
            decision: Decision::Allowed,
            who: Some(who),
            origin: "127.0.0.1".to_owned(),
            resource: resource.to_owned(),
            rule: String::new(),
            note: String::new(),
        };
        TrailLine { seq: 1, verdict: Verdict::Released.code(), hash: [0; 32], record: Ok(record) }
    }

    #[test]
    fn each_field_is_asked_for_by_itself() {
        let it = line("ada", "web/db/password");
        let text = |text: &str| Some(text.to_owned());
        let fitting = [
            TrailFilter::default(),
            TrailFilter { user: text("ada"), ..TrailFilter::default() },
            TrailFilter { action: text("secret.get"), ..TrailFilter::default() },
            TrailFilter { action: text("secret"), ..TrailFilter::default() },
            TrailFilter { resource: text("web"), ..TrailFilter::default() },
            TrailFilter { resource: text("web/db"), ..TrailFilter::default() },
            TrailFilter { decision: Some(Decision::Allowed), ..TrailFilter::default() },
            TrailFilter { verdict: Some(Verdict::Released), ..TrailFilter::default() },
            TrailFilter { since: Some(UnixMillis(1_000)), ..TrailFilter::default() },
            TrailFilter { until: Some(UnixMillis(1_001)), ..TrailFilter::default() },
        ];
        let other = [
            TrailFilter { user: text("ad"), ..TrailFilter::default() },
            TrailFilter { action: text("secret.g"), ..TrailFilter::default() },
            TrailFilter { action: text("sec"), ..TrailFilter::default() },
            TrailFilter { resource: text("we"), ..TrailFilter::default() },
            TrailFilter { resource: text("web/db/password/x"), ..TrailFilter::default() },
            TrailFilter { decision: Some(Decision::Refused), ..TrailFilter::default() },
            TrailFilter { verdict: Some(Verdict::Failed), ..TrailFilter::default() },
            TrailFilter { since: Some(UnixMillis(1_001)), ..TrailFilter::default() },
            TrailFilter { until: Some(UnixMillis(1_000)), ..TrailFilter::default() },
        ];
        assert!(fitting.iter().all(|filter| filter.fits(&it)), "{fitting:?}");
        for filter in other {
            assert!(!filter.fits(&it), "{filter:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_fits_only_what_it_shows() {
        let sealed = TrailLine { record: Err(EntryError::Sealed), ..line("ada", "web") };
        let released = TrailFilter { verdict: Some(Verdict::Released), ..TrailFilter::default() };
        assert!(TrailFilter::default().fits(&sealed) && released.fits(&sealed));
        let by_user = TrailFilter { user: Some("ada".to_owned()), ..TrailFilter::default() };
        assert!(!by_user.fits(&sealed));
    }
}
