//! Restores and compactions that end at any change of a file, killed or by a power cut; and many increments on one full backup.
//! What is left is nothing, or says how to go on, or is whole; and doing it again does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::campaign::{Campaign, Counts, counts};
use crate::data;
use crate::disks::{serve, verify};
use crate::faults::{STRIDE, library};
use crate::kills::clock;
use crate::node::{Node, Ran, program, program_under, run};
use crate::seed::Seeded;

const RESTORES: Campaign = Campaign { name: "restores", unit: "cuts", per_seed: 1 };
/// Cuts in a plain test run.
const COUNT: u64 = 24;
const INCREMENTS: u64 = 50;

/// Backups, the roots that are in them, and a data directory to be compacted with those that it has.
struct Kept {
    node: Node,
    library: PathBuf,
    backups: PathBuf,
    roots: Value,
    restored: PathBuf,
    ledgers: Value,
    /// How often a restore, and a compaction, change a file.
    changes: [u64; 2],
}

#[test]
fn a_cut_at_any_change_of_a_file_leaves_no_half_of_a_node() {
    let place = tempfile::tempdir().expect("a directory");
    let Some(library) = library(place.path()) else { return };
    let kept = Kept::new(library);
    println!("changes of files: restore {}, compact {}", kept.changes[0], kept.changes[1]);
    let met = RESTORES.run(clock(), COUNT, 1, &|seed| Ok(kept.cut(seed)));
    assert!(met["cut_off"] > 0, "no cut met anything: {met:?}");
}

impl Kept {
    fn new(library: PathBuf) -> Kept {
        let mut node = Node::start();
        let (backups, restored) = (node.file("backups"), node.file("restored"));
        for (name, more) in [("one", &[][..]), ("two", &["--incremental"]), ("three", &["--incremental"])] {
            say(&node, name, 100);
            backup(&node, &backups, more).ok();
        }
        node.stop();
        let (roots, ledgers, changes) = (Value::Null, Value::Null, [0, 0]);
        let mut kept = Kept { node, library, backups, roots, restored, ledgers, changes };
        let counted = kept.node.file("count");
        let count = [format!("FAULT_COUNT={}", counted.display())];
        let number = || fs::read_to_string(&counted).expect("the count").trim().parse().expect("a number");
        let done = kept.restore(&kept.restored, &count).ok();
        (kept.roots, kept.ledgers) = (done["roots"].clone(), done["ledgers"].clone());
        kept.changes[0] = number();
        let compacted = kept.copy();
        kept.compact(&compacted, &count).ok();
        kept.changes[1] = number();
        kept
    }

    /// By turns a restore and a compaction, killed or with power cut.
    fn cut(&self, seed: u64) -> Counts {
        let (mut random, compacts, loses) = (Seeded::new(seed, 23), seed % 2 == 1, seed / 2 % 2 == 1);
        let changes = self.changes[usize::from(compacts)];
        let at = 1 + seed / 4 % changes * STRIDE % changes;
        let mut faults = vec![format!("FAULT_KILL_AT={at}"), format!("FAULT_TEAR={}", random.below(2))];
        if loses {
            faults.push(format!("FAULT_LOSE={}", 1 + random.below(1 << 30)));
        }
        let ran = match compacts {
            false => self.cut_restore(&faults),
            true => self.cut_compact(&faults),
        };
        let (what, how) =
            (["restores", "compactions"][usize::from(compacts)], ["kills", "power_cuts"][usize::from(loses)]);
        counts([("cuts", 1), (what, 1), (how, 1), ("cut_off", u64::from(ran.exit != 0))])
    }

    fn cut_restore(&self, faults: &[String]) -> Ran {
        let to = self.node.file("to");
        let _ = fs::remove_dir_all(&to);
        let ran = self.restore(&to, faults);
        let is_there = |name: &str| to.join(name).exists();
        if is_there("restoring") {
            let message = serve(&to).failed(3, "corrupt");
            assert!(message.contains("restore the backup again"), "{faults:?}: {message}");
        } else {
            // The last step: it is in place. What was put there whole is not restored over.
            assert!(is_there("format"), "{faults:?}: half of it is left");
            assert_eq!(verify(&to).exit, 0, "{faults:?}");
            fs::remove_dir_all(&to).expect("removes");
        }
        let again = self.restore(&to, &[]).ok();
        assert_eq!((&again["roots"], verify(&to).exit), (&self.roots, 0), "{faults:?}");
        ran
    }

    fn cut_compact(&self, faults: &[String]) -> Ran {
        let to = self.copy();
        let ran = self.compact(&to, faults);
        self.is_whole(&to, faults);
        self.compact(&to, &[]).ok();
        self.is_whole(&to, faults);
        assert!(!to.join("store.new").exists(), "{faults:?}: a copy is left");
        ran
    }

    fn is_whole(&self, directory: &Path, faults: &[String]) {
        let verified = verify(directory);
        assert_eq!((verified.exit, &verified.json["roots"]), (0, &self.ledgers), "{faults:?}: {verified:?}");
    }

    fn copy(&self) -> PathBuf {
        let to = self.node.file("to");
        let _ = fs::remove_dir_all(&to);
        let copied = Command::new("cp").args(["-a", "--sparse=always"]).arg(&self.restored).arg(&to).status();
        assert!(copied.expect("cp").success());
        to
    }

    fn restore(&self, to: &Path, faults: &[String]) -> Ran {
        self.run(&["restore", text(&self.backups), "--data-dir", text(to), "--no-anchor"], faults)
    }

    fn compact(&self, directory: &Path, faults: &[String]) -> Ran {
        self.run(&["compact", "--data-dir", text(directory)], faults)
    }

    fn run(&self, args: &[&str], faults: &[String]) -> Ran {
        let preload = format!("LD_PRELOAD={}", self.library.display());
        let under: Vec<&str> =
            [preload.as_str()].into_iter().chain(faults.iter().map(String::as_str)).collect();
        let mut command = program_under(&under);
        command.args(args).arg("--json");
        run(command)
    }
}

/// Each is small and soon there, and all of them come to the ledgers that the node has; clients and nodes are killed between.
#[test]
fn fifty_increments_on_a_full_backup_restore_to_equal_roots() {
    let mut node = Node::start();
    let backups = node.file("backups");
    say(&node, "base", 1000);
    let full = backup(&node, &backups, &[]).ok();
    let mut costs = Vec::new();
    let mut last = Value::Null;
    for round in 0..INCREMENTS {
        say(&node, &format!("more{round}"), 5);
        if round % 7 == 3 {
            cut_off(&node, &backups, Duration::from_millis(round));
        }
        if round % 10 == 5 {
            node.kill();
            node.restart();
        }
        let begun = Instant::now();
        last = backup(&node, &backups, &["--incremental"]).ok();
        assert_eq!(last["incremental"], true, "{last}");
        costs.push((begun.elapsed(), last["bytes"].as_u64().expect("a size")));
    }
    costs.sort_unstable();
    let largest = costs.iter().map(|(_, bytes)| *bytes).max();
    println!(
        "full {} bytes; {INCREMENTS} increments: p50 {:?}, most {:?}, largest {largest:?} bytes",
        full["bytes"],
        costs[costs.len() / 2].0,
        costs[costs.len() - 1].0,
    );
    assert!(largest < full["bytes"].as_u64(), "an increment of a few things is as large as everything");
    node.stop();
    let (to, begun) = (node.file("to"), Instant::now());
    let mut command = program();
    let anchor = node.data_dir().join("anchor");
    command.args(["restore", text(&backups), "--data-dir", text(&to), "--anchor", text(&anchor), "--json"]);
    let restored = run(command).ok();
    println!("restored in {:?}", begun.elapsed());
    assert_eq!(restored["roots"], last["roots"]);
    // One that was to be cut off may have been there before.
    assert!(restored["backups"].as_u64() > Some(INCREMENTS), "{restored}");
    assert_eq!(verify(&to).exit, 0);
}

/// A backup whose client dies.
fn cut_off(node: &Node, to: &Path, wait: Duration) {
    let mut command = node.command(&node.token, &["backup", text(to), "--incremental"]);
    let mut taking = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    std::thread::sleep(wait);
    taking.kill().expect("kill");
    taking.wait().expect("a child");
}

fn say(node: &Node, name: &str, count: usize) {
    let file = node.write(name, data::jsonl(name, count).text);
    node.import(&file, "jsonl", "feed", &[]).ok();
}

fn backup(node: &Node, to: &Path, more: &[&str]) -> Ran {
    let args: Vec<_> = ["backup", text(to)].into_iter().chain(more.iter().copied()).collect();
    node.cli(&args)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
