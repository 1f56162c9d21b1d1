//! What a process asks of the system, in which order: what a power cut could not tell from this process's memory. A process of its
//! own is watched; where other tests hold directories, a fork would hold their locks for a moment.

#![allow(clippy::disallowed_methods, reason = "a part of the test is a process of its own, and is told so")]

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use storage::Directory;
use storage::anchor::Anchor;
use world::{World, entity};

/// The file to which the process that is watched tells what it syncs and renames,
const SEEN: &str = "INTELGRAPH_TEST_SEEN";
/// and the data directory that it works on.
const DATA: &str = "INTELGRAPH_TEST_DATA";

/// A file is synced before it is renamed into place, and its directory behind that, before anything else. So is the name of a journal before
/// anything is in it. And what a journal holds is durable before it is answered from.
#[test]
fn what_counts_is_durable_before_it_does() {
    if let Some(data) = std::env::var_os(DATA) {
        return work(Path::new(&data));
    }
    let directory = tempfile::tempdir().expect("tempdir");
    let Some(watcher) = watcher(directory.path()) else {
        println!("skipped: there is no C compiler, by which a process can be watched");
        return;
    };
    let (new, crashed) = (directory.path().join("new"), directory.path().join("crashed"));
    is_put_in_place(&new, &watched(&watcher, &new));
    crash(&crashed);
    let seen = watched(&watcher, &crashed);
    assert_eq!(seen.last(), Some(&format!("sync {}", journal(&crashed).display())), "{seen:#?}");
}

fn is_put_in_place(data: &Path, seen: &[String]) {
    let mut put = Vec::new();
    for (place, line) in seen.iter().enumerate() {
        let Some((from, to)) = line.strip_prefix("rename ").and_then(|names| names.split_once(' ')) else {
            continue;
        };
        assert!(seen[..place].contains(&format!("sync {from}")), "{from} was not synced: {seen:#?}");
        let parent = Path::new(to).parent().expect("in a directory").display();
        assert_eq!(seen.get(place + 1), Some(&format!("sync {parent}")), "behind {to}: {seen:#?}");
        put.push(to.rsplit('/').next().unwrap_or_default());
    }
    assert_eq!(put, ["store.redb", "format", "anchor", "anchor"]);
    // Two journals: that of the database under construction is one, too.
    let first = seen.iter().position(|line| *line == format!("sync {}", journal(data).display()));
    let before = &seen[..first.expect("a journal")];
    let named = before.iter().filter(|line| **line == format!("sync {}", data.display())).count();
    assert_eq!(named, 2 + before.iter().filter(|line| line.starts_with("rename")).count(), "{seen:#?}");
}

/// What is watched: a directory's first days, or how one is found after a crash.
fn work(data: &Path) {
    if data.exists() {
        let store = Directory::hold(data).and_then(|held| held.open_store(1 << 20, String::new()));
        // Without the end that a process should come to.
        std::mem::forget(store.expect("opens"));
        return;
    }
    let mut world = World::on_disk(data);
    let anchor = Anchor::new(data.join("anchor"), [3; 32]);
    for id in ["a", "b"] {
        world.say(entity(id, "malware", "Duqu"));
        anchor.write(&world.view()).expect("writes");
    }
}

/// A directory as a process leaves it that had no time to close it.
fn crash(to: &Path) {
    let from = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(from.path());
    world.say(entity("a", "malware", "Duqu"));
    fs::create_dir(to).expect("made");
    for name in ["store.redb", "store.redb.journal", "format"] {
        fs::copy(from.path().join(name), to.join(name)).expect("copied");
    }
}

fn journal(data: &Path) -> PathBuf {
    data.join("store.redb.journal")
}

fn watched(watcher: &Path, data: &Path) -> Vec<String> {
    let seen = data.with_extension("seen");
    let ended = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "what_counts_is_durable_before_it_does"])
        .env("LD_PRELOAD", watcher)
        .env(SEEN, &seen)
        .env(DATA, data)
        .output()
        .expect("starts");
    assert!(ended.status.success(), "{ended:?}");
    fs::read_to_string(&seen).expect("told").lines().map(str::to_owned).collect()
}

/// A library that stands in front of the system's, and tells.
fn watcher(directory: &Path) -> Option<PathBuf> {
    let library = directory.join("watcher.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/syncs/watcher.c");
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).output().ok()?;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Some(library)
}
