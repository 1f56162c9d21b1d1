//! What the node does to its disk is counted, and at any of it the process dies, the power fails, or the disk says no. What was
//! acknowledged before is there afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::campaign::{Campaign, Counts, counts};
use crate::data::{self, Made};
use crate::http::Http;
use crate::kills::clock;
use crate::node::Node;
use crate::seed::Seeded;

const FAULTS: Campaign = Campaign { name: "faults", unit: "faults", per_seed: 1 };
/// Faults in a plain test run.
const COUNT: u64 = 24;
/// From one change of a file to the next that is met: a prime, so that none is passed over.
pub(crate) const STRIDE: u64 = 7919;
const ENOSPC: &str = "28";
const EIO: &str = "5";

/// What is done while faults wait: a file is imported, a thing deleted, a token made.
struct Work {
    made: Made,
    file: PathBuf,
}

/// How far the work was acknowledged.
#[derive(Debug, Default)]
struct Done {
    imported: bool,
    deleted: bool,
    token: Option<String>,
}

#[test]
fn a_fault_at_any_change_of_a_file_loses_nothing() {
    let place = tempfile::tempdir().expect("a directory");
    let Some(library) = library(place.path()) else { return };
    let changes = count(&library);
    println!("{changes} changes of files");
    let met = FAULTS.run(clock(), COUNT, 1, &|seed| Ok(fault(&library, changes, seed)));
    assert!(met["met"] > 0, "no fault met the node");
}

/// By turns a kill, a power cut and an error, at one change after the other until all had each.
fn fault(library: &Path, changes: u64, seed: u64) -> Counts {
    let mut random = Seeded::new(seed, 13);
    let at = (1 + seed / 3 % changes * STRIDE % changes).to_string();
    let lose = (1 + random.below(1 << 30)).to_string();
    let (times, tear) = ((1 + random.below(4)).to_string(), if random.one_in(2) { "1" } else { "0" });
    let error = if random.one_in(2) { ENOSPC } else { EIO };
    let (what, faults) = match seed % 3 {
        0 => ("kills", vec![("FAULT_KILL_AT", at.as_str()), ("FAULT_TEAR", tear)]),
        1 => {
            ("power_cuts", vec![("FAULT_KILL_AT", at.as_str()), ("FAULT_TEAR", tear), ("FAULT_LOSE", &lose)])
        }
        _ => {
            ("errors", vec![("FAULT_KILL_AT", at.as_str()), ("FAULT_ERRNO", error), ("FAULT_TIMES", &times)])
        }
    };
    counts([("faults", 1), (what, 1), ("met", u64::from(survives(library, &faults)))])
}

/// One round: the work under a fault, then a node without one that must have all that was acknowledged. Whether the
/// fault ended the first.
fn survives(library: &Path, faults: &[(&str, &str)]) -> bool {
    let preload = format!("LD_PRELOAD={}", library.display());
    let mut under = vec!["/usr/bin/env".to_owned(), preload];
    under.extend(faults.iter().map(|(name, value)| format!("{name}={value}")));
    let under: Vec<&str> = under.iter().map(String::as_str).collect();
    let what = format!("{faults:?}");
    let place = tempfile::tempdir().expect("a directory");
    let data_dir = place.path().join("data");
    let work = Work::new(place.path());
    // The first start makes what a node needs; the faults wait for the second.
    let mut node = Node::start_in(data_dir.clone());
    let (token, _) = (node.token.clone(), node.stop());
    let done = match Node::over_under(data_dir.clone(), &under) {
        Ok(mut node) => {
            let url = node.url.clone();
            let done = work.run(&url, &token, &mut node);
            node.end();
            done
        }
        Err(ran) => {
            assert!(matches!(ran.exit, -1 | 3), "{what}: {ran:?}");
            Done::default()
        }
    };
    let mut node =
        Node::over(data_dir).unwrap_or_else(|ran| panic!("{what}: it does not start again: {ran:?}"));
    node.token = token;
    work.check(&node, &done, &what);
    node.stop_and_verify();
    !(done.imported && done.deleted && done.token.is_some())
}

/// How often files are changed in a round without faults.
fn count(library: &Path) -> u64 {
    let place = tempfile::tempdir().expect("a directory");
    let counted = place.path().join("count");
    let (preload, count) =
        (format!("LD_PRELOAD={}", library.display()), format!("FAULT_COUNT={}", counted.display()));
    let work = Work::new(place.path());
    let data_dir = place.path().join("data");
    let mut node = Node::start_in(data_dir.clone());
    let (token, _) = (node.token.clone(), node.stop());
    let mut node =
        Node::over_under(data_dir, &["/usr/bin/env", &preload, &count]).expect("a node without faults");
    let url = node.url.clone();
    let done = work.run(&url, &token, &mut node);
    assert!(done.imported && done.deleted && done.token.is_some(), "without faults all is done: {done:?}");
    node.stop();
    let text = fs::read_to_string(counted).expect("the count");
    text.trim().parse().expect("a number")
}

impl Work {
    fn new(place: &Path) -> Work {
        let made = data::jsonl("ring", 60);
        let file = place.join("ring.jsonl");
        fs::write(&file, &made.text).expect("a file");
        Work { made, file }
    }

    /// What was acknowledged; a node that is gone acknowledges nothing.
    fn run(&self, url: &str, token: &str, node: &mut Node) -> Done {
        node.token = token.to_owned();
        let mut done =
            Done { imported: node.import(&self.file, "jsonl", "ring", &[]).exit == 0, ..Done::default() };
        let http = Http::new(url, token);
        if done.imported {
            let delete = json!({"id": "entityDelete:v1", "variables": {"id": self.made.entities[0]}});
            done.deleted =
                http.try_post(&delete).is_some_and(|answer| answer["data"]["entityDelete"].is_object());
        }
        let made = node.cli(&["token", "create", "--role", "reader"]);
        done.token = made.json["token"].as_str().map(str::to_owned);
        done
    }

    fn check(&self, node: &Node, done: &Done, what: &str) {
        let http = node.http();
        if done.imported {
            for id in self.made.entities.iter().skip(1) {
                let found = http.graphql("entity:v1", json!({"id": id}));
                assert!(found["entity"].is_object(), "{what}: `{id}` was acknowledged");
            }
            // An index that the power cut took is made again first.
            let lsn = http.graphql("node:v1", json!({}))["node"]["lsn"].clone();
            let found = http.graphql("search:v1", json!({"q": self.made.word, "atLeast": lsn}));
            assert_eq!(found["search"]["hits"][0]["id"], *self.made.word_in, "{what}: {found}");
        }
        if done.deleted {
            assert_eq!(
                node.cli(&["entity", "get", &self.made.entities[0]]).exit,
                1,
                "{what}: it was deleted"
            );
        }
        if let Some(token) = &done.token {
            assert_eq!(node.cli_as(token, &["search", "x"]).exit, 0, "{what}: a token was acknowledged");
        }
        let again = node.import(&self.file, "jsonl", "ring", &[]).ok();
        assert_eq!(again["read"], self.made.things(), "{what}: {again}");
    }
}

/// The library that stands between the node and its disk. `None` without a compiler for C.
pub(crate) fn library(place: &Path) -> Option<PathBuf> {
    let library = place.join("disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/appliance/faults/disk.c");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    if !built.is_ok_and(|status| status.success()) {
        println!("skipped: there is no compiler for C");
        return None;
    }
    Some(library)
}
