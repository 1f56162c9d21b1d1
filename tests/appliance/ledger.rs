//! The ledger, taken out and proved by somebody who trusts the key alone.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::data;
use crate::disks::files_in;
use crate::node::{Node, Ran};

fn with_records() -> Node {
    let node = Node::start();
    let file = node.write("ring.jsonl", data::jsonl("ring", 300).text);
    node.import(&file, "jsonl", "ring", &[]).ok();
    node
}

fn verify(node: &Node, path: &Path, key: &str) -> Ran {
    node.cli(&["ledger", "verify", path.to_str().expect("UTF-8"), "--key", key])
}

fn key(document: &Value) -> String {
    document["vkey"].as_str().expect("a key").to_owned()
}

#[test]
fn an_export_is_verified_and_no_changed_byte_passes() {
    let mut node = with_records();
    let out = node.file("out");
    let exported = node.cli(&["ledger", "export", "--out", out.to_str().expect("UTF-8")]).ok();
    let key = key(&exported);
    let verified = verify(&node, &out, &key).ok();
    for field in ["origin", "size", "root"] {
        assert_eq!(verified[field], exported[field], "{field}");
    }
    assert!(exported["size"].as_u64().is_some_and(|size| size > 600), "{exported}");
    let other = "other.example/log+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let ran = verify(&node, &out, other);
    assert_ne!(ran.exit, 0, "another key must not do: {ran:?}");

    let files = files_in(&out);
    assert!(files.len() >= 4, "{files:?}");
    // The key is not part of what is proved: whoever verifies brings it.
    for file in files.iter().filter(|file| !file.ends_with("vkey")) {
        let whole = fs::read(file).expect("a file");
        for place in [0, whole.len() / 2, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            fs::write(file, &changed).expect("a file");
            let ran = verify(&node, &out, &key);
            assert_eq!(ran.exit, 1, "byte {place} of {} was changed: {ran:?}", file.display());
            assert_eq!(ran.json["ok"], false, "{ran:?}");
        }
        fs::write(file, &whole).expect("a file");
    }
    verify(&node, &out, &key).ok();
    // The same roots in the data directory itself.
    let report = node.stop_and_verify();
    assert_eq!(report["roots"]["default"]["size"], exported["size"], "{report}");
    assert_eq!(report["roots"]["default"]["root"], exported["root"], "{report}");
}

#[test]
fn a_proof_is_verified_and_no_changed_byte_passes() {
    let node = with_records();
    let out = node.file("proof");
    let proved = node.cli(&["ledger", "proof", "--lsn", "100", "--out", out.to_str().expect("UTF-8")]).ok();
    let key = key(&proved);
    let verified = verify(&node, &out, &key).ok();
    assert_eq!((verified["index"].as_u64(), &verified["root"]), (Some(99), &proved["root"]), "{verified}");
    let whole = fs::read(&out).expect("the proof");
    for place in (0..whole.len()).step_by(whole.len() / 20) {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        fs::write(&out, &changed).expect("a file");
        let ran = verify(&node, &out, &key);
        assert_eq!(ran.exit, 1, "byte {place} of {} was changed: {ran:?}", whole.len());
    }
    let beyond = node.cli(&["ledger", "proof", "--lsn", "1000000", "--out", out.to_str().expect("UTF-8")]);
    assert_eq!(beyond.exit, 1, "there is no such record: {beyond:?}");
    node.cli(&["ledger", "verify", "/nowhere", "--key", &key]).failed(2, "bad_input");
    node.cli(&["ledger", "verify", out.to_str().expect("UTF-8"), "--key", "no key"]).failed(2, "bad_input");
}

#[test]
fn an_export_overwrites_nothing() {
    let node = with_records();
    let out = node.file("out");
    fs::create_dir(&out).expect("a directory");
    fs::write(out.join("precious"), "do not touch").expect("a file");
    let ran = node.cli(&["ledger", "export", "--out", out.to_str().expect("UTF-8")]);
    assert_eq!(ran.exit, 2, "{ran:?}");
    assert_eq!(fs::read(out.join("precious")).expect("still there"), b"do not touch");
}
