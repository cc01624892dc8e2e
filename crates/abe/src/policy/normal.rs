//! The canonical form.

use std::collections::BTreeSet;

use super::{Lint, Node};

/// A gate's kind: what joins, repeats and implies depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    And,
    Or,
    Threshold,
}

fn kind(need: usize, of: usize) -> Kind {
    match need {
        1 => Kind::Or,
        _ if need == of => Kind::And,
        _ => Kind::Threshold,
    }
}

/// Makes a policy canonical; what is dropped is told.
pub(super) fn normalise(node: Node, lints: &mut Vec<Lint>) -> Node {
    let Node::Gate { need, of } = node else { return node };
    let kind = kind(need, of.len());
    let mut terms: Vec<Node> = Vec::with_capacity(of.len());
    for term in of.into_iter().map(|term| normalise(term, lints)) {
        match term {
            Node::Gate { need, of } if kind != Kind::Threshold && self::kind(need, of.len()) == kind => {
                terms.extend(of);
            }
            other => terms.push(other),
        }
    }
    let mut terms: Vec<(String, Node)> = terms.into_iter().map(|term| (text(&term), term)).collect();
    terms.sort_by(|left, right| left.0.cmp(&right.0));
    if kind != Kind::Threshold {
        drop_repeated(&mut terms, lints);
        drop_implied(&mut terms, kind, lints);
    }
    rebuild(kind, need, terms.into_iter().map(|term| term.1).collect())
}

fn rebuild(kind: Kind, need: usize, mut of: Vec<Node>) -> Node {
    if of.len() == 1 {
        return of.swap_remove(0);
    }
    let need = match kind {
        Kind::And => of.len(),
        Kind::Or => 1,
        Kind::Threshold => need,
    };
    Node::Gate { need, of }
}

fn drop_repeated(terms: &mut Vec<(String, Node)>, lints: &mut Vec<Lint>) {
    terms.dedup_by(|later, earlier| {
        let is_same = later.0 == earlier.0;
        if is_same {
            lints.push(Lint::Repeated { term: later.0.clone() });
        }
        is_same
    });
}

/// Absorption: `A or (A and B)` is `A`, and so is `A and (A or B)`.
fn drop_implied(terms: &mut Vec<(String, Node)>, kind: Kind, lints: &mut Vec<Lint>) {
    let parts: Vec<BTreeSet<String>> = terms.iter().map(|(text, term)| parts(text, term, kind)).collect();
    let implied_by = |at: usize| {
        let own = parts.get(at)?;
        let place = parts.iter().position(|other| other.len() < own.len() && other.is_subset(own))?;
        terms.get(place).map(|term| term.0.clone())
    };
    let implied: Vec<Option<String>> = (0..terms.len()).map(implied_by).collect();
    let mut implied = implied.into_iter();
    terms.retain(|(text, _)| {
        let by = implied.next().flatten();
        let is_kept = by.is_none();
        lints.extend(by.map(|by| Lint::Implied { term: text.clone(), by }));
        is_kept
    });
}

/// The terms that a term of the other kind joins: of an `or`, what must all hold; of an `and`, what does.
fn parts(text: &str, term: &Node, around: Kind) -> BTreeSet<String> {
    match term {
        Node::Gate { need, of } => match (kind(*need, of.len()), around) {
            (Kind::And, Kind::Or) | (Kind::Or, Kind::And) => of.iter().map(self::text).collect(),
            _ => BTreeSet::from([text.to_owned()]),
        },
        Node::Leaf(_) => BTreeSet::from([text.to_owned()]),
    }
}

/// The text of a node.
pub(super) fn text(node: &Node) -> String {
    let mut out = String::new();
    write(node, false, &mut out);
    out
}

fn write(node: &Node, inside: bool, out: &mut String) {
    match node {
        Node::Leaf(attribute) => out.push_str(attribute.as_str()),
        Node::Gate { need, of } => match kind(*need, of.len()) {
            Kind::Threshold => {
                out.push_str(&need.to_string());
                out.push_str(" of (");
                join(of, ", ", false, out);
                out.push(')');
            }
            kind => {
                let word = if kind == Kind::And { " and " } else { " or " };
                out.push_str(if inside { "(" } else { "" });
                join(of, word, true, out);
                out.push_str(if inside { ")" } else { "" });
            }
        },
    }
}

fn join(of: &[Node], between: &str, inside: bool, out: &mut String) {
    for (at, term) in of.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { between });
        write(term, inside, out);
    }
}
