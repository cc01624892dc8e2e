//! The attribute authority over HTTP, at the paths of CYBEX-P.
