//! Backups as an operator takes them: while the node works, one on the other, and restored on a machine that has nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use storage::anchor::Anchor;

use crate::data;
use crate::disks::{files_in, serve};
use crate::node::{Node, Ran, program, run};
use crate::session;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn say(node: &Node, name: &str, count: usize) -> Value {
    let file = node.write(name, data::jsonl(name, count).text);
    node.import(&file, "jsonl", "feed", &[]).ok()
}

fn backup(node: &Node, to: &Path, more: &[&str]) -> Ran {
    let args: Vec<_> = ["backup", text(to)].into_iter().chain(more.iter().copied()).collect();
    node.cli(&args)
}

/// Runs a command that needs no node.
fn alone(args: &[&str]) -> Ran {
    let mut command = program();
    command.args(args).arg("--json");
    run(command)
}

fn verify(path: &Path) -> Ran {
    alone(&["verify", text(path)])
}

/// A new machine: a place for a data directory, and what was restored to it.
fn restore(from: &Path, to: &Path, witness: &[&str]) -> Ran {
    let args: Vec<_> =
        ["restore", text(from), "--data-dir", text(to)].into_iter().chain(witness.iter().copied()).collect();
    alone(&args)
}

/// A node on what was restored, with a token of the one that was lost.
fn take_over(data_dir: PathBuf, token: &str) -> Node {
    let mut node = Node::over(data_dir).expect("a restored node starts");
    token.clone_into(&mut node.token);
    node
}

/// Everything that people ask a node, but for what the epoch is part of.
fn answers(node: &Node, ids: &[&str], word: &str) -> Vec<Value> {
    let mut answers = Vec::new();
    for id in ids {
        for command in ["entity get", "entity history", "relations"] {
            let args: Vec<_> = command.split(' ').chain([*id]).collect();
            let mut ran = node.cli(&args);
            if let Some(answer) = ran.json.as_object_mut() {
                answer.remove("receipt");
            }
            answers.push(json!([ran.exit, ran.json]));
        }
    }
    let found = node.http().graphql("search:v1", json!({"q": word, "atLeast": head(node)}));
    answers.push(found["search"]["hits"][0]["id"].clone());
    for operation in ["graphs:v1", "sources:v1", "policyHistory:v1", "runs:v1"] {
        answers.push(node.http().graphql(operation, json!({"first": 50})));
    }
    let tokens = node.cli(&["token", "list"]).ok();
    answers.extend(tokens["tokens"].as_array().expect("tokens").iter().map(|token| token["id"].clone()));
    answers
}

fn head(node: &Node) -> Value {
    node.http().graphql("node:v1", json!({}))["node"]["lsn"].clone()
}

#[test]
fn what_was_backed_up_is_restored_and_answers_alike() {
    let mut node = Node::start();
    let kept = node.file("backups");
    say(&node, "one", 200);
    let graph = json!({"nodes": "one-1\t0\t0\none-2\t500\t500\n", "name": "ring", "shared": true});
    node.http().graphql("graphSave:v1", graph);
    let reader = node.new_token(&["--role", "reader"]);
    let cookie = session::signed_in(&node, &json!({"token": reader}));

    let full = backup(&node, &kept, &[]).ok();
    assert_eq!(
        (&full["ok"], &full["incremental"], &full["name"]),
        (&true.into(), &false.into(), &"0001-full".into())
    );
    say(&node, "two", 100);
    node.cli(&["entity", "delete", "one-7"]).ok();
    let second = backup(&node, &kept, &["--incremental"]).ok();
    assert_eq!(second["incremental"], true, "{second}");
    assert!(second["bytes"].as_u64() < full["bytes"].as_u64(), "{second} {full}");
    // A node that dies loses none of what it knows to have changed.
    say(&node, "three", 100);
    node.kill();
    node.restart();
    say(&node, "four", 50);
    let third = backup(&node, &kept, &["--incremental"]).ok();
    assert_eq!(third["incremental"], true, "{third}");
    let checked = verify(&kept).ok();
    for field in ["commit", "epoch", "roots"] {
        assert_eq!(checked[field], third[field], "{field}");
    }
    assert_eq!((&checked["ok"], &checked["problems"]), (&true.into(), &json!([])));

    let (ids, word) = (["one-1", "one-7", "two-3", "three-9", "four-2"], data::jsonl("four", 50).word);
    let before = answers(&node, &ids, &word);
    let (token, anchor) = (node.token.clone(), node.data_dir().join("anchor"));
    node.stop();
    let to = node.file("elsewhere");
    let restored = restore(&kept, &to, &["--anchor", text(&anchor)]).ok();
    assert_eq!(restored["roots"], third["roots"], "the ledgers are those that were backed up");
    assert_eq!((&restored["epoch"], &restored["backups"]), (&2.into(), &3.into()), "{restored}");
    // Stopping wrote nothing that the backup would lack.
    assert!(restored["lacking"]["default"].as_u64().is_some_and(|lacking| lacking <= 2), "{restored}");
    let other = take_over(to, &token);
    assert_eq!(answers(&other, &ids, &word), before);
    assert_eq!(other.http_as(&reader).graphql("node:v1", json!({}))["node"]["role"], "reader");
    let session = session::ask(&other.http(), &cookie);
    assert_eq!(session.status, 200, "who was signed in still is: {session:?}");
    proves_itself(other, &third);
}

/// The restored ledger goes on in the next epoch with the records that were backed up, and says so; outsiders agree.
fn proves_itself(mut node: Node, backed_up: &Value) {
    let out = node.file("ledger");
    let exported = node.cli(&["ledger", "export", "--out", text(&out)]).ok();
    assert!(exported["origin"].as_str().is_some_and(|origin| origin.ends_with("/default/2")), "{exported}");
    let key = exported["vkey"].as_str().expect("a key");
    let verified = node.cli(&["ledger", "verify", text(&out), "--key", key]).ok();
    assert_eq!(verified["root"], exported["root"]);
    let size = backed_up["roots"]["default"]["size"].as_u64().expect("a size");
    assert!(exported["size"].as_u64() > Some(size), "{exported}");
    assert_eq!(
        backed_up["roots"]["default"]["root"],
        root_of_first(&out, size),
        "the old tree is in the new one"
    );
    say(&node, "after", 20);
    let report = node.stop_and_verify();
    assert_eq!(report["epoch"], 2, "{report}");
    node.restart();
    say(&node, "later", 5);
    node.stop_and_verify();
}

/// The root over the first leaves of an export, computed here.
fn root_of_first(export: &Path, size: u64) -> String {
    let mut entries: Vec<_> = files_in(&export.join("tile/entries"));
    entries.sort();
    let bytes: Vec<u8> = entries.iter().flat_map(|file| fs::read(file).expect("a tile")).collect();
    let mut leaves = Vec::new();
    let mut rest = &bytes[..];
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (leaf, after) = after.split_at(u16::from_be_bytes(*length).into());
        leaves.push(Sha256::new().chain_update([0]).chain_update(leaf).finalize().to_vec());
        rest = after;
    }
    base64::engine::general_purpose::STANDARD.encode(root(&leaves[..size as usize]))
}

fn root(leaves: &[Vec<u8>]) -> Vec<u8> {
    match leaves {
        [leaf] => leaf.clone(),
        leaves => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            Sha256::new()
                .chain_update([1])
                .chain_update(root(left))
                .chain_update(root(right))
                .finalize()
                .to_vec()
        }
    }
}

#[test]
fn increments_taken_while_much_is_written_are_whole() {
    let mut node = Node::start();
    let kept = node.file("backups");
    say(&node, "base", 3_000);
    backup(&node, &kept, &[]).ok();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut round = 0;
            while !done.load(Ordering::Relaxed) {
                // The same things said anew, and others.
                let made = data::jsonl("base", 500).text.replace("ordinary", &format!("round{round}"));
                let file = node.write("again", made);
                node.import(&file, "jsonl", "feed", &[]).ok();
                say(&node, &format!("more{round}"), 100);
                round += 1;
            }
        });
        for _ in 0..6 {
            let taken = backup(&node, &kept, &["--incremental"]).ok();
            assert_eq!(taken["incremental"], true, "{taken}");
        }
        done.store(true, Ordering::Relaxed);
        writing.join().expect("writes");
    });
    let last = backup(&node, &kept, &["--incremental"]).ok();
    let checked = verify(&kept).ok();
    assert_eq!((&checked["roots"], &checked["ok"]), (&last["roots"], &true.into()), "{checked}");
    // Each one is a point to go back to.
    for name in ["0001-full", "0004-increment"] {
        let to = node.file(&format!("to-{name}"));
        let restored = restore(&kept.join(name), &to, &["--no-anchor"]).ok();
        assert_eq!((restored["name"].as_str(), &restored["lacking"]), (Some(name), &Value::Null));
        assert_eq!(verify(&to).ok()["ok"], true);
    }
    node.stop_and_verify();
}

/// A thousand changed things cost little more than they are, however much there is.
#[test]
fn an_increment_is_as_large_as_what_changed() {
    let node = Node::start();
    let kept = node.file("backups");
    say(&node, "many", 20_000);
    let full = backup(&node, &kept, &[]).ok();
    let nothing = backup(&node, &kept, &["--incremental"]).ok();
    let made = data::jsonl("many", 20_000).text;
    let changed: String = made
        .lines()
        .skip(1)
        .step_by(40)
        .take(500)
        .map(|line| line.replace("ordinary", "changed") + "\n")
        .collect();
    let file = node.write("changed", changed);
    assert_eq!(node.import(&file, "jsonl", "feed", &[]).ok()["updated"], 500);
    let some = backup(&node, &kept, &["--incremental"]).ok();
    let bytes = |taken: &Value| taken["bytes"].as_u64().expect("a size");
    println!(
        "full {}, nothing changed {}, 500 of 40,000 changed {}",
        bytes(&full),
        bytes(&nothing),
        bytes(&some)
    );
    assert!(bytes(&nothing) < 20_000 && bytes(&some) < 1_000_000 && bytes(&some) < bytes(&full) / 5);
}

#[test]
fn damage_is_named_and_nothing_is_restored_from_it() {
    let node = Node::start();
    let kept = node.file("backups");
    say(&node, "one", 300);
    backup(&node, &kept, &[]).ok();
    for name in ["two", "three"] {
        say(&node, name, 50);
        backup(&node, &kept, &["--incremental"]).ok();
    }
    let refuses = |what: &str, named: &str| {
        let ran = verify(&kept);
        let problems = ran.json["problems"].to_string();
        assert_eq!((ran.exit, &ran.json["ok"]), (1, &false.into()), "{what}: {ran:?}");
        assert!(problems.contains(named), "{what}: {problems} does not name {named}");
        let to = node.file("nowhere");
        let message = restore(&kept, &to, &["--no-anchor"]).failed(1, "corrupt");
        assert!(message.contains(named), "{what}: {message}");
        assert!(!to.join("format").exists() && !to.join("store.redb").exists(), "{what}");
        let _ = fs::remove_dir_all(&to);
    };
    let files: Vec<PathBuf> =
        files_in(&kept).into_iter().filter(|file| file.parent() != Some(&*kept)).collect();
    assert_eq!(files.len(), 9, "a manifest, rows and files each: {files:?}");
    for file in &files {
        let whole = fs::read(file).expect("a file");
        let named = file.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        for place in [0, whole.len() / 2, whole.len() - 1] {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            fs::write(file, flipped).expect("writes");
            refuses("a flipped bit", named);
        }
        fs::write(file, &whole[..whole.len() / 2]).expect("writes");
        refuses("a file cut short", named);
        fs::remove_file(file).expect("removes");
        refuses("a missing file", named);
        fs::write(file, whole).expect("writes");
    }
    let rename = |from: &str, to: &str| fs::rename(kept.join(from), kept.join(to)).expect("renames");
    rename("0002-increment", "aside");
    refuses("a missing increment", "0002-increment");
    rename("0003-increment", "0002-increment");
    rename("aside", "0003-increment");
    refuses("swapped increments", "under another name");
    rename("0003-increment", "aside");
    rename("0002-increment", "0003-increment");
    rename("aside", "0002-increment");

    let other = Node::start();
    let foreign = other.file("backups");
    say(&other, "other", 10);
    for more in [&[][..], &["--incremental"], &["--incremental"]] {
        backup(&other, &foreign, more).ok();
    }
    rename("0003-increment", "aside");
    fs::rename(foreign.join("0003-increment"), kept.join("0003-increment")).expect("renames");
    refuses("an increment of another node", "of node");
    fs::remove_dir_all(kept.join("0003-increment")).expect("removes");
    rename("aside", "0003-increment");
    verify(&kept).ok();

    fs::write(kept.join("format"), "intelgraph backup format 4000000\n").expect("writes");
    verify(&kept).failed(3, "newer_format");
    backup(&node, &kept, &[]).failed(3, "newer_format");
    restore(&kept, &node.file("nowhere"), &["--no-anchor"]).failed(3, "newer_format");
}

#[test]
fn the_anchor_tells_what_a_backup_lacks_and_whether_it_is_of_this_node() {
    let mut node = Node::start();
    let kept = node.file("backups");
    say(&node, "one", 50);
    let taken = backup(&node, &kept, &[]).ok();
    let early = fs::read(node.data_dir().join("anchor")).expect("written before the backup was done");
    say(&node, "two", 50);
    let size = head(&node).as_u64().expect("a position");
    let newest = backup(&node, &node.file("others"), &[]).ok();
    assert_eq!(newest["roots"]["default"]["size"], size);
    node.kill();
    let (to, anchor) = (node.file("to"), node.data_dir().join("anchor"));
    let message = restore(&kept, &to, &[]).failed(3, "no_anchor");
    assert!(message.contains("--no-anchor"), "{message}");
    let restored = restore(&kept, &to, &["--anchor", text(&anchor)]).ok();
    let held = taken["roots"]["default"]["size"].as_u64().expect("a size");
    assert!(
        restored["lacking"]["default"].as_u64().is_some_and(|lacking| lacking >= size - held),
        "{restored}"
    );
    let body = alone(&["verify", text(&to)]).ok();
    assert_eq!((&body["epoch"], &body["ok"]), (&2.into(), &true.into()));
    restore(&kept, &to, &["--no-anchor"]).failed(2, "invalid");

    let stale = node.write("stale", early);
    let message = restore(&node.file("others"), &node.file("to-2"), &["--anchor", text(&stale)])
        .failed(3, "unverifiable");
    assert!(message.contains("lost node"), "{message}");
    let other = Node::start();
    say(&other, "other", 10);
    backup(&other, &other.file("backups"), &[]).ok();
    let foreign = other.data_dir().join("anchor");
    restore(&kept, &node.file("to-3"), &["--anchor", text(&foreign)]).failed(1, "corrupt");
    let none = node.write("none", "no anchor\n");
    for none in [none, node.file("no-such-anchor"), node.data_dir(), node.data_dir().join("keys/ledger.key")]
    {
        let message = restore(&kept, &node.file("to-4"), &["--anchor", text(&none)]).failed(2, "invalid");
        assert!(message.contains(text(&none)) && message.contains("--no-anchor"), "{message}");
    }
    // All of that is said before anything is written; whose signature it is, before the rows are.
    for untouched in ["to-2", "to-3", "to-4"] {
        assert!(!node.file(untouched).exists(), "{untouched}");
    }
    let signed = fs::read_to_string(&anchor).expect("an anchor");
    let size = signed.lines().nth(1).expect("a size");
    let forged = node.write("forged", signed.replacen(&format!("\n{size}\n"), "\n1000000\n", 1));
    let to_5 = node.file("to-5");
    restore(&kept, &to_5, &["--anchor", text(&forged)]).failed(1, "corrupt");
    assert!(to_5.join("restoring/keys").exists() && !to_5.join("restoring/store.redb").exists());

    // A second loss, and a backup of the time before the first: its epoch is above both.
    let second = node.file("second");
    let restored = restore(&kept, &second, &["--anchor", text(&to.join("anchor"))]).ok();
    assert_eq!(restored["epoch"], 3, "{restored}");
    let key: [u8; 32] =
        fs::read(second.join("keys/ledger.key")).expect("a key").try_into().expect("32 bytes");
    let seen = Anchor::new(second.join("anchor"), key).seen().expect("readable");
    assert!(seen.iter().all(|seen| seen.epoch() == 3), "{seen:?}");
}

#[test]
fn only_owners_take_backups_and_only_where_they_belong() {
    let node = Node::start();
    say(&node, "one", 10);
    let kept = node.file("backups");
    for role in ["admin", "analyst", "reader", "writer", "auditor"] {
        let token = node.new_token(&["--role", role]);
        node.cli_as(&token, &["backup", text(&kept)]).failed(1, "denied");
        node.cli_as(&token, &["scrub"]).failed(1, "denied");
    }
    assert!(!kept.join("0001-full").exists());
    fs::create_dir(node.file("full")).expect("a directory");
    fs::write(node.file("full").join("precious"), "do not touch").expect("writes");
    backup(&node, &node.file("full"), &[]).failed(2, "invalid");
    verify(&node.file("full")).failed(2, "invalid");
    // The first is full, whatever was asked for; and says why.
    let first = backup(&node, &kept, &["--incremental"]).ok();
    assert_eq!(first["incremental"], false);
    assert!(first["why_full"].as_str().is_some_and(|why| why.contains("no backup yet")), "{first}");
    for file in files_in(&kept) {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert!(mode & 0o077 == 0 || file.ends_with("format"), "{}: {mode:o}", file.display());
    }
}

/// Another node's backups are no base, nor are those from before a restore.
#[test]
fn an_increment_is_never_built_on_what_it_does_not_go_with() {
    let mut node = Node::start();
    say(&node, "one", 10);
    let kept = node.file("backups");
    backup(&node, &kept, &[]).ok();
    let other = Node::start();
    say(&other, "other", 10);
    let taken = backup(&other, &kept, &["--incremental"]).ok();
    assert!(taken["why_full"].as_str().is_some_and(|why| why.contains("node")), "{taken}");
    fs::remove_dir_all(kept.join("0002-full")).expect("removes");
    let token = node.token.clone();
    node.stop();
    let to = node.file("to");
    restore(&kept, &to, &["--anchor", text(&node.data_dir().join("anchor"))]).ok();
    let mut restored = take_over(to, &token);
    let taken = backup(&restored, &kept, &["--incremental"]).ok();
    assert!(taken["why_full"].as_str().is_some_and(|why| why.contains("epoch")), "{taken}");
    say(&restored, "two", 10);
    assert_eq!(backup(&restored, &kept, &["--incremental"]).ok()["incremental"], true);
    assert_eq!(verify(&kept).ok()["epoch"], 2);
    restored.stop_and_verify();
}

/// Killed in the middle, the client or the node: no backup is there, and the next one is whole.
#[test]
fn a_backup_that_is_cut_off_never_was() {
    let mut node = Node::start();
    let kept = node.file("backups");
    say(&node, "many", 20_000);
    backup(&node, &kept, &[]).ok();
    for round in 0..8 {
        let mut command = node.command(&node.token, &["backup", text(&kept)]);
        let mut taking =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        let begun = Instant::now();
        let is_partial = || {
            fs::read_dir(&kept)
                .expect("a directory")
                .any(|entry| entry.expect("an entry").file_name().to_string_lossy().ends_with(".partial"))
        };
        while !is_partial() && taking.try_wait().expect("a child").is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "no backup begins");
        }
        std::thread::sleep(Duration::from_millis(round * 10));
        if round % 2 == 0 {
            taking.kill().expect("kill");
            taking.wait().expect("a child");
        } else {
            node.kill();
            let exit = taking.wait().expect("a child").code();
            assert!(exit == Some(3) || exit == Some(0), "a client that lost its node cannot tell: {exit:?}");
            node.restart();
        }
        verify(&kept).ok();
    }
    let last = backup(&node, &kept, &[]).ok();
    assert_eq!(verify(&kept).ok()["roots"], last["roots"]);
    let left = fs::read_dir(&kept).expect("a directory").count();
    assert_eq!(
        left,
        2 + last["name"].as_str().and_then(|name| name[..4].parse::<usize>().ok()).expect("a number")
    );
}

/// Killed at any moment, a restore and a compaction leave what was there before, or what was to be there.
#[test]
fn a_restore_or_compaction_that_is_cut_off_can_be_done_again() {
    let mut node = Node::start();
    let (kept, to) = (node.file("backups"), node.file("to"));
    say(&node, "many", 10_000);
    let taken = backup(&node, &kept, &[]).ok();
    node.stop();
    // Killed so long after a file of its own is there.
    let cut_off = |args: &[&str], begun: &Path, wait: Duration| {
        let mut command = program();
        command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the program starts");
        while !begun.exists() && process.try_wait().expect("a child").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(wait);
        process.kill().expect("kill");
        process.wait().expect("a child");
    };
    let mut unfinished = 0;
    for wait in (0..10).map(|round| Duration::from_millis(30 * round)) {
        cut_off(
            &["restore", text(&kept), "--data-dir", text(&to), "--no-anchor"],
            &to.join("restoring/store.redb"),
            wait,
        );
        if to.join("format").exists() && !to.join("restoring").exists() {
            assert_eq!(verify(&to).ok()["ok"], true, "in place is whole");
            fs::remove_dir_all(&to).expect("removes");
        } else if to.join("restoring").exists() {
            unfinished += 1;
            let mut command = program();
            command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir", text(&to)]);
            let message = crate::node::run_briefly(command).failed(3, "corrupt");
            assert!(message.contains("restore was cut off"), "{message}");
        }
    }
    assert!(unfinished > 0, "no kill met a restore: the test shows nothing");
    let restored = restore(&kept, &to, &["--no-anchor"]).ok();
    assert_eq!(restored["roots"], taken["roots"]);

    for wait in (0..10).map(|round| Duration::from_millis(30 * round)) {
        cut_off(&["compact", "--data-dir", text(&to)], &to.join("store.new"), wait);
        let report = verify(&to).ok();
        assert_eq!(report["roots"], restored["ledgers"], "{report}");
    }
    let compacted = alone(&["compact", "--data-dir", text(&to)]).ok();
    assert_eq!((&compacted["ok"], &compacted["roots"]), (&true.into(), &restored["ledgers"]), "{compacted}");
    assert!(compacted["bytes_after"].as_u64() <= compacted["bytes_before"].as_u64(), "{compacted}");
}

#[test]
fn a_scrub_reads_everything_and_names_what_is_damaged() {
    let mut node = Node::start_with(&[("checked_bytes_max", "0")]);
    say(&node, "ring", 2_000);
    let found = node.cli(&["scrub"]).ok();
    assert_eq!((&found["ok"], &found["problems"]), (&true.into(), &json!([])), "{found}");
    assert_eq!(found["roots"]["default"]["size"], head(&node), "{found}");
    let metrics = node.http().get("/metrics").body;
    for line in
        ["intelgraph_scrub_problems 0", "intelgraph_scrub_last_seconds ", "intelgraph_backups_running 0"]
    {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    node.stop();
    assert_eq!(alone(&["scrub", "--data-dir", text(&node.data_dir())]).ok()["roots"], found["roots"]);
    // A row of the log is changed where it lies, which redb itself does not notice.
    let database = node.data_dir().join("store.redb");
    let mut bytes = fs::read(&database).expect("the database");
    let word = b"host ring 17\"";
    let places: Vec<_> = (0..bytes.len() - word.len()).filter(|at| bytes[*at..].starts_with(word)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| bytes[*at] ^= 1);
    fs::write(&database, bytes).expect("the database");
    let message = serve(&node.data_dir()).failed(3, "corrupt");
    assert!(message.contains("restore a backup") && message.contains("checked_bytes_max"), "{message}");
    let verified = alone(&["verify", text(&node.data_dir())]);
    assert!(verified.exit == 1 && verified.json["problems"].to_string().contains("log"), "{verified:?}");
    node.restart();
    let ran = node.cli(&["scrub"]);
    assert_eq!((ran.exit, &ran.json["ok"]), (1, &false.into()), "{ran:?}");
    assert!(ran.json["problems"].to_string().contains("log"), "{ran:?}");
    // What is damaged is not backed up as if it were whole.
    let message = backup(&node, &node.file("backups"), &[]).failed(1, "corrupt");
    assert!(message.contains("log"), "{message}");
    assert!(!node.file("backups").join("0001-full").exists());
    assert_eq!(alone(&["compact", "--data-dir", text(&node.data_dir())]).error()["code"], "in_use");
}
