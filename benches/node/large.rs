//! A backup of a store far larger than memory for it, beside writes; increments of it, and the way back.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

use super::backup::timed;
use super::data::Random;
use super::load::{Load, Times};
use super::node::{Node, import_args};

/// What one thing says, in bytes. It is one word, so that the text index has little to do with it.
const SAID_BYTES: usize = 4_000;
/// A file that is imported has so many things: about a gigabyte.
const FILE_THINGS: u64 = 250_000;
/// Writes beside a backup: so many events a second, so many of them a request.
const EVENTS_PER_SECOND: u32 = 2_000;
const EVENTS_A_REQUEST: u32 = 10;
const ALONE_SECONDS: u32 = 20;
/// A backup that takes longer has no writes beside its end.
const BACKUP_SECONDS_MAX: u32 = 900;
const CHANGED: u64 = 1_000;
const INCREMENTS: u64 = 50;

pub(crate) fn there_and_back() {
    let things = gigabytes() * FILE_THINGS;
    println!("\na large store and its backups");
    let node = Node::start();
    fill(&node, things);
    let to = [node.file("backups"), node.file("restored")];
    let [kept, restored] = to.each_ref().map(|path| path.to_str().unwrap());
    writes(&node, "warm", ALONE_SECONDS, None);
    println!("  writes beside nothing: {}", writes(&node, "alone", ALONE_SECONDS, None));
    let full = beside_writes(&node, &["backup", kept]);
    println!("    {} bytes of rows, {} in files", full["row_bytes"], full["bytes"]);
    change(&node, things, 0);
    let some = timed("increment of 1,000 changed", &node, &["backup", kept, "--incremental"]);
    println!("    {} bytes", some["bytes"]);
    let begun = Instant::now();
    for turn in 1..INCREMENTS {
        change(&node, things, turn);
        node.cli(&["backup", kept, "--incremental", "--quiet"]).ok();
    }
    println!("  {INCREMENTS} increments, each of {CHANGED} changed and imported: {:.1?}", begun.elapsed());
    let last = node.cli(&["backup", kept, "--incremental", "--quiet"]).ok();
    let back = timed(
        "restore of full and increments, verified",
        &node,
        &["restore", kept, "--data-dir", restored, "--no-anchor"],
    );
    assert_eq!(back["roots"], last["roots"], "what was restored is not what was backed up");
    println!("    equal roots: {}", back["roots"]);
}

fn gigabytes() -> u64 {
    std::env::var("INTELGRAPH_BENCH_GIGABYTES").map_or(10, |given| given.parse().unwrap())
}

fn fill(node: &Node, things: u64) {
    let begun = Instant::now();
    for first in (0..things).step_by(FILE_THINGS as usize) {
        let path = node.file("things.jsonl");
        write(&path, (first..first + FILE_THINGS).map(|thing| (thing, thing)));
        node.import(&path, "jsonl", "things", &[]).ok();
        fs::remove_file(&path).unwrap();
    }
    let stored = fs::metadata(node.data_dir().join("store.redb")).unwrap();
    let allocated = stored.blocks() * 512;
    println!(
        "  {things} things imported in {:.0?}: {allocated} bytes of database on disk, {} long",
        begun.elapsed(),
        stored.len()
    );
}

/// Things of which as much is said as before, and something else; one of each of so many spans of all of them.
fn change(node: &Node, things: u64, turn: u64) {
    let mut random = Random::new(turn);
    let path = node.file("changed.jsonl");
    let span = things / CHANGED;
    let changed = (0..CHANGED).map(|at| at * span + random.below(span));
    write(&path, changed.map(|thing| (thing, things + turn * CHANGED + thing)));
    node.cli(&import_args(&path, "jsonl", "things", &[])).ok();
}

/// Things, and the seeds of what is said of them.
fn write(path: &Path, things: impl Iterator<Item = (u64, u64)>) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    for (thing, seed) in things {
        let mut said = Random::new(seed).words(u64::try_from(SAID_BYTES / 6).unwrap()).replace(' ', "");
        said.truncate(SAID_BYTES);
        let thing = json!({"id": id(thing), "type": "host", "attributes": {"said": said}});
        writeln!(file, "{thing}").unwrap();
    }
    file.flush().unwrap();
}

fn id(thing: u64) -> String {
    format!("host-{thing:09}")
}

/// Writes from the beginning of a command to its end.
fn beside_writes(node: &Node, args: &[&str]) -> Value {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let taken = scope.spawn(|| {
            let taken = timed("full, beside writes", node, args);
            over.store(true, Ordering::Relaxed);
            taken
        });
        println!("  writes beside a backup: {}", writes(node, "beside", BACKUP_SECONDS_MAX, Some(&over)));
        taken.join().unwrap()
    })
}

fn writes(node: &Node, name: &str, seconds: u32, over: Option<&AtomicBool>) -> Times {
    let per_second = EVENTS_PER_SECOND / EVENTS_A_REQUEST;
    let load = Load { url: &node.url, token: &node.token, per_second, seconds, over };
    load.batches("things", EVENTS_A_REQUEST, &|turn| {
        let id = format!("{name}-{turn}");
        json!({"specversion": "1.0", "id": id, "source": "/bench", "type": "seen", "data": {"id": id, "type": "host"}})
    })
}
