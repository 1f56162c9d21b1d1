//! Ways out: what leaves is what was said, as far as one may see it and licence and policy let it go.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::data;
use crate::node::{Node, Ran, program, run};

/// Exports into a file; what it holds, and what was told.
fn export(node: &Node, args: &[&str]) -> (String, Value) {
    export_as(node, &node.token, args)
}

fn export_as(node: &Node, token: &str, args: &[&str]) -> (String, Value) {
    let out = node.file("exported");
    let whole = [&["export", "--out", out.to_str().expect("UTF-8")], args].concat();
    let told = node.cli_as(token, &whole).ok();
    (fs::read_to_string(&out).expect("the file"), told)
}

/// The objects of a bundle by their ids and versions, which may be given more than once.
fn objects(text: &str) -> BTreeMap<String, Value> {
    let bundle: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(bundle["type"], "bundle");
    let objects = bundle["objects"].as_array().expect("objects").iter();
    objects.map(|object| (object["id"].as_str().expect("an id").to_owned(), object.clone())).collect()
}

/// Every object and every property of a bundle comes back as it was.
fn goes_round(bundle: &Path) {
    let mut node = Node::start();
    let done = node.import(bundle, "stix", "bundle", &["--classification", "public"]).ok();
    let (text, told) = export(&node, &["--format", "stix", "--source", "bundle"]);
    let (before, after) = (objects(&fs::read_to_string(bundle).expect("the bundle")), objects(&text));
    assert_eq!(told["withheld"], 0, "{told}");
    assert_eq!((told["written"].as_u64(), done["rejected"].as_u64()), (Some(before.len() as u64), Some(0)));
    let changed: Vec<_> =
        before.iter().filter(|(id, object)| after.get(*id) != Some(object)).take(3).collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert_eq!(before.len(), after.len());
    node.stop_and_verify();
}

#[test]
fn a_bundle_comes_back_as_it_was() {
    let node = Node::start();
    let mut odd = data::malware(&data::stix_id("malware", "odd"), "odd", "x");
    odd["x_numbers"] = json!([1.0, 1e2, -0.5, 12345678901234567890u64, null, {"a": [true, "\u{1F980}\n"]}]);
    odd["labels"] = json!(["b", "a"]);
    odd["revoked"] = json!(true);
    odd["granular_markings"] = json!([{
        "marking_ref": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "selectors": ["description"],
    }]);
    let domain =
        json!({"type": "domain-name", "id": data::stix_id("domain-name", "d"), "value": "example.org"});
    goes_round(&node.write("odd.json", data::bundle(vec![odd, domain]).to_string()));
    goes_round(&node.write("made.json", data::stix("made", 300).text));
}

/// A bundle that nobody made for a test; `INTELGRAPH_TEST_BUNDLE` names another one.
pub(crate) fn real_bundle() -> PathBuf {
    let given = std::env::var_os("INTELGRAPH_TEST_BUNDLE").map(PathBuf::from);
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/stix/ics-attack-18.1.json");
    given.unwrap_or(shared)
}

#[test]
fn a_real_bundle_comes_back_as_it_was() {
    let bundle = real_bundle();
    if !bundle.exists() {
        println!("skipped: no bundle at `{}`; name one with INTELGRAPH_TEST_BUNDLE", bundle.display());
        return;
    }
    goes_round(&bundle);
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn lines_of_json_are_imported_again_to_the_same() {
    let node = Node::start();
    let lines = [
        json!({"id": "h-1", "type": "host", "labels": ["b", "a"], "attributes": {"name": "gate", "n": 1.0, "list": [1, {"a": null}]},
               "texts": [{"text": "open"}, {"text": "closed", "classification": "secret"}], "observed_at": "2026-05-02T10:00:00Z"}),
        json!({"id": "p-1", "type": "person", "attributes": {"name": "="}, "personal": true, "classification": "confidential"}),
        json!({"relation": "owns", "from": "p-1", "to": "h-1", "weight": 0.25, "since": "2026-01-01T00:00:00+01:00", "attributes": {"a": "b"}}),
        json!({"relation": "owns", "id": "own-id", "from": "p-1", "to": "h-1", "until": "2026-02-01T00:00:00Z"}),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let file = node.write("lines.jsonl", text);
    node.import(&file, "jsonl", "lines", &[]).ok();
    let (first, told) = export(&node, &["--format", "jsonl", "--source", "lines"]);
    assert_eq!((&told["written"], &told["withheld"]), (&json!(4), &json!(0)), "{told}");
    assert!(first.contains("\"n\":1.0"), "numbers are as they were given: {first}");
    let other = Node::start();
    let again = other.write("again.jsonl", &first);
    let done = other.import(&again, "jsonl", "lines", &[]).ok();
    assert_eq!((&done["created"], &done["rejected"]), (&json!(4), &json!(0)), "{done}");
    let (second, _) = export(&other, &["--format", "jsonl", "--source", "lines"]);
    assert_eq!(sorted(&first), sorted(&second));
    let found = other.cli(&["search", "closed"]).ok();
    assert_eq!(found["hits"][0]["id"], "h-1", "{found}");
}

/// Two sources, of which one may not leave.
fn with_licences() -> Node {
    let node = Node::start();
    let line =
        |id: &str, name: &str| json!({"id": id, "type": "host", "attributes": {"name": name}}).to_string();
    let open =
        node.write("open.jsonl", format!("{}\n{}\n", line("both", "open name"), line("free", "free name")));
    node.import(&open, "jsonl", "open", &["--classification", "public"]).ok();
    let held =
        node.write("held.jsonl", format!("{}\n{}\n", line("both", "held name"), line("held", "held name")));
    let args = ["import", held.to_str().expect("UTF-8"), "--format", "jsonl", "--source", "held"];
    let terms =
        ["--purpose", "threat-intel", "--licence", "Proprietary-Client", "--classification", "internal"];
    node.cli(&[&args[..], &terms].concat()).ok();
    node
}

#[test]
fn what_the_licence_withholds_is_counted_and_what_is_hidden_is_not() {
    let node = with_licences();
    for format in ["stix", "jsonl", "csv"] {
        let (text, told) = export(&node, &["--format", format]);
        assert_eq!((&told["written"], &told["withheld"]), (&json!(2), &json!(2)), "{format}: {told}");
        assert!(text.contains("open name") && text.contains("free name"), "{format}: {text}");
        assert!(!text.contains("held"), "{format}: {text}");
    }
    let (text, told) = export(&node, &["--format", "jsonl", "--source", "held"]);
    assert_eq!((text.as_str(), &told["written"], &told["withheld"]), ("", &json!(0), &json!(2)));
    // Who may not see it is told nothing of it.
    let reader = node.new_token(&["--role", "reader", "--clearance", "public", "--purpose", "threat-intel"]);
    let (_, told) = export_as(&node, &reader, &["--format", "jsonl"]);
    assert_eq!((&told["written"], &told["withheld"]), (&json!(2), &json!(0)), "{told}");
    let refused = |source: &str| node.cli_as(&reader, &["export", "--format", "jsonl", "--source", source]);
    let (hidden, absent) = (refused("held"), refused("nope"));
    assert_eq!(
        hidden.failed(1, "not_found").replace("held", "X"),
        absent.failed(1, "not_found").replace("nope", "X")
    );
    // An auditor reads nothing, and so takes nothing out.
    let auditor = node.new_token(&["--role", "auditor", "--clearance", "secret"]);
    assert_eq!(export_as(&node, &auditor, &["--format", "csv"]).1["written"], 0);
}

#[test]
fn what_several_sources_say_leaves_as_it_is_shown() {
    let node = Node::start();
    let said = |name: &str, more: &str, at: &str| {
        json!({"id": "h", "type": "host", "labels": [more], "attributes": {"name": name, more: 1}, "observed_at": at}).to_string()
    };
    for (source, line) in
        [("one", said("old", "a", "2026-01-01T00:00:00Z")), ("two", said("new", "b", "2026-02-01T00:00:00Z"))]
    {
        let file = node.write("said.jsonl", line);
        node.import(&file, "jsonl", source, &[]).ok();
    }
    let (text, _) = export(&node, &["--format", "jsonl"]);
    let line: Value = serde_json::from_str(&text).expect("one line");
    assert_eq!(line["attributes"], json!({"name": "new", "b": 1, "a": 1}));
    assert_eq!(line["labels"], json!(["b", "a"]));
    node.cli(&["entity", "delete", "h"]).ok();
    assert_eq!(
        export(&node, &["--format", "jsonl"]).1["written"],
        0,
        "what is hidden from everybody leaves nowhere"
    );
}

#[test]
fn a_table_runs_nothing_in_a_spreadsheet() {
    let node = Node::start();
    let attributes = json!({
        "name": "=1+1", "b": "+1", "c": "-1", "d": "@x", "e": "\tx", "f": "\rx", "g": -1, "h": "plain, \"quoted\"\nline",
        "=cmd": true, "list": ["=1"], "id": "own",
    });
    let line = json!({"id": "=h", "type": "host", "attributes": attributes}).to_string();
    let file = node.write("risky.jsonl", line);
    node.import(&file, "jsonl", "risky", &[]).ok();
    let (text, told) = export(&node, &["--format", "csv", "--source", "risky"]);
    assert_eq!(told["written"], 1);
    let mut rows = text.lines();
    let header = rows.next().expect("a header");
    assert!(header.starts_with("id,type,labels,"), "{header}");
    assert!(header.contains("'=cmd") && header.contains("attribute id"), "{header}");
    let row = rows.collect::<Vec<_>>().join("\n");
    for cell in [
        "'=h,host",
        "'=1+1",
        ",'+1,'-1,'@x,",
        "\"'\tx\"",
        "\"'\rx\"",
        ",-1,",
        "\"plain, \"\"quoted\"\"\nline\"",
        "[\"\"=1\"\"]",
    ] {
        assert!(row.contains(cell), "no `{cell}` in {row}");
    }
}

#[test]
fn a_query_names_what_leaves() {
    let node = Node::start();
    let made = data::jsonl("asked", 50);
    let file = node.write("asked.jsonl", &made.text);
    node.import(&file, "jsonl", "asked", &[]).ok();
    let (text, told) = export(&node, &["--format", "jsonl", "--query", &made.word]);
    assert_eq!(told["written"], 1, "{text}");
    assert!(text.contains(&made.word_in));
    assert_eq!(export(&node, &["--format", "stix", "--query", "nothingatall"]).1["written"], 0);
}

#[test]
fn a_file_is_there_when_it_is_whole_and_not_before() {
    let node = with_licences();
    let out = node.write("kept.jsonl", "what was there");
    let out_path = out.to_str().expect("UTF-8");
    let ran = node.cli(&["export", "--format", "jsonl", "--source", "nope", "--out", out_path]);
    ran.failed(1, "not_found");
    assert_eq!(fs::read_to_string(&out).expect("the file"), "what was there");
    node.cli(&["export", "--format", "jsonl", "--out", out_path]).ok();
    assert_eq!(fs::read_to_string(&out).expect("the file").lines().count(), 2);
    let left: Vec<_> =
        fs::read_dir(node.file("")).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("partial")), "{left:?}");
    // Without a file it is the standard output, and what is told is on the other.
    let mut command = program();
    command
        .env("INTELGRAPH_URL", &node.url)
        .env("INTELGRAPH_TOKEN", &node.token)
        .args(["export", "--format", "jsonl"]);
    let ran: Ran = run(command);
    assert_eq!(ran.json.as_str().map(|text| text.lines().count()), Some(2), "{ran:?}");
    assert!(ran.stderr.contains("exported 2 things; something of 2 withheld"), "{ran:?}");
    assert_eq!(node.cli(&["export", "--format", "xml"]).exit, 2);
}
