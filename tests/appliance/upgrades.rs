//! Data that earlier programs wrote: opened by this one, answered from, verified and gone on with.
//!
//! `fixtures/format-<N>.tgz` is a data directory of that format, `fixtures/format-<N>.json` its owner's token and what it
//! answered. `INTELGRAPH_TEST_WRITE=1` makes those of today's format anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::data;
use crate::lasting::{self, Answered};
use crate::node::Node;

#[test]
fn data_of_every_format_is_read_and_gone_on_with() {
    if std::env::var_os("INTELGRAPH_TEST_WRITE").is_some() {
        write_fixture();
    }
    for format in 1..=storage::FORMAT {
        let fixture = fixture(&format!("format-{format}.json"));
        let text =
            fs::read_to_string(&fixture).unwrap_or_else(|error| panic!("`{}`: {error}", fixture.display()));
        let known: Value = serde_json::from_str(&text).expect("JSON");
        let place = tempfile::tempdir().expect("a directory");
        unpack(&fixture.with_extension("tgz"), place.path());
        let mut node =
            Node::over(place.path().join("data")).unwrap_or_else(|ran| panic!("format {format}: {ran:?}"));
        node.token = known["token"].as_str().expect("a token").to_owned();
        let answers: Vec<Answered> = serde_json::from_value(known["answers"].clone()).expect("answers");
        for (question, answer) in answers {
            assert_eq!(lasting::ask(&node.http(), &question), answer, "format {format}: {question}");
        }
        let made = data::jsonl("later", 20);
        let file = node.write("later.jsonl", &made.text);
        node.import(&file, "jsonl", "later", &[]).ok();
        node.stop_and_verify();
    }
}

fn write_fixture() {
    let mut node = Node::start();
    let ring = lasting::begin(&node);
    let filled = lasting::go_on(&node, ring);
    // What is signed now is signed anew when there is more.
    let is_kept = |(question, _): &Answered| question["id"] != "ledgerReceipt:v1";
    let answers: Vec<Answered> = filled.answers(&node.http()).into_iter().filter(is_kept).collect();
    let known = json!({"token": node.token, "answers": answers});
    let home = node.data_dir();
    node.stop();
    let name = fixture(&format!("format-{}.json", storage::FORMAT));
    fs::create_dir_all(name.parent().expect("a directory")).expect("a directory");
    fs::write(&name, serde_json::to_string_pretty(&known).expect("JSON") + "\n").expect("a file");
    pack(&home, &name.with_extension("tgz"));
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/appliance/fixtures").join(name)
}

/// Without what a node makes again: the index, and room that is set aside.
fn pack(directory: &Path, to: &Path) {
    let parent = directory.parent().expect("a parent");
    let mut tar = Command::new("tar");
    tar.args(["--exclude=data/index/*", "--exclude=data/ballast", "-czf"])
        .arg(to)
        .arg("-C")
        .arg(parent)
        .arg("data");
    assert!(tar.status().expect("tar").success());
}

fn unpack(from: &Path, to: &Path) {
    let status = Command::new("tar").arg("-xzf").arg(from).arg("-C").arg(to).status();
    assert!(status.expect("tar").success());
}
