//! A disk without room: writes stop before it is full, everything else goes on, and nothing has to be restarted when
//! there is room again.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::data;
use crate::disks::{Disk, serve};
use crate::http::Http;
use crate::node::Node;

/// With room again, writes are taken by then.
const RECOVERY_MAX: Duration = Duration::from_secs(10);

#[test]
fn a_node_does_not_begin_on_a_disk_without_room() {
    let place = tempfile::tempdir().expect("a directory");
    let Some(disk) = Disk::mount(&place.path().join("small"), 40) else { return };
    let message = serve(&disk.at.join("data")).failed(3, "no_space");
    assert!(message.contains("bytes free"), "{message}");
}

#[test]
fn a_disk_that_fills_up_stops_writing_and_nothing_else() {
    let place = tempfile::tempdir().expect("a directory");
    let Some(disk) = Disk::mount(&place.path().join("disk"), 200) else { return };
    let mut node = Node::start_in(disk.at.join("data"));
    let before = data::jsonl("before", 100);
    let file = node.write("before.jsonl", &before.text);
    node.import(&file, "jsonl", "before", &[]).ok();
    let filler = disk.at.join("filler");
    fs::write(&filler, vec![1; 150 << 20]).expect("room for the filler");

    let after = data::jsonl("after", 100);
    let file = node.write("after.jsonl", &after.text);
    let message = node.import(&file, "jsonl", "after", &[]).failed(3, "no_space");
    assert!(message.contains("make room"), "{message}");
    node.cli(&["token", "create", "--role", "reader"]).failed(3, "no_space");
    for id in &before.entities {
        node.cli(&["entity", "get", id]).ok();
    }
    assert_eq!(
        node.cli(&["search", &before.word]).ok()["hits"][0]["id"].as_str(),
        Some(before.word_in.as_str())
    );

    fs::remove_file(&filler).expect("the filler");
    let done = node.import(&file, "jsonl", "after", &[]).ok();
    assert_eq!(
        done["created"].as_u64().zip(done["unchanged"].as_u64()).map(|(new, old)| new + old),
        Some(after.things()),
        "{done}"
    );
    let runs = node.http().graphql("runs:v1", serde_json::json!({}));
    assert!(!runs.to_string().contains("\"running\""), "no run is left open: {runs}");
    node.stop_and_verify();
}

/// Where no node runs nothing goes on by itself: which disk it is and what to do is said all the same.
#[test]
fn a_full_disk_of_backups_is_named() {
    let mut node = Node::start();
    let Some(disk) = Disk::mount(&node.file("small"), 8) else { return };
    let (kept, to) = (disk.at.join("kept"), disk.at.join("to"));
    let (kept, to) = (kept.to_str().expect("UTF-8"), to.to_str().expect("UTF-8"));
    node.cli(&["backup", kept]).ok();
    let filler = fill(&disk);
    let message = node.cli(&["backup", kept]).failed(3, "no_space");
    assert!(message.contains("0002.partial/") && message.contains("make room"), "{message}");
    fs::remove_file(filler).expect("the filler");
    node.cli(&["backup", kept]).ok();
    let message = node.cli(&["restore", kept, "--data-dir", to, "--no-anchor"]).failed(3, "no_space");
    assert!(message.contains(to) && !message.contains("by itself"), "{message}");
    node.stop_and_verify();
}

#[test]
fn a_disk_that_others_fill_to_the_last_byte_costs_nothing_that_was_acknowledged() {
    let place = tempfile::tempdir().expect("a directory");
    let Some(disk) = Disk::mount(&place.path().join("disk"), 500) else { return };
    let mut node = Node::start_in(disk.at.join("data"));
    let before = data::jsonl("feed", 100);
    let file = node.write("before.jsonl", &before.text);
    node.import(&file, "jsonl", "feed", &[]).ok();
    let revoked = node.cli(&["token", "create", "--role", "reader"]).ok();
    assert!(node.data_dir().join("ballast").exists(), "room was set aside while there was some");

    let filled = AtomicBool::new(false);
    let acknowledged = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write_until(&node, &filled));
        let filler = fill(&disk);
        // Reads go on while nothing can be written: each is answered, at the latest after the store was opened anew.
        for id in before.entities.iter().cycle().take(50) {
            ask_until_answered(&node, id);
        }
        node.cli(&["token", "create", "--role", "reader"]).failed(3, "no_space");
        let id = revoked["id"].as_str().expect("an id");
        node.cli(&["token", "revoke", id]).ok();
        assert!(!node.data_dir().join("ballast").exists(), "it was given up for what could not wait");
        filled.store(true, Ordering::Relaxed);
        let acknowledged = writer.join().expect("the writer");
        fs::remove_file(filler).expect("the filler");
        acknowledged
    });
    let room = Instant::now();
    while event(&node.http(), &node.token, "after") != 200 {
        assert!(room.elapsed() < RECOVERY_MAX, "no write was taken {RECOVERY_MAX:?} after there was room");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!(
        "{} acknowledged; writes were taken {:?} after there was room",
        acknowledged.len(),
        room.elapsed()
    );
    for id in acknowledged.iter().chain(&before.entities) {
        node.cli(&["entity", "get", id]).ok();
    }
    node.cli_as(revoked["token"].as_str().expect("a token"), &["search", "x"]).failed(3, "unauthorized");
    node.stop_and_verify();
}

/// Writes one thing after the other until told to stop; those that were acknowledged.
fn write_until(node: &Node, stop: &AtomicBool) -> Vec<String> {
    let http = node.http();
    let mut acknowledged = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let id = format!("host-{number}");
        match event(&http, &node.token, &id) {
            200 => acknowledged.push(id),
            503 | 507 => std::thread::sleep(Duration::from_millis(5)),
            other => panic!("a write on a full disk was answered with {other}"),
        }
    }
    assert!(!acknowledged.is_empty(), "nothing was written while the disk filled up");
    acknowledged
}

fn event(http: &Http, token: &str, id: &str) -> u16 {
    let data =
        json!({"id": id, "type": "host", "attributes": {"name": id}, "texts": [{"text": "x".repeat(4096)}]});
    let event = json!({
        "specversion": "1.0", "id": id, "source": "/sensors/1", "type": "org.example.seen", "data": data,
    });
    let token = format!("Bearer {token}");
    let headers = [("authorization", token.as_str()), ("content-type", "application/cloudevents+json")];
    let body = Value::to_string(&event).into_bytes();
    http.send(reqwest::Method::POST, "/api/v1/events?source=feed", &headers, body).status
}

/// Takes every byte that is left.
fn fill(disk: &Disk) -> PathBuf {
    let path = disk.at.join("filler");
    let mut file = File::create(&path).expect("a file");
    let mut bytes = vec![1; 1 << 20];
    while !bytes.is_empty() {
        if file.write_all(&bytes).is_err() {
            bytes.truncate(bytes.len() / 2);
        }
    }
    path
}

fn ask_until_answered(node: &Node, id: &str) {
    let begun = Instant::now();
    loop {
        let ran = node.cli(&["entity", "get", id]);
        if ran.exit == 0 {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "reads stopped on a full disk: {ran:?}");
    }
}
