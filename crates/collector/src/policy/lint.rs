//! What the author of a policy may not have meant, seen with the attributes that members have.

use super::error::at;
use super::{PolicyFault, PolicyFileError, Rules};
use std::fmt;
use strongroom_abe::{AttributeSet, Lint, Policy};

/// A remark on a policy that is used none the less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The line of the configuration.
    pub line: u64,
    /// The policy, canonical.
    pub policy: String,
    /// What is remarkable.
    pub kind: WarningKind,
}

/// What is remarkable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarningKind {
    /// Its text.
    Text(Lint),
    /// Each attribute that there is satisfies it alone.
    Everybody,
    /// All attributes together do not satisfy it.
    Nobody,
}

impl Warning {
    pub(super) fn new(line: u64, policy: &Policy, kind: WarningKind) -> Self {
        Self { line, policy: policy.as_str().to_owned(), kind }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: policy {}: ", self.line, self.policy)?;
        match &self.kind {
            WarningKind::Text(lint) => lint.fmt(f),
            WarningKind::Everybody => f.write_str("everybody who has any attribute satisfies it"),
            WarningKind::Nobody => f.write_str("nobody satisfies it: what it encrypts, no member reads"),
        }
    }
}

impl Rules {
    /// Compares the policies with all attributes that any member has. One that names another is refused: nobody could read,
    /// or a misspelt name would shut out those who should.
    pub fn check(&self, known: &AttributeSet) -> Result<Vec<Warning>, PolicyFileError> {
        let mut warnings = self.lints().to_vec();
        for (rule, line) in self.policies().iter().zip(self.lines()) {
            let policy = &rule.policy;
            let unknown: Vec<String> = policy.unknown(known).iter().map(ToString::to_string).collect();
            if !unknown.is_empty() {
                let (attributes, policy) = (unknown.join(", "), policy.as_str().to_owned());
                return Err(at(*line, "policy", PolicyFault::UnknownAttributes { attributes, policy }));
            }
            warnings.extend(reach(policy, known).map(|kind| Warning::new(*line, policy, kind)));
        }
        Ok(warnings)
    }

    /// Remarks that need no authority: on the texts alone.
    pub fn remarks(&self) -> &[Warning] {
        self.lints()
    }
}

/// Whether a policy is for nobody or for everybody among members of these attributes.
fn reach(policy: &Policy, known: &AttributeSet) -> Option<WarningKind> {
    if !policy.is_satisfied_by(known) {
        return Some(WarningKind::Nobody);
    }
    let alone = |attribute: &strongroom_abe::Attribute| {
        let mut only = AttributeSet::default();
        only.insert(attribute.clone()).is_ok() && policy.is_satisfied_by(&only)
    };
    known.iter().all(alone).then_some(WarningKind::Everybody)
}
