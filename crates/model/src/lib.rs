//! Words: ids, names, actions, principals, JSON scanning.
