use super::*;
use serde_json::Value;
use serde_json::value::RawValue;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use strongroom_ambient::{FakeClock, SeededEntropy, UnixMillis};
use strongroom_sharing::{MemberId, RecordId};

fn ambient() -> Ambient {
    Ambient { clock: Arc::new(FakeClock::at(UnixMillis(0))), entropy: Arc::new(SeededEntropy::new(1)) }
}

fn open(name: &str, value: &str) -> Cell {
    Cell::Open { name: name.to_owned(), value: RawValue::from_string(value.to_owned()).unwrap() }
}

fn row(sequence: u64, cells: Vec<Cell>) -> Row {
    Row { id: RecordId { collector: MemberId([0xab; 16]), sequence }, hour: 500_000, cells }
}

fn sealed() -> Cell {
    Cell::Sealed { label: "0f".repeat(16), policy: "UNR and CERT".to_owned() }
}

fn written(format: Format, ids: bool, rows: &[Row]) -> String {
    let mut out = Vec::new();
    let mut sink = sink(format, ids, &ambient(), &mut out);
    for row in rows {
        sink.row(row).unwrap();
    }
    sink.finish().unwrap();
    drop(sink);
    String::from_utf8(out).unwrap()
}

#[test]
fn json_lines_have_values_as_they_were_and_objects_put_together() {
    let cells = vec![
        open("n", "1.50e+3"),
        open("http/host", "\"x\""),
        open("http/a~1b", "[1,\n 2]"),
        open("deep", "{ \"k\" : \"a b\" }"),
        sealed(),
    ];
    let line = written(Format::Ndjson, true, &[row(7, cells)]);
    let label = "0f".repeat(16);
    let expected = format!(
        "{{\"_record\":{{\"arrived\":1800000000,\"id\":\"{}-7\"}},\"deep\":{{\"k\":\"a b\"}},\
         \"http\":{{\"a/b\":[1,2],\"host\":\"x\"}},\"n\":1.50e+3,\"sealed:{label}\":{{\"sealed\":\"UNR and CERT\"}}}}\n",
        "ab".repeat(16)
    );
    assert_eq!(line, expected);
}

#[test]
fn names_in_each_others_way_lose_nothing() {
    for cells in [
        vec![open("a", "1"), open("a/b", "2")],
        vec![open("a/b", "2"), open("a", "1")],
        vec![open(&"x/".repeat(100), "1"), open("", "2")],
    ] {
        let line = written(Format::Ndjson, false, &[row(1, cells)]);
        let object: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object.as_object().unwrap().len(), 2, "{line}");
    }
}

#[test]
fn csv_is_rfc_4180_and_runs_no_formula() {
    let rows = [
        row(1, vec![open("a", "\"x,\\\"y\\\"\\n\""), open("f", "\"=cmd|' /c calc'!A0\"")]),
        row(2, vec![open("f", "-5"), open("a", "[1, 2]"), sealed()]),
        row(3, vec![open("a", "\" =1+1\""), open("f", "null"), open("@b", "\"@x\"")]),
    ];
    let text = written(Format::Csv, false, &rows);
    let label = "0f".repeat(16);
    let expected = [
        "\"'@b\",a,f,_sealed".to_owned(),
        ",\"x,\"\"y\"\"\n\",\"'=cmd|' /c calc'!A0\",".to_owned(),
        format!(",\"[1,2]\",-5,{label}: UNR and CERT"),
        "\"'@x\",\"' =1+1\",,".to_owned(),
    ];
    assert_eq!(text, expected.join("\r\n") + "\r\n");
}

#[test]
fn a_table_does_nothing_to_a_terminal() {
    let rows = [row(1, vec![open("a", "\"\\u001b[31m\\u202e\""), open("b", "7")]), row(2, vec![sealed()])];
    let text = written(Format::Table, false, &rows);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].starts_with("\\u{1b}[31m\\u{202e}"));
    assert!(lines[2].contains("UNR and CERT"));
    let long = format!("\"{}\"", "x".repeat(500));
    assert!(
        written(Format::Table, false, &[row(1, vec![open("a", &long)])]).lines().all(|line| line.len() < 100)
    );
}

#[test]
fn stix_objects_stay_and_other_records_become_observed_data() {
    let id = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
    let own = vec![open("type", "\"indicator\""), open("id", &format!("\"{id}\"")), open("name", "\"x\"")];
    let other = vec![open("src_ip", "\"198.51.100.3\""), open("url", "\"http://example.org/a\""), sealed()];
    let text = written(Format::Stix, false, &[row(1, own.clone()), row(1, own), row(2, other)]);
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle["type"], "bundle");
    let objects = bundle["objects"].as_array().unwrap();
    let kinds: Vec<&str> = objects.iter().map(|object| object["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["indicator", "ipv4-addr", "url", "x-strongroom-record", "observed-data"]);
    // what the OASIS library of STIX 2.1 gives: the id of this address is the same everywhere
    assert_eq!(objects[1]["id"], "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
    let references = objects[4]["object_refs"].as_array().unwrap();
    assert!(
        references.iter().all(|id| objects.iter().any(|object| object["id"] == *id)) && references.len() == 3
    );
    assert_eq!(objects[3]["sealed"][0]["policy"], "UNR and CERT");
    assert_eq!(
        serde_json::from_str::<Value>(&written(Format::Stix, false, &[])).unwrap()["objects"],
        Value::Array(vec![])
    );
}

#[test]
fn a_file_is_there_whole_for_its_owner_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("found.ndjson");
    std::fs::write(&path, "before").unwrap();
    let mut file = OutputFile::create(&path, &ambient()).unwrap();
    file.write_all(b"half").unwrap();
    file.flush().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"before");
    drop(file);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left of it");
    let mut file = OutputFile::create(&path, &ambient()).unwrap();
    file.write_all(b"whole").unwrap();
    file.keep().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(OutputFile::create(folder.path(), &ambient()).is_err());
    assert!(OutputFile::create(&folder.path().join("no/such"), &ambient()).is_err());
}

#[test]
fn what_waits_in_memory_is_bounded() {
    let mut held = Held::default();
    let big = row(1, vec![open("a", &format!("\"{}\"", "x".repeat(1 << 20)))]);
    let taken = (0..400).take_while(|_| held.add(&big).is_ok()).count();
    assert_eq!(taken, 255);
}

#[test]
fn what_is_no_regular_file_is_written_to_and_stays_what_it_is() {
    use std::io::Read as _;
    use std::os::unix::fs::FileTypeExt as _;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reading = std::thread::spawn({
        let pipe = pipe.clone();
        move || {
            let mut text = String::new();
            std::fs::File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
            text
        }
    });
    let mut file = OutputFile::create(&pipe, &ambient()).unwrap();
    file.write_all(b"through").unwrap();
    file.keep().unwrap();
    assert_eq!(reading.join().unwrap(), "through");
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
    // a device, by a link in this folder: nothing beside the device is touched whatever happens
    let link = folder.path().join("null");
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    let mut file = OutputFile::create(&link, &ambient()).unwrap();
    file.write_all(b"away").unwrap();
    drop(file);
    assert!(std::fs::metadata(&link).unwrap().file_type().is_char_device());
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    // a link to a file stays one
    let (target, link) = (folder.path().join("target"), folder.path().join("link"));
    std::fs::write(&target, "before").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let mut file = OutputFile::create(&link, &ambient()).unwrap();
    file.write_all(b"after").unwrap();
    file.keep().unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::read(&target).unwrap(), b"after");
}
