//! The slow look at every sealed record: whether it opens where it lies, and whether folders hold what they count.

use crate::BarrierError;
use crate::folder::Folder;
use crate::opened::Opened;
use crate::rows::keys;
use crate::sealed::SealedAt;
use std::sync::Arc;
use strongroom_keyring::OpenError;
use strongroom_model::FolderId;
use strongroom_store::{Range, Row};

/// Rows read at a time: each may have a mebibyte.
const PAGE: usize = 64;
/// More findings than this help nobody.
const MAX_FINDINGS: usize = 100;
/// Looks at a row or a count that others may be changing.
const LOOKS: usize = 5;

/// What a deep look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeepReport {
    /// Records that were opened.
    pub records: u64,
    /// What is wrong, each with its place; never a name.
    pub wrong: Vec<String>,
}

impl DeepReport {
    fn add(&mut self, wrong: String) {
        if self.wrong.len() < MAX_FINDINGS {
            self.wrong.push(wrong);
        }
    }
}

impl Opened {
    /// Opens every sealed record once, while others work. What a record holds is wiped at once.
    pub async fn deep_check(&self) -> Result<DeepReport, BarrierError> {
        let mut report = DeepReport::default();
        let mut range = Range::prefix(Vec::new(), PAGE);
        loop {
            let rows = self.store().list(range.clone()).await?;
            let Some(last) = rows.last().map(|row| row.key.clone()) else { break };
            for row in &rows {
                if self.opens(row).await? {
                    report.records += 1;
                } else {
                    report.add(format!("row {:?}: its record does not open", row.key));
                }
            }
            range.after = Some(last);
            tokio::task::yield_now().await;
        }
        for folder in self.all_folders() {
            self.check_folder(&folder, &mut report).await?;
        }
        Ok(report)
    }

    /// Whether a row's record opens, or has gone, or there is none in it.
    async fn opens(&self, row: &Row) -> Result<bool, BarrierError> {
        let mut row = row.clone();
        for _ in 0..LOOKS {
            let Some(at) = SealedAt::of(&row.key, &row.value) else { return Ok(true) };
            match self.try_open(&at, &row.value) {
                Ok(()) => return Ok(true),
                // changed, removed or sealed anew since it was listed
                Err(_) => match self.store().get(&row.key).await? {
                    None => return Ok(true),
                    Some(fresh) if fresh.revision == row.revision => return Ok(false),
                    Some(fresh) => row = fresh,
                },
            }
        }
        Ok(false)
    }

    fn try_open(&self, at: &SealedAt, value: &[u8]) -> Result<(), OpenError> {
        if let Some(id) = at.folder {
            let folder = self.folder_by_id(id).ok_or(OpenError::Malformed)?;
            let sealers = folder.sealers().current();
            return at.open(sealers.of(at.kind).ok_or(OpenError::Malformed)?, value);
        }
        let singles = self.singles.current();
        let sealer = singles.iter().find(|(kind, _)| *kind == at.kind).map(|(_, sealer)| sealer);
        at.open(sealer.ok_or(OpenError::Malformed)?, value)
    }

    fn folder_by_id(&self, id: FolderId) -> Option<Arc<Folder>> {
        let own = self.own_folders().into_iter().find(|folder| folder.id == id);
        own.cloned().or_else(|| self.store_folder(strongroom_model::StoreId(id.0)))
    }

    /// The authenticated count of a folder against what lies in it.
    async fn check_folder(&self, folder: &Folder, report: &mut DeepReport) -> Result<(), BarrierError> {
        let mut seen = (0, 0);
        for _ in 0..LOOKS {
            let counted = match folder.count().await {
                Ok((counted, _)) => counted,
                // its own row was found already
                Err(BarrierError::Corrupt { .. }) => return Ok(()),
                Err(fault) => return Err(fault),
            };
            seen = (counted, self.entries_of(folder.id).await?);
            if seen.0 == seen.1 {
                return Ok(());
            }
        }
        report.add(format!("folder {}: {} entries, counted are {}", folder.id, seen.1, seen.0));
        Ok(())
    }

    async fn entries_of(&self, folder: FolderId) -> Result<u64, BarrierError> {
        let mut range = Range::prefix(keys::entries(folder), PAGE * 16);
        let mut count = 0_u64;
        loop {
            let rows = self.store().list(range.clone()).await?;
            count += u64::try_from(rows.len()).unwrap_or(u64::MAX);
            match rows.into_iter().next_back() {
                Some(last) => range.after = Some(last.key),
                None => return Ok(count),
            }
        }
    }
}
