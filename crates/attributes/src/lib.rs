//! The attribute authority: members, epochs, keys for whoever has the attributes.
