//! Pages of people, groups and ACLs: a limit, and a cursor bound to the caller and the listing.

use crate::Door;
use crate::fault::Fault;
use crate::request::{Context, Query};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use strongroom_api::{Code, Endpoint};

const DEFAULT_PAGE: u64 = 1_000;
const MAX_PAGE: u64 = 10_000;

/// Where a page begins, and how long it is.
pub(crate) struct Paging {
    /// The last name of the page before.
    pub(crate) after: Option<String>,
    /// Names at most.
    pub(crate) limit: usize,
}

impl Paging {
    /// From the query's `cursor` and `limit`.
    pub(crate) fn of(
        door: &Door,
        context: &Context,
        listing: Endpoint,
        query: &Query,
    ) -> Result<Self, Fault> {
        let limit = query.number("limit")?.unwrap_or(DEFAULT_PAGE);
        if limit == 0 || limit > MAX_PAGE {
            return Err(Fault::new(Code::InvalidRequest, format!("limit is from 1 to {MAX_PAGE}")));
        }
        let after = query.text("cursor").map(|cursor| open(door, context, listing, cursor)).transpose()?;
        Ok(Self { after, limit: usize::try_from(limit).unwrap_or(usize::MAX) })
    }
}

fn mac(door: &Door, context: &Context, listing: Endpoint, name: &str) -> [u8; 32] {
    door.cursors.sign(&[b"page\0", listing.name().as_bytes(), b"\0", &context.user().0, name.as_bytes()])
}

/// The cursor of the page after a name.
pub(crate) fn seal(door: &Door, context: &Context, listing: Endpoint, name: &str) -> String {
    URL_SAFE_NO_PAD.encode([mac(door, context, listing, name).as_slice(), name.as_bytes()].concat())
}

fn open(door: &Door, context: &Context, listing: Endpoint, cursor: &str) -> Result<String, Fault> {
    let wrong =
        || Fault::new(Code::InvalidRequest, "cursor is not of this listing, or from before a restart");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    let (tag, name) = bytes.split_at_checked(32).ok_or_else(wrong)?;
    let name = std::str::from_utf8(name).map_err(|_| wrong())?;
    let right = strongroom_secret::bytes_eq(&mac(door, context, listing, name), tag);
    if right { Ok(name.to_owned()) } else { Err(wrong()) }
}
