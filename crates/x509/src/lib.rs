//! Certificate templates and chains for the server's own authority.
