use super::*;
use crate::intake::tests::{Memory, world};
use crate::intake::{Intake, Stop, Stopper};
use std::io::Write as _;
use std::sync::Arc;

struct World {
    folder: tempfile::TempDir,
    sink: Arc<Memory>,
    intake: Intake,
    stop: Stop,
    _stopper: Stopper,
}

fn fresh() -> World {
    let (sink, intake, stopper, stop) = world();
    World { folder: tempfile::tempdir().unwrap(), sink, intake, stop, _stopper: stopper }
}

impl World {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, text: &str) {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(self.path("log"));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// A collector that was started again: it knows what is durable, and nothing else.
    fn tail(&self) -> Tail {
        let place = Place { intake: self.intake.clone(), stop: self.stop.clone(), name: "file log".into() };
        Tail { path: self.path("log"), format: Format::Json, place, open: None, over: None, has_told: false }
    }

    async fn all(&self, tail: &mut Tail) -> Vec<String> {
        while tail.step().await.unwrap() {}
        self.sink.texts()
    }
}

#[tokio::test]
async fn lines_are_read_as_they_come_and_half_a_line_waits() {
    let world = fresh();
    let mut tail = world.tail();
    assert!(world.all(&mut tail).await.is_empty());
    world.write("{\"a\":1}\n{\"a\"");
    assert_eq!(world.all(&mut tail).await, ["{\"a\":1}"]);
    world.write(":2}\n");
    assert_eq!(world.all(&mut tail).await, ["{\"a\":1}", "{\"a\":2}"]);
}

#[tokio::test]
async fn a_new_start_doubles_nothing_and_leaves_nothing_out() {
    let world = fresh();
    for number in 0..20 {
        world.write(&format!("{{\"a\":{number}}}\n\nnot json\n"));
        // each start knows only what the last durable record said
        assert_eq!(world.all(&mut world.tail()).await.len(), number + 1);
    }
}

#[tokio::test]
async fn a_rotated_file_is_read_to_its_end_before_the_next() {
    let world = fresh();
    let mut tail = world.tail();
    world.write("{\"a\":1}\n");
    world.all(&mut tail).await;
    world.write("{\"a\":2}\n{\"a\":3}");
    std::fs::rename(world.path("log"), world.path("log.1")).unwrap();
    world.write("{\"a\":4}\n");
    assert_eq!(world.all(&mut tail).await, ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}"]);
}

#[tokio::test]
async fn a_file_that_was_rotated_while_nobody_looked_is_found_under_its_new_name() {
    let world = fresh();
    world.write("{\"a\":1}\n");
    world.all(&mut world.tail()).await;
    world.write("{\"a\":2}\n");
    std::fs::rename(world.path("log"), world.path("log.1")).unwrap();
    world.write("{\"a\":3}\n");
    assert_eq!(world.all(&mut world.tail()).await, ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"]);
    world.write("{\"a\":4}\n");
    assert_eq!(world.all(&mut world.tail()).await.len(), 4);
}

#[tokio::test]
async fn a_rotated_file_that_ends_in_no_record_is_left_for_the_next() {
    for end in ["this is no record\n", "\n\n", "{\"half\""] {
        let world = fresh();
        let mut tail = world.tail();
        world.write(&format!("{{\"a\":1}}\n{end}"));
        world.all(&mut tail).await;
        std::fs::rename(world.path("log"), world.path("log.1")).unwrap();
        world.write("{\"a\":2}\n");
        for mut tail in [tail, world.tail()] {
            // it ends: each step that reads again what was refused would be one more
            let mut steps = 0;
            while tail.step().await.unwrap() {
                steps += 1;
                assert!(steps < 10, "{end:?} is read again and again");
            }
            assert_eq!(world.sink.texts(), ["{\"a\":1}", "{\"a\":2}"], "{end:?}");
        }
    }
}

#[tokio::test]
async fn a_truncated_file_is_read_from_its_beginning() {
    let world = fresh();
    let mut tail = world.tail();
    world.write("{\"a\":1}\n{\"a\":2}\n");
    world.all(&mut tail).await;
    std::fs::write(world.path("log"), "{\"a\":3}\n").unwrap();
    assert_eq!(world.all(&mut tail).await.len(), 3);
    // under the same inode and longer than what was read, told by its beginning
    std::fs::write(world.path("log"), "{\"b\":4}\n{\"b\":5}\n{\"b\":6}\n").unwrap();
    assert_eq!(world.all(&mut world.tail()).await.len(), 6);
}

#[tokio::test]
async fn a_folder_and_a_missing_file_are_waited_for() {
    let world = fresh();
    std::fs::create_dir(world.path("log")).unwrap();
    let mut tail = world.tail();
    assert!(world.all(&mut tail).await.is_empty());
    std::fs::remove_dir(world.path("log")).unwrap();
    world.write("{\"a\":1}\n");
    assert_eq!(world.all(&mut tail).await.len(), 1);
}

#[test]
fn a_position_comes_back_as_it_was_kept() {
    let position = Position { inode: 7, offset: 1 << 40, head_bytes: 255, head: [9; 16] };
    assert_eq!(Position::from_bytes(&position.to_bytes()), Some(position));
    for length in [0, 5, POSITION_BYTES - 1, POSITION_BYTES + 1] {
        assert_eq!(Position::from_bytes(&vec![0; length]), None);
    }
}
