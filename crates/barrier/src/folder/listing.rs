//! Names of a folder, in order: from the index, or by opening the folder where it has more than the index holds.

use super::{Folder, SCAN_ROWS};
use crate::BarrierError;
use crate::name_list::Names;

/// Most names that a listing of a folder beyond the index opens.
const MAX_UNINDEXED_LIST: usize = 10_000_000;

/// A page of names.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The names, in order.
    pub names: Names,
    /// Whether there are more after the last.
    pub more: bool,
}

impl Folder {
    /// Names in order that begin with `prefix`, after `after`, that `keep` wants, and whose newest version can be read.
    pub async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<Page, BarrierError> {
        self.page_where(prefix, after, limit, |name, gone| !gone && keep(name)).await
    }

    /// The same, with those whose newest version is gone if `keep` wants them.
    pub async fn page_where(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&str, bool) -> bool + Send + Sync,
    ) -> Result<Page, BarrierError> {
        let indexed = {
            let index = self.index.read();
            index.is_whole().then(|| index.page(prefix, after, limit.saturating_add(1), &keep))
        };
        let mut names = match indexed {
            Some(names) => names,
            None => self.page_unindexed(prefix, after, limit.saturating_add(1), &keep).await?,
        };
        let more = names.len() > limit;
        names.truncate(limit);
        Ok(Page { names, more })
    }

    /// Opens the whole folder, keeping the smallest names beyond `after`.
    async fn page_unindexed(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        keep: &(impl Fn(&str, bool) -> bool + Send + Sync),
    ) -> Result<Names, BarrierError> {
        let mut smallest =
            std::collections::BinaryHeap::with_capacity(limit.saturating_add(1).min(SCAN_ROWS));
        let wanted = |name: &str, gone| {
            name.starts_with(prefix) && after.is_none_or(|after| name > after) && keep(name, gone)
        };
        let mut position = None;
        let mut opened = 0;
        loop {
            let rows = self.scan(position.take()).await?;
            let Some(last) = rows.last().map(|row| row.key.clone()) else { break };
            opened += rows.len();
            if opened > MAX_UNINDEXED_LIST {
                return Err(BarrierError::Store(strongroom_store::StoreError::Busy));
            }
            for row in &rows {
                let Some(entry) = self.open_entry(row).await? else { continue };
                if wanted(&entry.name, entry.lives.gone) {
                    smallest.push((entry.name, entry.lives.gone));
                    if smallest.len() > limit {
                        smallest.pop();
                    }
                }
            }
            position = Some(last);
        }
        Ok(smallest.into_sorted_vec().iter().map(|(name, gone)| (name.as_str(), *gone)).collect())
    }
}
