//! What each choice shows, and to whom: for `explain` and for documents, in one place.

use crate::spec::Spec;

/// Something that an index shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leak {
    /// Who learns it.
    pub to: &'static str,
    /// What they learn.
    pub what: &'static str,
}

const KEEPER: &str = "who keeps the records";
const COLLECTOR: &str = "the collector of the field";

const ALWAYS: &[Leak] = &[
    Leak {
        to: KEEPER,
        what: "which records of one collector and epoch have the same value in a field, and how often; which tokens are \
               asked for, when, and how many records answer; the hour at which a record arrives",
    },
    Leak {
        to: COLLECTOR,
        what: "which of its own records have a value that it tries: it holds the key of its own fields, and of no one \
               else's",
    },
    Leak {
        to: "who keeps the records, together with a collector",
        what: "all values of that collector's field and epoch that somebody cares to try; all addresses of IPv4 are tried \
               in an hour",
    },
];

const NETWORKS: &[Leak] = &[Leak {
    to: KEEPER,
    what: "which records have addresses in the same network of each indexed length, and so which values lie close \
           together; with few networks of a short length, their sizes tell which they are",
}];

const SUFFIXES: &[Leak] = &[Leak {
    to: KEEPER,
    what: "which records have domains below the same domain, how deep each name is, and which domains have many names \
           below them: the tree of names without the names",
}];

const DAYS: &[Leak] = &[Leak {
    to: KEEPER,
    what: "which records have the same value on the same day of the event, also where they arrived much later",
}];

/// What an index by this specification shows.
pub fn leaks(spec: &Spec) -> Vec<Leak> {
    let opted = [(spec.networks.is_some(), NETWORKS), (spec.suffixes, SUFFIXES), (spec.days, DAYS)];
    let opted = opted.iter().filter(|(is_opted, _)| *is_opted).flat_map(|(_, leaks)| *leaks);
    ALWAYS.iter().chain(opted).copied().collect()
}
