//! Data directories that cannot be used: read-only, held by another process, of a newer program, damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::data;
use crate::node::{Node, Ran, program, run, run_briefly};

/// A file system of its own, which can be small or read-only even for root; gone when it is dropped.
pub(crate) struct Disk {
    pub(crate) at: PathBuf,
}

impl Disk {
    /// `None`, with a line that says so, where this process may not mount.
    pub(crate) fn mount(at: &Path, megabytes: u32) -> Option<Disk> {
        fs::create_dir_all(at).expect("a directory");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(at)
            .output();
        match done {
            Ok(output) if output.status.success() => Some(Disk { at: at.to_owned() }),
            other => {
                println!("skipped: this process may not mount a file system ({other:?})");
                None
            }
        }
    }

    fn remount(&self, mode: &str) {
        let status = Command::new("mount").args(["-o", &format!("remount,{mode}")]).arg(&self.at).status();
        assert!(status.expect("mount").success(), "remount {mode}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

pub(crate) fn serve(data_dir: &Path) -> Ran {
    let mut command = program();
    command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
    run_briefly(command)
}

pub(crate) fn verify(data_dir: &Path) -> Ran {
    let mut command = program();
    command.args(["verify", "--json"]).arg(data_dir);
    run(command)
}

#[test]
fn a_read_only_directory_is_refused_and_untouched() {
    let place = tempfile::tempdir().expect("a directory");
    let Some(disk) = Disk::mount(&place.path().join("disk"), 200) else { return };
    let mut node = Node::start_in(disk.at.join("data"));
    let made = data::jsonl("kept", 50);
    let file = node.write("kept.jsonl", &made.text);
    node.import(&file, "jsonl", "kept", &[]).ok();
    node.stop();
    disk.remount("ro");
    let ran = serve(&node.data_dir());
    assert_eq!(ran.exit, 3, "{ran:?}");
    let message = ran.error()["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("data") && message.to_lowercase().contains("read-only"), "{message}");
    let ran = verify(&node.data_dir());
    assert_eq!(ran.exit, 3, "what cannot be opened cannot be told: {ran:?}");
    disk.remount("rw");
    node.restart();
    assert_eq!(node.cli(&["search", &made.word]).ok()["hits"][0]["id"].as_str(), Some(made.word_in.as_str()));
    node.stop_and_verify();
}

#[test]
fn a_directory_in_use_names_who_uses_it() {
    let mut node = Node::start();
    for ran in [serve(&node.data_dir()), verify(&node.data_dir())] {
        let message = ran.failed(3, "in_use");
        assert!(message.contains(&format!("process {}", node.pid())), "{message}");
    }
    node.cli(&["search", "x"]).ok();
    node.kill();
    let report = verify(&node.data_dir()).ok();
    assert_eq!(report["ok"], true, "a node that was killed holds nothing: {report}");
}

#[test]
fn a_directory_of_a_newer_program_is_left_alone() {
    let mut node = Node::start();
    node.stop();
    let format = node.data_dir().join("format");
    let before = fs::read_to_string(&format).expect("the format");
    fs::write(&format, "intelgraph data format 4000000\n").expect("the format");
    for ran in [serve(&node.data_dir()), verify(&node.data_dir())] {
        let message = ran.failed(3, "newer_format");
        assert!(message.contains("4000000"), "{message}");
    }
    fs::write(&format, before).expect("the format");
    node.restart();
    node.stop_and_verify();
}

#[test]
fn damage_is_found_and_never_served_over() {
    let mut node = Node::start();
    let file = node.write("ring.jsonl", data::jsonl("ring", 500).text);
    node.import(&file, "jsonl", "ring", &[]).ok();
    node.stop();
    let database = node.data_dir().join("store.redb");
    let whole = fs::read(&database).expect("the database");
    let mut found = 0;
    for part in 1..8 {
        let mut damaged = whole.clone();
        let place = whole.len() * part / 8;
        damaged[place..place + 4096].iter_mut().for_each(|byte| *byte ^= 0x5a);
        fs::write(&database, &damaged).expect("the database");
        let ran = verify(&node.data_dir());
        tells(&ran);
        assert!(!ran.stderr.contains("thread '"), "what the store catches is not shown as a crash: {ran:?}");
        found += i32::from(ran.exit != 0);
        fs::write(&database, damaged).expect("the database");
        let compacted = compact(&node.data_dir());
        tells(&compacted);
        assert_eq!(compacted.exit, ran.exit, "{compacted:?}, and {ran:?}");
        assert!(!node.data_dir().join("store.new").exists(), "{compacted:?}");
    }
    assert!(found > 0, "no damage met anything: the test shows nothing");
    // What cannot even be opened is damaged as well.
    let name = |file: &str| node.data_dir().join(file);
    let (format, said) = (name("format"), fs::read(name("format")).expect("the format"));
    fs::write(&format, "intelgraph data format two\n").expect("the format");
    is_damaged(&node.data_dir(), "format file");
    fs::write(&format, said).expect("the format");
    for unreadable in [&b"no database at all"[..], &whole[..whole.len() / 3], b""] {
        fs::write(&database, unreadable).expect("the database");
        is_damaged(&node.data_dir(), "database");
    }
    // An empty place is no data directory, and a database that is gone is not made anew.
    fs::remove_file(&database).expect("the database");
    let message = serve(&node.data_dir()).failed(3, "corrupt");
    assert!(message.contains("backup"), "{message}");
    is_damaged(&node.data_dir(), "is missing; restore a backup");
    assert_eq!(verify(&node.file("nowhere")).exit, 2);
    fs::write(&database, whole).expect("the database");
    node.restart();
    node.stop_and_verify();
}

/// Damage is an answer: no, with what is wrong; and nothing is an answer without a document.
fn tells(ran: &Ran) {
    assert!(matches!(ran.exit, 0 | 1), "{ran:?}");
    let is_well = ran.exit == 0;
    assert_eq!(
        (ran.json["ok"].as_bool(), ran.json["problems"] == json!([])),
        (Some(is_well), is_well),
        "{ran:?}"
    );
}

fn is_damaged(directory: &Path, named: &str) {
    for ran in [verify(directory), compact(directory)] {
        tells(&ran);
        assert!(ran.exit == 1 && ran.json["problems"].to_string().contains(named), "{ran:?}");
    }
}

fn compact(directory: &Path) -> Ran {
    let mut command = program();
    command.args(["compact", "--json", "--data-dir"]).arg(directory);
    run(command)
}

#[test]
fn a_database_put_back_from_an_old_copy_is_noticed() {
    let mut node = Node::start();
    let file = node.write("one.jsonl", data::jsonl("one", 50).text);
    node.import(&file, "jsonl", "one", &[]).ok();
    node.stop();
    let database = node.data_dir().join("store.redb");
    let old = fs::read(&database).expect("the database");
    node.restart();
    let file = node.write("two.jsonl", data::jsonl("two", 50).text);
    node.import(&file, "jsonl", "two", &[]).ok();
    node.stop();
    fs::write(&database, old).expect("the database");
    assert_eq!(verify(&node.data_dir()).exit, 1, "the anchor knows more than the database");
    assert_eq!(serve(&node.data_dir()).exit, 3);
}

/// The index may be lost: it is made again, and meanwhile nothing wrong is answered.
#[test]
fn an_index_that_is_lost_or_damaged_is_made_again() {
    let mut node = Node::start();
    let made = data::jsonl("ring", 300);
    let file = node.write("ring.jsonl", &made.text);
    let lsn = node.import(&file, "jsonl", "ring", &[]).ok()["lsn"].clone();
    let found = |node: &Node| {
        let found = node.http().graphql("search:v1", serde_json::json!({"q": made.word, "atLeast": lsn}));
        assert_eq!(found["search"]["hits"][0]["id"].as_str(), Some(made.word_in.as_str()), "{found}");
    };
    node.stop();
    fs::remove_dir_all(node.data_dir().join("index")).expect("the index");
    node.restart();
    found(&node);
    node.stop();
    for file in files_in(&node.data_dir().join("index")) {
        let mut bytes = fs::read(&file).expect("a file");
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 0xff;
        }
        fs::write(&file, bytes).expect("a file");
    }
    node.restart();
    found(&node);
    node.stop_and_verify();
}

/// Serves a directory, by itself or under another program, for as long as `act` takes; what the program said if it does not
/// serve it.
pub(crate) fn serve_for(data_dir: &Path, under: &[&str], act: impl FnOnce(&str)) -> Result<(), Ran> {
    let mut node = Node::over_under(data_dir.to_owned(), under)?;
    act(&node.url);
    node.stop();
    Ok(())
}

/// Every file below a directory.
pub(crate) fn files_in(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}
