//! What a store may take of the machine.

/// More connections than this would leave each too small a cache.
const MAX_POINT_READERS: usize = 8;

/// Sizes of one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Bytes of disk kept back for essential transactions when the disk is full.
    pub reserve_bytes: u64,
    /// Bytes of memory for all caches together: pages of the writer and the readers, and sealed rows.
    pub cache_bytes: usize,
    /// Places in the writer's queue; when they are taken, [`StoreError::Busy`](strongroom_store::StoreError::Busy).
    pub queue: usize,
    /// Pages in the log after which it is folded into the main file.
    pub wal_pages: u32,
    /// Connections for point reads; 0 is one a core.
    pub point_readers: usize,
    /// Connections for listings and the trail: so many run at once.
    pub scan_readers: usize,
}

impl Options {
    /// For production.
    pub const SERVER: Self = Self {
        reserve_bytes: 256 << 20,
        cache_bytes: 32 << 20,
        queue: 4_096,
        wal_pages: 4_000,
        point_readers: 0,
        scan_readers: 2,
    };

    /// For a developer's machine.
    pub const DEV: Self = Self { reserve_bytes: 16 << 20, wal_pages: 1_000, ..Self::SERVER };

    /// For tests.
    pub const TEST: Self = Self {
        reserve_bytes: 1 << 20,
        cache_bytes: 8 << 20,
        wal_pages: 64,
        point_readers: 2,
        ..Self::SERVER
    };

    /// Connections for point reads, counted.
    pub(crate) fn point_readers(&self) -> usize {
        match self.point_readers {
            0 => {
                std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(MAX_POINT_READERS)
            }
            count => count,
        }
    }

    /// Page cache of the writer, in bytes.
    pub(crate) fn writer_cache(&self) -> usize {
        self.cache_bytes / 4
    }

    /// Page cache of each point reader, in bytes.
    pub(crate) fn point_cache(&self) -> usize {
        (self.cache_bytes / 4) / self.point_readers()
    }

    /// Page cache of each scanning reader, in bytes.
    pub(crate) fn scan_cache(&self) -> usize {
        (self.cache_bytes / 8) / self.scan_readers.max(1)
    }

    /// Sealed rows kept for point reads, in bytes.
    pub(crate) fn row_cache(&self) -> usize {
        self.cache_bytes / 4
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::SERVER
    }
}
