//! Little of everything: memory, file handles, a disk that takes its time. A node keeps to what it is given and stays up.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::data;
use crate::faults;
use crate::http::Line;
use crate::node::Node;

/// What the node of the test of memory is given, and the machine allows it.
const MEMORY_BYTES: u64 = 256 << 20;
/// A sync of the slow disk.
const SYNC: Duration = Duration::from_millis(200);

/// A group of processes that together have so much memory; gone when it is dropped.
struct Group {
    at: PathBuf,
}

impl Group {
    /// `None`, with a line that says so, where this process may not make one.
    fn with_memory(bytes: u64) -> Option<Group> {
        let name = format!("intelgraph-test-{}", std::process::id());
        let (version_1, version_2) = (Path::new("/sys/fs/cgroup/memory"), Path::new("/sys/fs/cgroup"));
        let (at, limit) = match version_1.exists() {
            true => (version_1.join(name), "memory.limit_in_bytes"),
            false => (version_2.join(name), "memory.max"),
        };
        let made = fs::create_dir(&at).and_then(|()| fs::write(at.join(limit), bytes.to_string()));
        if let Err(error) = made {
            println!("skipped: this process may not limit memory (`{}`: {error})", at.display());
            return None;
        }
        Some(Group { at })
    }

    /// What starts a program in it.
    fn starter(&self) -> String {
        format!("echo $$ > {}/cgroup.procs; exec \"$@\"", self.at.display())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that has just ended may be counted for a moment longer.
        for _ in 0..100 {
            if fs::remove_dir(&self.at).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn an_import_keeps_to_the_memory_that_the_node_is_given() {
    let Some(group) = Group::with_memory(MEMORY_BYTES) else { return };
    let starter = group.starter();
    let given = MEMORY_BYTES.to_string();
    let mut node =
        Node::start_under(&["/bin/sh", "-c", &starter, "sh"], &[("memory_bytes_max", given.as_str())]);
    let pid = node.pid();
    let made = data::jsonl("ring", 40_000);
    let file = node.write("ring.jsonl", &made.text);
    let done = node.import(&file, "jsonl", "ring", &[]).ok();
    assert_eq!(done["created"].as_u64(), Some(made.things()), "{done}");
    node.cli(&["search", &made.word]).ok();
    assert_eq!(node.pid(), pid, "the node that began is the node that is there");
    let peak = fs::read_to_string(format!("/proc/{pid}/status")).expect("the node lives");
    println!(
        "{}",
        peak.lines().filter(|line| line.starts_with("Rss") || line.starts_with("VmHWM")).collect::<String>()
    );
    node.stop_and_verify();
}

#[test]
fn a_node_with_few_file_handles_answers_and_loses_nothing() {
    let mut node = Node::start_under(&["/usr/bin/prlimit", "--nofile=128:128", "--"], &[]);
    let made = data::jsonl("ring", 500);
    let file = node.write("ring.jsonl", &made.text);
    node.import(&file, "jsonl", "ring", &[]).ok();
    // More connections than there are handles: the node lets go of those that ask nothing.
    let idle: Vec<Line> = (0..300).map(|_| Line::to(&node.url)).collect();
    let mut answered = 0;
    let begun = Instant::now();
    while answered < 20 {
        answered += usize::from(node.http().try_get("/healthz").is_ok());
        assert!(begun.elapsed() < Duration::from_secs(30), "{answered} answers beside idle connections");
    }
    drop(idle);
    node.import(&file, "jsonl", "ring", &[]).ok();
    assert_eq!(node.cli(&["search", &made.word]).ok()["hits"][0]["id"].as_str(), Some(made.word_in.as_str()));
    node.stop_and_verify();
}

#[test]
fn a_disk_that_takes_its_time_slows_writes_and_not_reads() {
    let place = tempfile::tempdir().expect("a directory");
    let Some(library) = faults::library(place.path()) else { return };
    let (preload, slow) =
        (format!("LD_PRELOAD={}", library.display()), format!("FAULT_SYNC_US={}", SYNC.as_micros()));
    let mut node = Node::start_under(&["/usr/bin/env", &preload, &slow], &[]);
    let made = data::jsonl("ring", 200);
    let file = node.write("ring.jsonl", &made.text);
    node.import(&file, "jsonl", "ring", &[]).ok();
    let http = node.http();
    let read = || {
        let begun = Instant::now();
        http.graphql("entity:v1", json!({"id": made.entities[1]}));
        begun.elapsed()
    };
    let alone = p95((0..200).map(|_| read()).collect());
    let (reads, write) = std::thread::scope(|scope| {
        let mut reads = Vec::new();
        let writes = scope.spawn(|| {
            let begun = Instant::now();
            let http = node.http();
            for _ in 0..10 {
                http.graphql("entityDelete:v1", json!({"id": made.entities[0]}));
                http.graphql("entityRestore:v1", json!({"id": made.entities[0]}));
            }
            begun.elapsed() / 20
        });
        while !writes.is_finished() {
            reads.push(read());
        }
        let write = writes.join().expect("the writes");
        assert!(write >= SYNC, "a write was acknowledged after {write:?}, before the disk had it");
        (reads, write)
    });
    let beside = (reads.len(), p95(reads));
    println!(
        "a write takes {write:?}; p95 of {} reads beside them {:?}, alone {alone:?}",
        beside.0, beside.1
    );
    // Against what this machine does without writes, however busy it is.
    assert!(beside.1 < write / 2 || beside.1 < alone * 3, "reads waited for the disk: p95 {:?}", beside.1);
    node.stop_and_verify();
}

fn p95(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 95 / 100]
}
