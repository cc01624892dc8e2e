//! The PDP: decides, with the rule that decided.
