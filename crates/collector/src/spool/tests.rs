//! The log against kills, full disks and damage.

use super::*;
use strongroom_abe::{MasterKey, Policy, RightKeys};
use strongroom_ambient::Ambient;
use strongroom_crypto::PrivateKey;
use strongroom_envelope::{Batch, PlainField, PolicyAndSuite, PolicySet, SealError, Suite};

const MEMBER: MemberId = MemberId([7; 16]);

struct Maker {
    batch: Batch,
    header: Option<Vec<u8>>,
    signer: PrivateKey,
}

impl Maker {
    fn new() -> Self {
        let ambient = Ambient::system();
        let master = MasterKey::generate(&ambient, 1).unwrap();
        let policy = PolicyAndSuite { policy: Policy::parse("A").unwrap(), suite: Suite::Pairing };
        let set = PolicySet::prepare(master.public(), 1, &[policy], &RightKeys::default()).unwrap();
        let (batch, header) = Batch::begin(&ambient, MEMBER, &set).unwrap();
        let signer = PrivateKey::ed25519_from_seed(&[1; 32]).unwrap();
        Self { batch, header: Some(header.to_bytes()), signer }
    }

    /// Writes a group of records, each with a mark.
    fn write(&mut self, spool: &Spool, count: u64, size: usize) -> Result<Position, SpoolError> {
        let value = format!("\"{}\"", "x".repeat(size));
        let Self { batch, header, signer } = self;
        let written = spool.write(false, |draft| {
            if let Some(header) = header.clone() {
                draft.header(header);
            }
            for number in 0..count {
                let field = PlainField { label: [1; 16], name: "a", value: value.as_bytes(), policy: 0 };
                draft
                    .record(|chain, out| {
                        Ok::<_, SealError>(batch.seal(chain, signer, &[field], &[], out)?.sequence)
                    })
                    .unwrap();
                draft.mark("file:x", &number.to_be_bytes());
            }
            Ok::<_, SpoolError>(())
        });
        let ((), place) = written?;
        self.header = None;
        spool.sync(place)?;
        Ok(place)
    }
}

fn limits(home: &Path) -> SpoolConfig {
    SpoolConfig { folder: home.join("spool"), max_bytes: 1 << 30, keep_free_bytes: 0 }
}

fn next(spool: &Spool) -> u64 {
    spool.chain().next_sequence()
}

#[test]
fn after_a_restart_everything_stands_where_it_stood() {
    let home = tempfile::tempdir().unwrap();
    let mut maker = Maker::new();
    let spool = Spool::open(&limits(home.path()), MEMBER).unwrap();
    spool.set_epoch(3).unwrap();
    maker.write(&spool, 3, 10).unwrap();
    maker.write(&spool, 2, 10).unwrap();
    spool.set_posted(4);
    let (chain, level) = (spool.chain(), spool.level());
    assert!(matches!(Spool::open(&limits(home.path()), MEMBER), Err(SpoolError::InUse { .. })));
    drop(spool);
    let again = Spool::open(&limits(home.path()), MEMBER).unwrap();
    assert_eq!((again.chain(), again.level(), again.posted()), (chain, level, 4));
    assert_eq!(again.mark("file:x"), Some(1_u64.to_be_bytes().to_vec()));
    assert_eq!(again.epochs(), (vec![3], 3));
    drop(again);
    let other = Spool::open(&limits(home.path()), MemberId([8; 16]));
    assert!(matches!(other, Err(SpoolError::OtherMember { .. })));
}

#[test]
fn a_torn_end_is_cut_wherever_it_was_torn() {
    let home = tempfile::tempdir().unwrap();
    let mut maker = Maker::new();
    let spool = Spool::open(&limits(home.path()), MEMBER).unwrap();
    let (segment, first) = maker.write(&spool, 2, 10).unwrap();
    let (_, second) = maker.write(&spool, 1, 10).unwrap();
    drop(spool);
    let path = segment_path(&home.path().join("spool"), segment);
    let whole = fs::read(&path).unwrap();
    assert_eq!(whole.len() as u64, second);
    for length in first..second {
        fs::write(&path, &whole[..usize::try_from(length).unwrap()]).unwrap();
        let spool = Spool::open(&limits(home.path()), MEMBER).unwrap();
        assert_eq!(next(&spool), 3);
        assert_eq!(fs::metadata(&path).unwrap().len(), first);
    }
    // what follows continues the chain, and is there after another start
    let spool = Spool::open(&limits(home.path()), MEMBER).unwrap();
    Maker::new().write(&spool, 1, 10).unwrap();
    drop(spool);
    assert_eq!(next(&Spool::open(&limits(home.path()), MEMBER).unwrap()), 4);
}

#[test]
fn damage_is_told_and_what_is_behind_it_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let mut maker = Maker::new();
    let spool = Spool::open(&limits(home.path()), MEMBER).unwrap();
    let (segment, first) = maker.write(&spool, 1, 10).unwrap();
    maker.write(&spool, 1, 10).unwrap();
    maker.write(&spool, 1, 10).unwrap();
    drop(spool);
    let folder = home.path().join("spool");
    let path = segment_path(&folder, segment);
    let mut bytes = fs::read(&path).unwrap();
    bytes[usize::try_from(first).unwrap() + 20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let spool = Spool::open(&limits(home.path()), MEMBER).unwrap();
    assert_eq!(next(&spool), 2);
    let aside = path.with_extension(format!("cut-at-{first}"));
    assert_eq!(fs::read(aside).unwrap(), bytes[usize::try_from(first).unwrap()..]);
    // in a segment that is not the last there is no torn end, only damage
    spool.set_epoch(9).unwrap();
    drop(spool);
    let length = fs::metadata(&path).unwrap().len();
    File::options().write(true).open(&path).unwrap().set_len(length - 1).unwrap();
    let error = Spool::open(&limits(home.path()), MEMBER).err().unwrap();
    assert!(matches!(&error, SpoolError::Damaged { path: named, .. } if *named == path), "{error}");
    fs::remove_file(&path).unwrap();
    // the first of what is left says where the chain stands
    assert_eq!(next(&Spool::open(&limits(home.path()), MEMBER).unwrap()), 2);
}

#[test]
fn a_full_spool_changes_nothing_and_takes_again_when_there_is_room() {
    let home = tempfile::tempdir().unwrap();
    let mut maker = Maker::new();
    let limits = SpoolConfig { max_bytes: 1 << 20, ..limits(home.path()) };
    let spool = Spool::open(&limits, MEMBER).unwrap();
    let full = loop {
        if let Err(error) = maker.write(&spool, 1, 100_000) {
            break error;
        }
    };
    assert!(matches!(full, SpoolError::Full { .. }));
    let before = next(&spool);
    assert!(maker.write(&spool, 1, 1).is_err());
    assert_eq!(next(&spool), before);
    spool.set_epoch(5).unwrap();
    spool.set_posted(before - 1);
    for (number, _) in spool.done() {
        spool.remove(number).unwrap();
    }
    Maker::new().write(&spool, 1, 1).unwrap();
    assert_eq!(next(&spool), before + 1);
}

#[test]
fn a_long_log_is_read_through_its_segments_and_forgotten_from_its_begin() {
    let home = tempfile::tempdir().unwrap();
    let mut maker = Maker::new();
    let spool = Spool::open(&limits(home.path()), MEMBER).unwrap();
    let mut cursor = Cursor::default();
    let mut seen = Vec::new();
    for _ in 0..50 {
        maker.write(&spool, 1, 900_000).unwrap();
        while let Some(sealed) = spool.next_sealed(&mut cursor, 0).unwrap() {
            seen.extend(sealed.records.iter().map(|(number, _)| *number));
        }
    }
    assert_eq!(seen, (1..=50).collect::<Vec<_>>());
    assert!(spool.lock().state.segments.len() >= 3);
    // each segment begins with the header of the batch that goes on
    let mut cursor = Cursor::default();
    let mut headers = 0;
    while let Some(sealed) = spool.next_sealed(&mut cursor, 40).unwrap() {
        headers += sealed.headers.len();
        assert!(sealed.records.iter().all(|(number, _)| *number > 40));
    }
    assert_eq!(headers, spool.lock().state.segments.len());
    spool.set_posted(30);
    let done = spool.done();
    assert!(!done.is_empty() && done.iter().all(|(_, segment)| segment.records.unwrap().1 <= 30));
    for (number, _) in done {
        spool.remove(number).unwrap();
    }
    drop(spool);
    let spool = Spool::open(&limits(home.path()), MEMBER).unwrap();
    assert_eq!((next(&spool), spool.posted()), (51, 30));
}

#[test]
fn a_draft_that_fails_leaves_no_trace() {
    let home = tempfile::tempdir().unwrap();
    let spool = Spool::open(&limits(home.path()), MEMBER).unwrap();
    let before = (spool.chain(), spool.level());
    let failed = spool.write(false, |draft| {
        draft.mark("file:x", b"1");
        draft.raw(|_| vec![1]);
        Err::<(), _>(SpoolError::Broken)
    });
    assert!(failed.is_err());
    assert_eq!((spool.chain(), spool.level(), spool.mark("file:x")), (before.0, before.1, None));
}

/// What the child of the next test works with.
const CHILD: &str = "STRONGROOM_TEST_SMALL_DISK";

/// Run by the next test as a process whose files may not grow: writes until that. Run alone it does nothing.
#[test]
fn child_on_a_small_disk() {
    let Some(home) = std::env::var_os(CHILD) else { return };
    let home = Path::new(&home);
    let mut maker = Maker::new();
    let spool = Spool::open(&limits(home), MEMBER).unwrap();
    let full = loop {
        if let Err(error) = maker.write(&spool, 3, 7_000) {
            break error;
        }
    };
    assert!(matches!(full, SpoolError::Full { .. }), "{full}");
    let before = next(&spool);
    let length = fs::metadata(segment_path(spool.folder(), 1)).unwrap().len();
    assert_eq!(spool.durable(), (1, length), "nothing of what failed is left");
    // less than what failed still fits
    maker.write(&spool, 1, 10).unwrap();
    assert_eq!(next(&spool), before + 1);
    let is_marked = || {
        let written = spool.write(false, |draft| {
            draft.mark("a", b"");
            Ok::<_, SpoolError>(())
        });
        written.is_ok()
    };
    while is_marked() {}
    // what is posted is known all the same, and makes room
    spool.set_posted(before);
    assert_eq!((spool.posted(), spool.level().waiting), (before, 0));
    println!("full at {before}");
}

#[test]
fn a_disk_that_fills_in_the_midst_of_a_write_leaves_no_half_record() {
    let home = tempfile::tempdir().unwrap();
    let own = std::env::current_exe().unwrap();
    let script =
        "trap '' XFSZ; ulimit -f 400; exec \"$0\" --exact spool::tests::child_on_a_small_disk --nocapture";
    let ran =
        std::process::Command::new("sh").arg("-c").arg(script).arg(own).env(CHILD, home.path()).output();
    let ran = ran.unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    let said = told.lines().find_map(|line| line.split_once("full at ")).unwrap().1;
    let full_at: u64 = said.trim().parse().unwrap();
    assert!(full_at > 10);
    // without the limit everything that was acknowledged is there
    assert_eq!(next(&Spool::open(&limits(home.path()), MEMBER).unwrap()), full_at + 1);
}
