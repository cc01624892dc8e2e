//! A term of the question as values in fields.

use strongroom_blindindex::Term as IndexTerm;
use strongroom_blindindex::{Canonical, Form, FormError, NetworksError};
use strongroom_sharing::authority::Wanted as Wire;

use super::PlanError;
use crate::language::{Term, Wanted};
use crate::settings::Fields;

/// One value in one field.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// The field.
    pub field: String,
    /// The form that it is asked for in.
    pub form: Form,
    /// What is asked for.
    pub term: IndexTerm,
    pub(super) wire: Wire,
}

/// What a term is, in its field or in every searchable one.
pub(super) fn lookups(term: &Term, fields: &Fields) -> Result<Vec<Lookup>, PlanError> {
    let column = term.column;
    let names: Vec<String> = match &term.field {
        Some(field) => vec![field.clone()],
        None => fields
            .searchable()
            .filter(|(_, spec)| match &term.wanted {
                Wanted::Network(_) => spec.networks.is_some(),
                Wanted::Suffix(_) => spec.suffixes,
                Wanted::OnDay(..) => spec.days,
                Wanted::Value(_) | Wanted::Unlike(_) => true,
            })
            .map(|(field, _)| field.to_owned())
            .collect(),
    };
    if names.is_empty() {
        return Err(match &term.wanted {
            Wanted::Network(_) => PlanError::NotOpted { column, option: "networks", word: "in" },
            Wanted::Suffix(_) => PlanError::NotOpted { column, option: "suffixes", word: "under" },
            _ => PlanError::NoFields { column },
        });
    }
    let mut all = Vec::new();
    for field in names {
        one_field(&field, &term.wanted, fields, &mut all).map_err(|fault| match fault {
            Fault::Form(source) => PlanError::Form { column, source },
            Fault::Network(source) => PlanError::Network { column, source },
        })?;
    }
    Ok(all)
}

enum Fault {
    Form(FormError),
    Network(NetworksError),
}

fn one_field(field: &str, wanted: &Wanted, fields: &Fields, all: &mut Vec<Lookup>) -> Result<(), Fault> {
    let spec = fields.spec(field);
    let mut add = |form, term, wire| all.push(Lookup { field: field.to_owned(), form, term, wire });
    match wanted {
        Wanted::Value(value) => {
            let (form, canonical) = spec.canonical(field, value).map_err(Fault::Form)?;
            add(form, IndexTerm::Exact(canonical), Wire::Exact(value.clone()));
        }
        Wanted::OnDay(value, day) => {
            let (form, canonical) = spec.canonical(field, value).map_err(Fault::Form)?;
            let term = IndexTerm::Day { value: canonical, day: *day };
            add(form, term, Wire::OnDay(value.clone(), *day));
        }
        Wanted::Network(network) => {
            let form = spec.form.unwrap_or(Form::Ip);
            let terms = match &spec.networks {
                Some(lengths) => lengths.query(network).map_err(Fault::Network)?,
                // nothing is known of the lengths that are indexed: this very network
                None => vec![IndexTerm::Network(Canonical::new(Form::Cidr, network).map_err(Fault::Form)?)],
            };
            for term in terms {
                let IndexTerm::Network(own) = &term else { continue };
                let wire = Wire::Network(own.to_string());
                add(form, term, wire);
            }
        }
        Wanted::Suffix(suffix) => {
            let form = spec.form.unwrap_or(Form::Domain);
            add(form, IndexTerm::suffix(suffix).map_err(Fault::Form)?, Wire::Suffix(suffix.clone()));
        }
        // read before: it is looked at after opening
        Wanted::Unlike(_) => {}
    }
    Ok(())
}
