//! Engine: credentials and tokens; a credential becomes a Caller.
