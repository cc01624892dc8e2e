//! Attributes of an epoch: `ANALYST` in epoch 37 is the attribute `ANALYST@37`, in keys and in the headers of batches.
//!
//! Members' keys of different epochs do not combine, and a policy as people write it never has an epoch: `@` is refused.

use strongroom_abe::{Attribute, AttributeError, AttributeSet, Policy, PolicyError, Right};

/// Why a policy or an attribute cannot be put into an epoch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EpochError {
    /// `@` is for epochs.
    #[error("attribute {attribute} has `@`, which is kept for epochs")]
    Reserved {
        /// The attribute.
        attribute: Attribute,
    },
    /// With its epoch it is no attribute any more: too long.
    #[error("attribute does not fit with its epoch")]
    Attribute(#[from] AttributeError),
    /// With its epochs it is no policy any more: too long.
    #[error("policy does not fit with its epoch")]
    Policy(#[from] PolicyError),
}

/// Refuses a policy that names epochs itself.
pub fn check_plain(policy: &Policy) -> Result<(), EpochError> {
    let reserved = policy.attributes().iter().find(|attribute| attribute.as_str().contains('@')).cloned();
    reserved.map_or(Ok(()), |attribute| Err(EpochError::Reserved { attribute }))
}

/// An attribute in an epoch.
pub fn attribute_at(attribute: &Attribute, epoch: u64) -> Result<Attribute, EpochError> {
    if attribute.as_str().contains('@') {
        return Err(EpochError::Reserved { attribute: attribute.clone() });
    }
    Ok(Attribute::new(&format!("{attribute}@{epoch}"))?)
}

/// Attributes in an epoch: what a member's key of that epoch is made for.
///
/// ```
/// use strongroom_abe::AttributeSet;
/// let set = strongroom_envelope::attributes_at(&AttributeSet::parse(["UNR", "CERT"])?, 37)?;
/// assert_eq!(set, AttributeSet::parse(["CERT@37", "UNR@37"])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn attributes_at(attributes: &AttributeSet, epoch: u64) -> Result<AttributeSet, EpochError> {
    let mut all = AttributeSet::default();
    for attribute in attributes.iter() {
        all.insert(attribute_at(attribute, epoch)?)?;
    }
    Ok(all)
}

/// A right in an epoch: rights are registered without one, and have a key in each.
pub fn right_at(right: &Right, epoch: u64) -> Result<Right, EpochError> {
    attributes_at(right.attributes(), epoch).map(Right::new)
}

/// A policy in an epoch.
pub fn policy_at(policy: &Policy, epoch: u64) -> Result<Policy, EpochError> {
    check_plain(policy)?;
    let (mut text, mut rest) = (String::with_capacity(policy.as_str().len() * 2), policy.as_str());
    while let Some(letter) = rest.chars().next() {
        if is_mark(letter) {
            text.push(letter);
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            continue;
        }
        let (word, after) = rest.split_at(rest.find(is_mark).unwrap_or(rest.len()));
        text.push_str(word);
        if is_attribute(word) {
            text.push('@');
            text.push_str(&epoch.to_string());
        }
        rest = after;
    }
    Ok(Policy::parse(&text)?)
}

fn is_mark(letter: char) -> bool {
    matches!(letter, ' ' | '(' | ')' | ',')
}

/// Whether a word of a canonical policy is an attribute: its own words are small, attributes are in capitals.
fn is_attribute(word: &str) -> bool {
    !matches!(word, "and" | "or" | "of") && !word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_in_an_epoch_names_the_epoch_at_each_attribute_and_nowhere_else() {
        let policy = Policy::parse("A and (2 of (B, C, D.E or F) or 2FA)").unwrap();
        let expected = "A@12 and (2 of (B@12, C@12, D.E@12 or F@12) or 2FA@12)";
        assert_eq!(policy_at(&policy, 12).unwrap(), Policy::parse(expected).unwrap());
    }

    #[test]
    fn the_canonical_order_of_an_epochs_policy_is_its_own() {
        let policy = Policy::parse("A and A.B").unwrap();
        assert_eq!(policy_at(&policy, 1).unwrap().as_str(), "A.B@1 and A@1");
    }

    #[test]
    fn who_writes_epochs_is_refused() {
        let policy = Policy::parse("A@3 or B").unwrap();
        assert!(matches!(policy_at(&policy, 4), Err(EpochError::Reserved { .. })));
        assert!(matches!(
            attributes_at(&AttributeSet::parse(["A@3"]).unwrap(), 4),
            Err(EpochError::Reserved { .. })
        ));
    }

    #[test]
    fn an_attribute_without_room_for_its_epoch_is_refused() {
        let name = "A".repeat(126);
        assert!(attribute_at(&Attribute::new(&name).unwrap(), 1).is_ok());
        assert!(matches!(
            policy_at(&Policy::parse(&name).unwrap(), 12),
            Err(EpochError::Policy(PolicyError::Attribute { .. }))
        ));
    }
}
