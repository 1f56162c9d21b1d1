//! What was redacted is in no place that the program's own table of places says is emptied, not in one byte; and what
//! was proved before still is.

use std::fs;
use std::path::Path;
use std::process::Command;

use intelgraph::erasure::{Emptied, PLACES};
use serde_json::{Value, json};
use storage::Directory;
use storage::tables::Table;
use storage::tx::Read as _;

use crate::data;
use crate::disks::files_in;
use crate::models::{install, published};
use crate::node::Node;

/// In everything that is said of somebody, by everybody.
const CANARY: &str = "zqcanary5b1f77";
/// In what another tenant says.
const FAR: &str = "zqfarcanary90c2";
/// Of a word in an index only the end may stand in one piece.
const PIECE: &str = "nary5b1f77";
/// Files of the database: its tables are listed one by one.
const DATABASE: [&str; 2] = ["store.redb", "store.redb.journal"];

fn person(id: &str, name: &str) -> Value {
    json!({
        "id": id, "type": "person", "labels": [format!("tag {name}")],
        "attributes": {"name": name, "aliases": [format!("aka {name}")], "phone": format!("+49 {name}")},
        "texts": [{"text": format!("A person called {name} was seen.")}],
    })
}

fn lines(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A node on which the canary is in every kind of place.
fn with_canaries() -> Node {
    let node = Node::start();
    node.cli(&["--tenant", "far", "token", "create", "--role", "admin"]).ok();
    let say = |tenant: &str, source: &str, said: &[Value]| {
        let file = node.write("said.jsonl", lines(said));
        let file = file.to_str().expect("UTF-8");
        let terms = [
            "--format",
            "jsonl",
            "--source",
            source,
            "--purpose",
            "threat-intel",
            "--licence",
            "Open-Data-OK",
        ];
        node.cli(&[&["--tenant", tenant, "import", file][..], &terms].concat())
    };
    let others: Vec<_> = (0..50).map(|n| person(&format!("other-{n}"), &format!("other {n}"))).collect();
    say("default", "feed", &others).ok();
    say("default", "feed", &[person(CANARY, "first")]).ok();
    say("default", "feed", &[person(CANARY, CANARY), joined(CANARY, "other-1"), joined("other-2", CANARY)])
        .ok();
    say("default", "wiki", &[person(CANARY, &format!("{CANARY} again")), person("other-3", "wiki says")])
        .ok();
    say("far", "feed", &[person(FAR, FAR)]).ok();
    // Refused, and so on a list of what is refused.
    let refused =
        say("default", "feed", &[json!({"id": CANARY, "type": "another type"}), joined(CANARY, "nobody")]);
    assert_eq!(refused.exit, 1, "{refused:?}");
    node.cli(&["entity", "delete", CANARY]).ok();
    node.cli(&["entity", "restore", CANARY]).ok();
    let graph = json!({
        "name": CANARY, "note": format!("about {CANARY}"), "shared": true, "nodes": format!("{CANARY}\t0\t0\nother-1\t100\t0"),
    });
    node.http().graphql("graphSave:v1", graph);
    node
}

fn joined(from: &str, to: &str) -> Value {
    json!({"relation": "knows", "from": from, "to": to})
}

/// Which files of the data directory hold a text, but for those of the database.
fn files_with(node: &Node, text: impl AsRef<[u8]>) -> Vec<String> {
    let is_database = |file: &Path| DATABASE.iter().any(|name| file.ends_with(name));
    let files = files_in(&node.data_dir()).into_iter().filter(|file| !is_database(file));
    let holding = files.filter(|file| fs::read(file).is_ok_and(|bytes| holds(&bytes, &text)));
    holding.map(|file| file.display().to_string()).collect()
}

/// Which tables of a stopped node's database hold a text. What is left in free pages goes when the file is rewritten.
fn tables_with(data_dir: &Path, text: impl AsRef<[u8]>) -> Vec<&'static str> {
    let store = Directory::hold(data_dir).expect("free").open_store(1 << 20, String::new()).expect("opens");
    let view = store.view().expect("open");
    let mut found = Vec::new();
    for table in Table::ALL {
        let mut here = false;
        view.scan(*table, &[], None, &mut |key, row| {
            here |= holds(key, &text) || holds(row, &text);
            Ok(std::ops::ControlFlow::Continue(()))
        })
        .expect("readable");
        found.extend(here.then(|| table.name()));
    }
    found
}

fn holds(bytes: &[u8], what: impl AsRef<[u8]>) -> bool {
    memchr::memmem::find(bytes, what.as_ref()).is_some()
}

fn redact(node: &Node, args: &[&str]) -> Value {
    let reason = ["--reason", "asked to be forgotten"];
    node.cli(&[&["redact"][..], args, &reason].concat()).ok()
}

fn is_found(node: &Node, word: &str) -> bool {
    let hits = node.cli(&["search", word]).ok()["hits"].as_array().cloned().unwrap_or_default();
    !hits.is_empty()
}

#[test]
fn every_place_is_listed() {
    let listed = |name: &str| PLACES.iter().any(|(place, _, _)| *place == name);
    for table in Table::ALL {
        assert!(listed(table.name()), "the table `{}` is in no line of the places", table.name());
    }
    let mut node = with_canaries();
    node.stop();
    for entry in fs::read_dir(node.data_dir()).expect("a directory") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let own = ["lock", "format", "keys"].contains(&name.as_str()) || DATABASE.contains(&name.as_str());
        assert!(own || listed(&name), "`{name}` in the data directory is in no line of the places");
    }
}

#[test]
fn an_entity_is_gone_from_every_byte_and_every_proof_still_holds() {
    let mut node = with_canaries();
    let path = |name: &str| node.file(name).to_str().expect("UTF-8").to_owned();
    let (before, after, receipt) = (path("before"), path("after"), path("receipt"));
    let exported = node.cli(&["ledger", "export", "--out", &before]).ok();
    let key = exported["vkey"].as_str().expect("a key").to_owned();
    let lsn = node.cli(&["entity", "get", CANARY]).ok()["receipt"]["lsn"].to_string();
    node.cli(&["ledger", "proof", "--lsn", &lsn, "--out", &receipt]).ok();
    assert!(holds(&fs::read(&receipt).expect("a receipt"), "c2sp.org/tlog-proof"));
    // A page that somebody may go on from keeps a state of the index.
    assert!(node.cli(&["search", "person", "--limit", "1"]).ok()["next_cursor"].is_string());
    // It was hidden and shown again: the index hears of that behind the answer.
    let since = std::time::Instant::now();
    while !is_found(&node, CANARY) {
        assert!(since.elapsed().as_secs() < 20, "it is shown again");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(!files_with(&node, PIECE).is_empty(), "the canary is in files before");

    let done = redact(&node, &["--entity", CANARY]);
    assert!(done["records"].as_u64() >= Some(7) && done["bytes"].as_u64() > Some(500), "{done}");
    node.cli(&["entity", "get", CANARY]).failed(1, "not_found");
    node.cli(&["entity", "get", CANARY, "--as-of", "2999-01-01T00:00:00Z"]).failed(1, "not_found");
    node.cli(&["relations", CANARY]).failed(1, "not_found");
    assert!(!is_found(&node, CANARY));
    assert!(is_found(&node, "wiki"), "the rest is found");
    assert_eq!(files_with(&node, PIECE), Vec::<String>::new(), "while the node runs");
    let shown = node.http().list("graphs:v1", json!({}), "graphs");
    assert!(shown.len() == 1 && !json!(shown).to_string().contains(CANARY), "{shown:?}");

    node.cli(&["ledger", "export", "--out", &after]).ok();
    // What is left of the record still leads to the root.
    let erased = path("erased");
    node.cli(&["ledger", "proof", "--lsn", &lsn, "--out", &erased]).ok();
    for what in [&before, &after, &receipt, &erased] {
        node.cli(&["ledger", "verify", what, "--key", &key]).ok();
    }
    outsider_accepts(&receipt, &key);

    node.stop_and_verify();
    assert_eq!(tables_with(&node.data_dir(), CANARY), Vec::<&str>::new());
    assert_eq!(files_with(&node, PIECE), Vec::<String>::new());
    assert!(!tables_with(&node.data_dir(), FAR).is_empty(), "another tenant's data stay");
    assert!(!node.log().contains(CANARY), "{}", node.log());

    node.restart();
    assert!(is_found(&node, "wiki"));
    node.cli(&["entity", "get", CANARY]).failed(1, "not_found");
}

/// Every file of the directory, the database with its free pages among them.
fn bytes_with(data_dir: &Path, text: impl AsRef<[u8]>) -> Vec<String> {
    let holding =
        files_in(data_dir).into_iter().filter(|file| fs::read(file).is_ok_and(|bytes| holds(&bytes, &text)));
    holding.map(|file| file.display().to_string()).collect()
}

/// To look at all pages has the database's file hold what was in the journal alone.
fn written_to_pages(node: &Node, text: impl AsRef<[u8]>) {
    node.cli(&["scrub"]).ok();
    let database = fs::read(node.data_dir().join(DATABASE[0])).expect("the database");
    assert!(holds(&database, text), "its pages hold it: the test shows something");
}

#[test]
fn compacting_leaves_not_one_byte_behind() {
    let mut node = with_canaries();
    written_to_pages(&node, CANARY);
    redact(&node, &["--entity", CANARY]);
    node.stop();
    let data_dir = node.data_dir();
    node.cli(&["compact", "--data-dir", data_dir.to_str().expect("UTF-8")]).ok();
    assert_eq!(bytes_with(&data_dir, CANARY), Vec::<String>::new());
    node.restart();
    assert!(is_found(&node, "wiki"));
    node.stop_and_verify();
}

/// Of unit length to the bit, so that it is the same bytes as it came and as it is searched by.
const VECTOR: [f32; 8] = [0.5, -0.25, 0.25, -0.5, 0.25, 0.0, -0.25, 0.5];

/// In the ledger, in what came since the last build, in what was built, and in none of them when it is over.
#[test]
fn a_vector_that_somebody_brought_is_gone_from_every_byte() {
    let mut node = with_canaries();
    install(&node, &[&published(&node, "small-model", "bert")], &[]).ok();
    let mut brought = person(CANARY, "with a vector");
    brought["embedding"] = json!({"model": "small-model", "vector": VECTOR});
    let file = node.write("brought.jsonl", lines(&[brought]));
    node.import(&file, "jsonl", "feed", &[]).ok();
    let bytes: Vec<u8> = VECTOR.iter().flat_map(|component| component.to_le_bytes()).collect();
    let since = std::time::Instant::now();
    let awaited = |what: &str, is_so: &dyn Fn() -> bool| {
        while !is_so() {
            assert!(since.elapsed().as_secs() < 60, "not yet so: {what}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    awaited("it is indexed", &|| {
        let told = node.cli(&["entity", "embeddings", CANARY]).json;
        told["embeddings"].as_array().is_some_and(|all| all.iter().any(|one| one["supplied"] == true))
    });
    node.cli(&["index", "build", "--now"]).ok();
    awaited("it is built", &|| files_with(&node, &bytes).iter().any(|file| file.contains("segment-")));

    written_to_pages(&node, &bytes);
    redact(&node, &["--entity", CANARY]);
    assert_eq!(files_with(&node, &bytes), Vec::<String>::new(), "while the node runs");
    node.cli(&["entity", "embeddings", CANARY]).failed(1, "not_found");
    node.stop_and_verify();
    let data_dir = node.data_dir();
    assert_eq!(tables_with(&data_dir, &bytes), Vec::<&str>::new());
    node.cli(&["compact", "--data-dir", data_dir.to_str().expect("UTF-8")]).ok();
    assert_eq!(bytes_with(&data_dir, &bytes), Vec::<String>::new());
}

#[test]
fn a_backup_from_before_does_not_bring_back_who_was_forgotten_since() {
    let mut node = with_canaries();
    let path = |name: &str| node.file(name).to_str().expect("UTF-8").to_owned();
    let (backups, anchor, restored) = (path("backups"), path("data/anchor"), path("restored"));
    node.cli(&["backup", &backups]).ok();
    redact(&node, &["--entity", CANARY]);
    node.kill();
    let before = format!("{backups}/0001-full");
    let done = node.cli(&["restore", &before, "--data-dir", &restored, "--anchor", &anchor]).ok();
    assert_eq!(done["ok"], true, "{done}");
    assert_eq!(bytes_with(Path::new(&restored), CANARY), Vec::<String>::new());
    let again = node.write("again.jsonl", lines(&[person(CANARY, "again")]));
    let mut other = Node::over(restored.into()).unwrap_or_else(|ran| panic!("{ran:?}"));
    other.token.clone_from(&node.token);
    other.cli(&["entity", "get", CANARY]).failed(1, "not_found");
    // An import waits for the index, which is made anew after a restore.
    assert_eq!(other.import(&again, "jsonl", "feed", &[]).json["rejected"], 1, "and it stays forgotten");
    assert!(is_found(&other, "wiki"), "the rest is there");
    other.stop_and_verify();
}

/// Increments go on over a redaction. What is restored of one that was taken after it needs no anchor to be rid of the
/// person: neither rows nor lists of rejects of the backups before it bring anything back.
#[test]
fn an_increment_from_after_brings_nobody_back() {
    let mut node = with_canaries();
    let path = |name: &str| node.file(name).to_str().expect("UTF-8").to_owned();
    let (backups, restored) = (path("backups"), path("restored"));
    let increment = |node: &Node| node.cli(&["backup", &backups, "--incremental"]).ok();
    node.cli(&["backup", &backups]).ok();
    let file =
        node.write("later.jsonl", lines(&[person(CANARY, &format!("{CANARY} later")), person("new", "new")]));
    node.import(&file, "jsonl", "feed", &[]).ok();
    assert_eq!(increment(&node)["incremental"], true);
    redact(&node, &["--entity", CANARY]);
    let file = node.write("after.jsonl", lines(&[person("after", "after")]));
    node.import(&file, "jsonl", "feed", &[]).ok();
    let last = increment(&node);
    assert_eq!((&last["incremental"], &last["name"]), (&json!(true), &json!("0003-increment")), "{last}");
    node.stop_and_verify();
    assert_eq!(
        tables_with(&node.data_dir(), CANARY),
        Vec::<&str>::new(),
        "what was noted for increments names nobody"
    );

    let done = node.cli(&["restore", &backups, "--data-dir", &restored, "--no-anchor"]).ok();
    assert_eq!((&done["ok"], &done["roots"]), (&json!(true), &last["roots"]), "{done}");
    assert_eq!(bytes_with(Path::new(&restored), CANARY), Vec::<String>::new());
    let mut other = Node::over(restored.into()).unwrap_or_else(|ran| panic!("{ran:?}"));
    other.token.clone_from(&node.token);
    other.cli(&["entity", "get", CANARY]).failed(1, "not_found");
    other.cli(&["entity", "get", "after"]).ok();
    other.cli(&["entity", "get", "new"]).ok();
    other.stop_and_verify();
}

/// A program that shares no code with the node follows the receipt to the signed root.
fn outsider_accepts(receipt: &str, key: &str) {
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/receipt.py");
    let ran =
        Command::new("python3").arg(judge).args([receipt, key, &format!("\"{CANARY} again\"")]).output();
    let ran = ran.expect("python3 runs");
    let said = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn what_was_redacted_is_rejected_until_that_is_lifted() {
    let mut node = with_canaries();
    redact(&node, &["--entity", CANARY]);
    let file = node.write(
        "again.jsonl",
        lines(&[person(CANARY, "again"), joined(CANARY, "other-1"), person("new", "new")]),
    );
    let ran = node.import(&file, "jsonl", "feed", &[]);
    assert_eq!((ran.exit, &ran.json["rejected"], &ran.json["created"]), (1, &json!(2), &json!(1)), "{ran:?}");
    let rejects = fs::read_to_string(ran.json["rejects_file"].as_str().expect("a file")).expect("rejects");
    assert_eq!(rejects.matches("\"redacted\"").count(), 2, "{rejects}");
    assert!(!rejects.contains(CANARY), "a list of rejects names nobody who was forgotten: {rejects}");
    node.kill();
    node.restart();
    assert_eq!(node.import(&file, "jsonl", "feed", &[]).json["rejected"], 2, "also behind a restart");

    node.cli(&["redact", "--entity", CANARY, "--lift"]).ok();
    node.cli(&["redact", "--entity", CANARY, "--lift"]).failed(1, "not_found");
    let ran = node.import(&file, "jsonl", "feed", &[]).ok();
    assert_eq!(ran["created"], 2, "{ran}");
    node.cli(&["entity", "get", CANARY]).ok();
    node.stop_and_verify();
}

#[test]
fn a_source_is_gone_and_what_others_say_stays() {
    let mut node = with_canaries();
    redact(&node, &["--source", "feed"]);
    assert_eq!(node.cli(&["entity", "get", "other-3"]).ok()["title"], "wiki says");
    node.cli(&["entity", "get", "other-4"]).failed(1, "not_found");
    assert!(!is_found(&node, "first"));
    let file = node.write("again.jsonl", lines(&[person("other-4", "again")]));
    assert_eq!(node.import(&file, "jsonl", "feed", &[]).json["rejected"], 1);
    let data_dir = node.data_dir();
    node.stop_and_verify();
    assert_eq!(tables_with(&data_dir, "other-4"), Vec::<&str>::new());
    assert_eq!(tables_with(&data_dir, "A person called first"), Vec::<&str>::new());
    assert_eq!(files_with(&node, "other-4"), Vec::<String>::new());
}

#[test]
fn a_node_that_is_killed_goes_on_erasing() {
    let mut node = Node::start();
    let ring = data::jsonl("ring", 4000);
    let file = node.write("ring.jsonl", &ring.text);
    node.import(&file, "jsonl", "ring", &[]).ok();
    let body = json!({"id": "redact:v1", "variables": {"source": "ring", "reason": "a test"}});
    let begun = node.http().post(&body).json()["data"]["redact"].clone();
    node.cli(&["entity", "get", &ring.word_in]).failed(1, "not_found");
    node.kill();
    node.restart();
    node.cli(&["entity", "get", &ring.word_in]).failed(1, "not_found");
    let asked = || node.http().graphql("redaction:v1", json!({"lsn": begun["lsn"]}))["redaction"].clone();
    let since = std::time::Instant::now();
    while asked()["done"] != true {
        assert!(since.elapsed().as_secs() < 60, "{}", asked());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(asked()["records"], 8000, "{}", asked());
    let data_dir = node.data_dir();
    node.stop_and_verify();
    assert_eq!(tables_with(&data_dir, &ring.word), Vec::<&str>::new());
    assert_eq!(files_with(&node, &ring.word[2..]), Vec::<String>::new());
}

#[test]
fn a_hold_wins_over_a_redaction() {
    let mut node = with_canaries();
    let held = node.cli(&["hold", "add", "--entity", CANARY, "--reason", "litigation"]).ok();
    let id = held["id"].as_str().expect("an id").to_owned();
    for args in [["--entity", CANARY], ["--source", "feed"]] {
        let ran = node.cli(&["redact", args[0], args[1], "--reason", "asked"]);
        assert!(ran.failed(1, "held").contains(&id), "the hold is named: {ran:?}");
    }
    let listed = node.cli(&["hold", "list"]).ok();
    assert_eq!(
        (&listed["holds"][0]["name"], &listed["holds"][0]["reason"]),
        (&json!(CANARY), &json!("litigation"))
    );
    node.cli(&["entity", "get", CANARY]).ok();
    node.cli(&["hold", "remove", &id]).ok();
    node.cli(&["hold", "remove", &id]).failed(1, "not_found");
    redact(&node, &["--entity", CANARY]);
    let data_dir = node.data_dir();
    node.stop_and_verify();
    assert_eq!(tables_with(&data_dir, CANARY), Vec::<&str>::new(), "the hold's own record as well");
}

#[test]
fn erasing_is_for_admins_and_of_what_they_see() {
    let node = with_canaries();
    let file = node.write("secret.jsonl", lines(&[person("hidden", "hidden")]));
    node.import(&file, "jsonl", "secrets", &["--classification", "secret"]).ok();
    let analyst = node.new_token(&["--role", "analyst", "--clearance", "secret"]);
    let admin = node.new_token(&["--role", "admin", "--clearance", "internal"]);
    let args = |what: &str, of: &str| {
        ["redact".to_owned(), what.to_owned(), of.to_owned(), "--reason".to_owned(), "r".to_owned()]
    };
    let run = |token: &str, what: &str, of: &str| {
        let args = args(what, of);
        node.cli_as(token, &args.each_ref().map(String::as_str))
    };
    run(&analyst, "--entity", CANARY).failed(1, "denied");
    let hidden = run(&admin, "--entity", "hidden").failed(1, "not_found");
    assert_eq!(hidden.replace("hidden", "nobody"), run(&admin, "--entity", "nobody").failed(1, "not_found"));
    let hidden = run(&admin, "--source", "secrets").failed(1, "not_found");
    assert_eq!(
        hidden.replace("secrets", "nothing"),
        run(&admin, "--source", "nothing").failed(1, "not_found")
    );
    assert_eq!(run(&admin, "--entity", CANARY).exit, 0);
    assert_eq!(
        PLACES.iter().filter(|(_, _, how)| *how == Emptied::ByHand).count(),
        2,
        "what is left to people is little"
    );
}
