//! The names of a store's secrets.

use crate::SecretsError;
use crate::actions::ListSecrets;
use crate::operations::fail;
use strongroom_gate::{Held, Page, Permit, Verdict};

/// Which names a listing wants.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// They begin with this.
    pub prefix: &'a str,
    /// They come after this.
    pub after: Option<&'a str>,
    /// They have this in them.
    pub contains: Option<&'a str>,
    /// Those whose newest version is deleted or destroyed are wanted too.
    pub gone: bool,
}

/// Lists names in order, at most `limit`, of those that the caller may see.
pub async fn list(
    permit: Permit<ListSecrets>,
    wish: Wish<'_>,
    limit: usize,
) -> Result<Held<Page>, SecretsError> {
    let (view, mut entry) = permit.open();
    let wanted =
        |name: &str, gone: bool| (wish.gone || !gone) && wish.contains.is_none_or(|text| name.contains(text));
    match view.page_where(wish.prefix, wish.after, limit, wanted).await {
        Ok(page) => {
            entry.note(format!("{} names", page.names.len()));
            Ok(entry.hold(Verdict::Released, page))
        }
        Err(fault) => fail(entry, fault.into()).await,
    }
}
