//! What this collector sent in an epoch, kept until the epoch has ended: then a tree over it is signed and posted, by which
//! readers see whether they were told everything.
//!
//! Before a segment is removed, its (token, number, digest) are written into a sorted file; at the end of the epoch the files
//! are merged. Nothing of it is in memory meanwhile.

use super::PostError;
use crate::pipeline::Pipeline;
use crate::spool::{Spool, SpoolError};
use data_encoding::{BASE64, HEXLOWER};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom_blindindex::Token;
use strongroom_envelope::{Leaf, ProofTree, Signed, Tally};
use strongroom_sharing::exchange::{EpochProof, PostProof};

/// Before each file.
const MAGIC: &[u8; 8] = b"SRPROOF1";
/// Token, number, digest.
const ENTRY_BYTES: usize = 16 + 8 + 32;
/// The most leaves that are posted.
const MAX_LEAVES: usize = 1_000_000;
/// What a collector signs the end of an epoch as.
const CONTEXT: &str = "strongroom sharing epoch v1";

type Entry = [u8; ENTRY_BYTES];

fn at(path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    let path = path.to_owned();
    move |source| SpoolError::Io { path, source }
}

fn folder(spool: &Spool, epoch: u64) -> PathBuf {
    spool.folder().join("proofs").join(epoch.to_string())
}

/// Removes the segments of which nothing is needed any more; what they put into their epoch is kept first.
pub(super) fn retire(spool: &Spool) -> Result<(), SpoolError> {
    for (number, segment) in spool.done() {
        if let Some((first, last)) = segment.records {
            write_run(spool, number, segment.epoch, first, last)?;
        }
        spool.remove(number)?;
    }
    Ok(())
}

fn write_run(spool: &Spool, number: u64, epoch: u64, first: u64, last: u64) -> Result<(), SpoolError> {
    let mut entries: Vec<Entry> = Vec::new();
    spool.records_of(number, |record| {
        let (sequence, digest) = (record.id().sequence, record.digest());
        entries.extend(record.tokens().map(|token| entry(&token, sequence, &digest)));
    })?;
    entries.sort_unstable();
    let folder = folder(spool, epoch);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(at(&folder))?;
    let path = folder.join(format!("{number:016x}.run"));
    let temporary = folder.join("run.new");
    let write = || {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        let head = [MAGIC.as_slice(), &first.to_be_bytes(), &last.to_be_bytes()].concat();
        file.write_all(&head)?;
        file.write_all(entries.as_flattened())?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(&folder)?.sync_all()
    };
    write().map_err(at(&path))
}

fn entry(token: &Token, sequence: u64, digest: &[u8; 32]) -> Entry {
    let mut entry = [0; ENTRY_BYTES];
    let sequence = sequence.to_be_bytes();
    let bytes = token.0.iter().chain(&sequence).chain(digest);
    entry.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    entry
}

/// A file that is being merged.
struct Run(BufReader<File>);

impl Run {
    /// Opens a file; says which records it is of.
    fn open(path: &Path) -> io::Result<(Self, u64, u64)> {
        let mut file = BufReader::new(File::open(path)?);
        let mut head = [0; 24];
        file.read_exact(&mut head)?;
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "it is none of this program's");
        let (magic, rest) = head.split_first_chunk::<8>().ok_or_else(wrong)?;
        let (first, last) = rest.split_first_chunk::<8>().ok_or_else(wrong)?;
        let last = last.first_chunk::<8>().ok_or_else(wrong)?;
        if magic != MAGIC {
            return Err(wrong());
        }
        Ok((Self(file), u64::from_be_bytes(*first), u64::from_be_bytes(*last)))
    }

    fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut entry = [0; ENTRY_BYTES];
        match self.0.read_exact(&mut entry) {
            Ok(()) => Ok(Some(entry)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What an epoch's files say together.
struct Epoch {
    first: u64,
    last: u64,
    leaves: Vec<Leaf>,
}

fn merged(paths: &[PathBuf]) -> io::Result<Option<Epoch>> {
    let mut heap = BinaryHeap::new();
    let mut runs = Vec::new();
    let (mut first, mut last) = (u64::MAX, 0);
    for path in paths {
        let (mut run, from, to) = Run::open(path)?;
        (first, last) = (first.min(from), last.max(to));
        heap.extend(run.next()?.map(|entry| Reverse((entry, runs.len()))));
        runs.push(run);
    }
    let mut leaves: Vec<Leaf> = Vec::new();
    while let Some(Reverse((entry, place))) = heap.pop() {
        if let Some(run) = runs.get_mut(place) {
            heap.extend(run.next()?.map(|entry| Reverse((entry, place))));
        }
        add(&mut leaves, &entry);
        if leaves.len() > MAX_LEAVES {
            return Ok(None);
        }
    }
    Ok(Some(Epoch { first, last, leaves }))
}

fn add(leaves: &mut Vec<Leaf>, entry: &Entry) {
    let Some((token, rest)) = entry.split_first_chunk::<16>() else { return };
    let Some((sequence, digest)) = rest.split_first_chunk::<8>() else { return };
    let Some(digest) = digest.first_chunk::<32>() else { return };
    let sequence = u64::from_be_bytes(*sequence);
    if let Some(leaf) = leaves.last_mut().filter(|leaf| leaf.token.0 == *token) {
        leaf.tally.add(sequence, digest);
        return;
    }
    let mut tally = Tally::default();
    tally.add(sequence, digest);
    leaves.push(Leaf { token: Token(*token), tally });
}

/// Posts the proofs of epochs that have ended and of which the exchange has everything.
pub(super) async fn post_ended(pipeline: &Arc<Pipeline>) -> Result<(), PostError> {
    for epoch in ended(&pipeline.spool)? {
        let worker = pipeline.clone();
        let proof = tokio::task::spawn_blocking(move || proof_of(&worker, epoch)).await;
        if let Some(proof) = &proof.map_err(|_| PostError::Interrupted)?? {
            let session = pipeline.session();
            session
                .with_token(|token| async move { session.exchange().post_proof(&token, proof).await })
                .await?;
        } else {
            tracing::error!("epoch {epoch} has more than {MAX_LEAVES} different tokens: it gets no proof");
        }
        let folder = folder(&pipeline.spool, epoch);
        fs::remove_dir_all(&folder).map_err(at(&folder))?;
    }
    Ok(())
}

fn ended(spool: &Spool) -> Result<Vec<u64>, SpoolError> {
    let all = spool.folder().join("proofs");
    let entries = match fs::read_dir(&all) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(&all)(error)),
    };
    let (open, present) = spool.epochs();
    let names = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut ended: Vec<u64> = names.filter(|epoch: &u64| *epoch < present && !open.contains(epoch)).collect();
    ended.sort_unstable();
    Ok(ended)
}

fn proof_of(pipeline: &Pipeline, epoch: u64) -> Result<Option<PostProof>, PostError> {
    let folder = folder(&pipeline.spool, epoch);
    let list = || -> io::Result<Vec<PathBuf>> {
        let all = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        Ok(all.into_iter().filter(|path| path.extension().is_some_and(|end| end == "run")).collect())
    };
    let epochs = list().and_then(|paths| merged(&paths)).map_err(at(&folder))?;
    let Some(Epoch { first, last, leaves }) = epochs else { return Ok(None) };
    let damaged =
        |_| SpoolError::Damaged { path: folder.clone(), offset: 0, what: "its tokens are out of order" };
    let tree = ProofTree::new(leaves).map_err(damaged)?;
    let session = pipeline.session();
    let proof = EpochProof {
        collector: session.member(),
        epoch,
        first,
        last,
        root: HEXLOWER.encode(&tree.root()),
        leaves: u64::try_from(tree.leaves().len()).unwrap_or(u64::MAX),
    };
    let signed = Signed::sign(&proof, session.identity().signer(), CONTEXT)?.into_text();
    Ok(Some(PostProof { signed, leaves: BASE64.encode(&tree.to_bytes()) }))
}
