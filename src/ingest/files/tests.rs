use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};
use storage::model::{Classification, Form, Licence, Purpose, Retention};

use super::*;

pub(super) fn source() -> SourceSpec {
    SourceSpec {
        name: "feed".into(),
        purposes: [Purpose::ThreatIntel].into_iter().collect(),
        licence: Licence::OpenDataOk,
        retention: Retention::Standard365d,
        classification: Classification::Internal,
        personal: false,
    }
}

/// Everything that a file holds.
pub(super) struct Read {
    pub(super) said: Vec<Said>,
    pub(super) rejects: Vec<Reject>,
    pub(super) end: Result<Summary, Fatal>,
}

pub(super) fn read(format: Format, bytes: &[u8]) -> Read {
    read_into(&mut Import::new(source()), format, bytes)
}

pub(super) fn read_into(import: &mut Import, format: Format, mut bytes: &[u8]) -> Read {
    let (mut said, mut rejects) = (Vec::new(), Vec::new());
    let end = import.read(format, "file", &mut bytes, &mut |item| {
        match item {
            Item::Said { said: of, .. } => said.push(of),
            Item::Reject(reject) => rejects.push(reject),
        }
        ControlFlow::Continue(())
    });
    Read { said, rejects, end }
}

impl Read {
    pub(super) fn codes(&self) -> Vec<&'static str> {
        self.rejects.iter().map(|reject| reject.code).collect()
    }

    pub(super) fn fatal(self) -> Fatal {
        self.end.expect_err("the file cannot be read to its end")
    }
}

/// The object that was said, put together again.
pub(super) fn object(said: &Said, stix_type: &str) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), stix_type.into());
    object.insert("id".into(), said.id.clone().into());
    for claim in said.parts.iter().flat_map(|part| &part.claims) {
        let value = serde_json::from_str(&claim.json).expect("a claim is JSON");
        object.insert(claim.name.clone(), value);
    }
    Value::Object(object)
}

/// The first of these files, beside or above the checkout, that is there.
fn at_hand(name: &str) -> Option<Vec<u8>> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found =
        ["", "..", "../.."].map(|above| here.join(above).join(name)).into_iter().find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: {name} is not at hand");
    }
    found.map(|path| std::fs::read(path).expect("the file can be read"))
}

/// ATT&CK for industrial control systems, from the folder with outside data.
const ICS_ATTACK: &str = "shared/data/stix/ics-attack-18.1.json";
/// The demo's bundle, where it was built.
const DEMO: &str = "target/demo/attack-enterprise.json";

#[test]
fn real_bundles_are_taken_whole_and_exactly() {
    for bytes in [ICS_ATTACK, DEMO].into_iter().filter_map(at_hand) {
        let whole: Value = serde_json::from_slice(&bytes).expect("the bundle is JSON");
        let given = whole["objects"].as_array().expect("a list");
        let read = read(Format::Stix, &bytes);
        assert_eq!(read.rejects, []);
        assert_eq!(read.said.len(), given.len());
        for (said, given) in read.said.iter().zip(given) {
            let stix_type = given["type"].as_str().expect("a type");
            assert_eq!(&object(said, stix_type), given);
            assert_eq!(said.form == Form::Relation, stix_type == "relationship");
            assert!(said.version_us.is_some());
        }
        let summary = read.end.expect("the file is whole");
        assert_eq!(summary.said, given.len() as u64);
        assert_eq!(summary.late_markings, [] as [String; 0]);
    }
}

#[test]
fn gzip_makes_no_difference() {
    let lines = b"{\"id\":\"a\",\"type\":\"t\"}\n{\"id\":\"b\",\"type\":\"t\"}\n";
    let plain = read(Format::Jsonl, lines);
    let packed = read(Format::Jsonl, &gzip(lines));
    assert_eq!(plain.said, packed.said);
    assert_eq!(plain.end.expect("whole"), packed.end.expect("whole"));
}

#[test]
fn the_taker_can_stop() {
    let lines = b"{\"id\":\"a\",\"type\":\"t\"}\n{\"id\":\"b\",\"type\":\"t\"}\n";
    let summary = Import::new(source())
        .read(Format::Jsonl, "file", &mut lines.as_slice(), &mut |_| ControlFlow::Break(()))
        .expect("no error");
    assert_eq!((summary.said, summary.stopped), (1, true));
}

#[test]
fn equal_labels_are_one() {
    let lines =
        b"{\"id\":\"a\",\"type\":\"t\"}\n{\"id\":\"b\",\"type\":\"t\"}\n{\"id\":\"c\",\"type\":\"u\"}\n";
    let read = read(Format::Jsonl, lines);
    let label = |i: usize| &read.said[i].parts[0].label;
    assert!(std::sync::Arc::ptr_eq(label(0), label(1)));
    assert_ne!(label(0), label(2));
}

#[test]
fn a_format_has_a_name() {
    assert_eq!("stix".parse::<Format>().expect("known"), Format::Stix);
    assert_eq!("jsonl".parse::<Format>().expect("known"), Format::Jsonl);
    assert!("xml".parse::<Format>().is_err());
}

#[test]
fn a_reject_is_one_line_of_json() {
    let reject = Reject::new("bad_json", "not \"JSON\"", &"x".repeat(1000)).at(7);
    let mut out = Vec::new();
    reject.write_line("a.json", &mut out).expect("memory takes it");
    let value: BTreeMap<String, Value> = serde_json::from_slice(&out).expect("JSON");
    let keys: Vec<_> = value.keys().map(String::as_str).collect();
    assert_eq!(keys, ["code", "crc32", "file", "line", "reason", "value"]);
    assert_eq!(value["line"], 7);
    assert_eq!(value["value"].as_str().map(str::len), Some(200));
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("memory takes it");
    gzip.finish().expect("memory takes it")
}

/// Prints how fast 200 MB are split and read: the real bundle over and over, and lines. Run with `--ignored --nocapture`.
#[test]
#[ignore = "prints a rate and judges nothing; run by hand"]
fn speed() {
    let Some(bytes) = at_hand(ICS_ATTACK) else {
        return;
    };
    let text = String::from_utf8(bytes).expect("UTF-8");
    let start = text.find("\"objects\": [").expect("objects") + "\"objects\": [".len();
    let end = text.rfind(']').expect("the list ends");
    let objects = &text[start..end];
    let bundle = format!(
        "{{\"type\":\"bundle\",\"objects\":[{}]}}",
        vec![objects; 200_000_000 / objects.len()].join(",")
    );
    let pretty = bundle.into_bytes();
    let minified = fields_minified(&pretty);
    for (name, bytes) in [("as given", pretty), ("minified", minified)] {
        measure(name, Format::Stix, &bytes);
    }
    measure("lines", Format::Jsonl, &lines(200_000_000));
}

/// About as many bytes of entities of 1 KB, each followed by a relation to it.
fn lines(bytes: usize) -> Vec<u8> {
    let text = "Some words about a thing, none of them of any weight. ".repeat(14);
    let mut lines = String::with_capacity(bytes + 2000);
    let mut n = 0;
    while lines.len() < bytes {
        n += 1;
        lines += &format!(
            "{{\"id\":\"host-{n}\",\"type\":\"host\",\"labels\":[\"dmz\"],\"attributes\":{{\"name\":\"gate {n}\",\"cores\":{}}},\"texts\":[{{\"text\":\"{text}\"}}],\"observed_at\":\"2024-01-01T00:00:00Z\"}}\n{{\"relation\":\"talks-to\",\"from\":\"host-1\",\"to\":\"host-{n}\",\"weight\":0.5}}\n",
            n % 64,
        );
    }
    lines.into_bytes()
}

fn fields_minified(bytes: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    fields::minified(text, 0).expect("JSON").into_bytes()
}

fn measure(name: &str, format: Format, bytes: &[u8]) {
    let shape = match format {
        Format::Stix => Shape::Bundle,
        Format::Jsonl | Format::Csv => Shape::Lines,
    };
    let megabytes = bytes.len() as f64 / 1e6;
    let start = Instant::now();
    let mut objects = Objects::new(bytes, shape);
    let mut count = 0;
    while objects.next().expect("a bundle").is_some() {
        count += 1;
    }
    let split = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let summary = Import::new(source())
        .read(format, "file", &mut &bytes[..], &mut |_| ControlFlow::Continue(()))
        .expect("a bundle");
    let read = start.elapsed().as_secs_f64();
    assert_eq!((summary.said, summary.rejected), (count, 0));
    eprintln!(
        "{name}: {megabytes:.0} MB, {count} objects; split {:.0} MB/s, read {:.0} MB/s",
        megabytes / split,
        megabytes / read
    );
}
