//! Files that are broken, odd or malicious: a clear error, the right exit code, and everything acknowledged before
//! still there and still served.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::data::{self, bundle, malware, relationship, stix_id};
use crate::node::{Node, Ran, import_args};

/// A node that has acknowledged something.
fn with_data() -> Node {
    let node = Node::start();
    let file = node.write("before.jsonl", data::jsonl("before", 20).text);
    node.import(&file, "jsonl", "before", &[]).ok();
    node
}

/// What was there is there and served, and the data directory is sound.
fn serves(mut node: Node) {
    let made = data::jsonl("before", 20);
    for id in &made.entities {
        node.cli(&["entity", "get", id]).ok();
    }
    let found = node.cli(&["search", &made.word]).ok();
    assert_eq!(found["hits"][0]["id"].as_str(), Some(made.word_in.as_str()), "{found}");
    assert_eq!(node.http().get("/readyz").status, 200);
    node.stop_and_verify();
}

fn import(node: &Node, name: &str, format: &str, bytes: impl AsRef<[u8]>) -> Ran {
    let file = node.write(name, bytes);
    node.import(&file, format, "hostile", &[])
}

fn rejects(ran: &Ran) -> Vec<Value> {
    let path = ran.json["rejects_file"].as_str().unwrap_or_else(|| panic!("no rejects file: {ran:?}"));
    let text = std::fs::read_to_string(path).expect("the rejects");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The import took `taken` things, and rejected one object on `line` by `code`.
fn rejected(ran: &Ran, taken: u64, line: u64, code: &str) -> Value {
    let rejects = rejects(ran);
    assert_eq!(
        (ran.exit, rejects.len(), ran.json["rejected"].as_u64()),
        (1, 1, Some(1)),
        "{ran:?} {rejects:?}"
    );
    assert_eq!(ran.json["created"].as_u64(), Some(taken), "{ran:?}");
    let reject = &rejects[0];
    assert_eq!((reject["line"].as_u64(), reject["code"].as_str()), (Some(line), Some(code)), "{reject}");
    assert!(reject["reason"].as_str().is_some_and(|reason| reason.len() > 5), "{reject}");
    reject.clone()
}

fn line(id: &str) -> String {
    json!({"id": id, "type": "host"}).to_string()
}

#[test]
fn a_bundle_cut_short_keeps_what_came_before() {
    let node = with_data();
    let text = data::stix("cut", 30).text;
    let ran = import(&node, "cut.json", "stix", &text[..text.len() * 2 / 3]);
    let message = ran.failed(2, "bad_input");
    assert!(
        message.contains("cut.json") && message.contains("cut off") && message.contains("kept"),
        "{message}"
    );
    assert!(ran.json["created"].as_u64().is_some_and(|created| created > 20), "{ran:?}");
    let whole = import(&node, "cut.json", "stix", text).ok();
    assert_eq!(
        whole["created"].as_u64().zip(whole["unchanged"].as_u64()).map(|(new, old)| new + old),
        Some(60),
        "{whole}"
    );
    serves(node);
}

#[test]
fn a_last_line_cut_short_is_named() {
    let node = with_data();
    let ran = import(&node, "cut.jsonl", "jsonl", format!("{}\n{{\"id\":\"h-2\",\"ty", line("h-1")));
    assert!(ran.exit == 1 || ran.exit == 2, "{ran:?}");
    assert_eq!(ran.json["created"].as_u64(), Some(1), "{ran:?}");
    node.cli(&["entity", "get", "h-1"]).ok();
    serves(node);
}

#[test]
fn nesting_ten_thousand_deep_is_a_reject() {
    let node = with_data();
    let deep = format!(
        "{{\"id\":\"deep\",\"type\":\"host\",\"attributes\":{{\"a\":{}{}}}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let ran = import(&node, "deep.jsonl", "jsonl", format!("{}\n{deep}\n{}\n", line("h-1"), line("h-2")));
    assert_eq!(
        (ran.exit, ran.json["created"].as_u64(), rejects(&ran)[0]["line"].as_u64()),
        (1, Some(2), Some(2)),
        "{ran:?}"
    );
    let mut object = malware(&stix_id("malware", "deep"), "deep", "x").to_string();
    object.insert_str(1, &format!("\"x_deep\":{}1{},", "{\"a\":".repeat(10_000), "}".repeat(10_000)));
    let good = malware(&stix_id("malware", "good"), "good", "x");
    let ran = import(
        &node,
        "deep.json",
        "stix",
        format!("{{\"type\":\"bundle\",\"objects\":[\n{object},\n{good}\n]}}"),
    );
    assert_eq!(
        (ran.exit, ran.json["created"].as_u64(), ran.json["rejected"].as_u64()),
        (1, Some(1), Some(1)),
        "{ran:?}"
    );
    serves(node);
}

#[test]
fn a_line_of_ten_megabytes_is_a_reject_with_length_and_limit() {
    let node = with_data();
    let huge = json!({"id": "huge", "type": "host", "attributes": {"a": "x".repeat(10_000_000)}});
    let ran = import(&node, "huge.jsonl", "jsonl", format!("{}\n{huge}\n{}\n", line("h-1"), line("h-2")));
    let reject = rejected(&ran, 2, 2, "record_too_large");
    let reason = reject["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("8388608") || reason.contains("8 MiB"), "{reason}");
    assert!(reject["value"].as_str().is_some_and(|value| value.len() <= 800), "a value is shown cut");
    let text = json!({"id": "text", "type": "host", "texts": [{"text": "x".repeat(1_100_000)}]});
    rejected(&import(&node, "text.jsonl", "jsonl", text.to_string()), 0, 1, "text_too_large");
    serves(node);
}

#[test]
fn bytes_that_are_no_utf8_are_a_reject() {
    let node = with_data();
    let mut bytes = format!("{}\n", line("h-1")).into_bytes();
    bytes.extend(b"{\"id\":\"h-\xff\xfe\",\"type\":\"host\"}\n");
    bytes.extend(line("h-2").as_bytes());
    rejected(&import(&node, "latin.jsonl", "jsonl", bytes), 2, 2, "not_utf8");
    serves(node);
}

#[test]
fn numbers_that_are_none_are_rejects() {
    let node = with_data();
    let nan = "{\"id\":\"n\",\"type\":\"host\",\"attributes\":{\"a\":NaN}}";
    rejected(&import(&node, "nan.jsonl", "jsonl", format!("{}\n{nan}\n", line("h-1"))), 1, 2, "bad_json");
    let weight = |weight: &str| {
        format!(
            "{}\n{{\"relation\":\"r\",\"from\":\"h-1\",\"to\":\"h-1\",\"weight\":{weight}}}\n",
            line("h-2")
        )
    };
    rejected(&import(&node, "infinite.jsonl", "jsonl", weight("1e999")), 1, 2, "bad_weight");
    serves(node);
}

#[test]
fn ids_said_twice_are_one_thing() {
    let node = with_data();
    let said = |name: &str| json!({"id": "twin", "type": "host", "attributes": {"name": name}}).to_string();
    let done =
        import(&node, "twins.jsonl", "jsonl", format!("{}\n{}\n{}\n", said("one"), said("two"), said("two")))
            .ok();
    assert_eq!(
        ["created", "updated", "unchanged"].map(|field| done[field].as_u64()),
        [Some(1), Some(1), Some(1)],
        "{done}"
    );
    assert_eq!(node.cli(&["entity", "get", "twin"]).ok()["title"], "two", "the last in the file holds");
    let other = json!({"id": "twin", "type": "printer"}).to_string();
    rejected(&import(&node, "other.jsonl", "jsonl", other), 0, 1, "type_conflict");
    let twice = "{\"id\":\"t\",\"id\":\"u\",\"type\":\"host\"}";
    rejected(&import(&node, "keys.jsonl", "jsonl", twice), 0, 1, "duplicate_key");
    // STIX: the newest version wins, wherever it stands.
    let id = stix_id("malware", "twin");
    let (mut newer, older) = (malware(&id, "newer", "x"), malware(&id, "older", "x"));
    newer["modified"] = json!("2025-01-01T00:00:00.000Z");
    import(&node, "versions.json", "stix", bundle(vec![newer, older]).to_string()).ok();
    assert_eq!(node.cli(&["entity", "get", &id]).ok()["title"], "newer");
    serves(node);
}

#[test]
fn relations_whose_ends_never_come_are_rejects() {
    let node = with_data();
    let mut text = format!("{}\n", line("h-0"));
    for number in 0..50 {
        text +=
            &format!("{}\n", json!({"relation": "knows", "from": "h-0", "to": format!("never-{number}")}));
    }
    let ran = import(&node, "dangling.jsonl", "jsonl", text);
    let rejects = rejects(&ran);
    assert_eq!((ran.exit, rejects.len(), ran.json["created"].as_u64()), (1, 50, Some(1)), "{ran:?}");
    let lines: std::collections::BTreeSet<_> = rejects.iter().map(|reject| reject["line"].as_u64()).collect();
    assert_eq!(lines.len(), 50, "each by its line");
    for reject in &rejects {
        let number = reject["line"].as_u64().expect("a line") - 2;
        assert_eq!(reject["code"], "end_missing");
        assert!(
            reject["reason"].as_str().is_some_and(|reason| reason.contains(&format!("`never-{number}`"))),
            "{reject}"
        );
    }
    // One that is there later is taken then.
    let later = import(
        &node,
        "later.jsonl",
        "jsonl",
        format!("{}\n{}", json!({"relation": "knows", "from": "h-0", "to": "never-7"}), line("never-7")),
    );
    assert_eq!(later.ok()["created"].as_u64(), Some(2));
    serves(node);
}

#[test]
fn references_in_a_circle_are_relations_like_others() {
    let node = with_data();
    let [a, b] = ["a", "b"].map(|name| stix_id("malware", name));
    let [one, two, own] = ["one", "two", "own"].map(|name| stix_id("relationship", name));
    let objects = vec![
        relationship(&one, &a, "uses", &b),
        relationship(&two, &b, "uses", &a),
        relationship(&own, &a, "uses", &a),
        malware(&a, "a", "x"),
        malware(&b, "b", "x"),
    ];
    let done = import(&node, "circle.json", "stix", bundle(objects).to_string()).ok();
    assert_eq!(done["created"].as_u64(), Some(5), "{done}");
    assert_eq!(node.cli(&["path", &a, &b]).ok()["paths"][0], json!([a, b]));
    // Two relations that are each other's ends never find them.
    let on = |id: &str, end: &str| json!({"relation": "r", "id": id, "from": id, "to": end}).to_string();
    let ran = import(&node, "knot.jsonl", "jsonl", format!("{}\n{}\n", on("r-1", "r-2"), on("r-2", "r-1")));
    assert_eq!((ran.exit, rejects(&ran).len()), (1, 2), "{ran:?}");
    serves(node);
}

#[test]
fn what_is_no_bundle_is_refused() {
    let node = with_data();
    let object = malware(&stix_id("malware", "lone"), "lone", "x");
    for (name, text) in [
        ("list.json", json!([object]).to_string()),
        ("lone.json", object.to_string()),
        ("text.json", "this is no JSON".to_owned()),
        ("nothing.json", String::new()),
    ] {
        let ran = import(&node, name, "stix", text);
        let message = ran.failed(2, "bad_input");
        assert!(message.contains(name), "{message}");
        assert_eq!(ran.json["created"].as_u64(), Some(0), "{ran:?}");
    }
    serves(node);
}

#[test]
fn an_empty_bundle_is_an_import_of_nothing() {
    let node = with_data();
    for (name, text) in [
        ("empty.json", bundle(Vec::new()).to_string()),
        ("bare.json", json!({"type": "bundle", "id": "bundle--1"}).to_string()),
    ] {
        let done = import(&node, name, "stix", text).ok();
        assert_eq!(
            ["read", "created", "rejected"].map(|field| done[field].as_u64()),
            [Some(0); 3],
            "{name}: {done}"
        );
    }
    let done = import(&node, "empty.jsonl", "jsonl", "\n\n").ok();
    assert_eq!(done["read"].as_u64(), Some(0), "{done}");
    serves(node);
}

#[test]
fn stix_2_0_is_refused_by_name() {
    let node = with_data();
    let mut object = malware(&stix_id("malware", "old"), "old", "x");
    object.as_object_mut().expect("an object").remove("spec_version");
    let mut whole = bundle(vec![object]);
    whole["spec_version"] = json!("2.0");
    let ran = import(&node, "old.json", "stix", whole.to_string());
    let message = ran.failed(2, "bad_input");
    assert!(message.contains("STIX 2.0") && message.contains("old.json"), "{message}");
    serves(node);
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn gzip_is_read_and_gzip_cut_short_is_named() {
    let node = with_data();
    let made = data::jsonl("packed", 3000);
    let packed = gzip(&made.text);
    let ran = import(&node, "packed.jsonl.gz", "jsonl", &packed[..packed.len() / 2]);
    let message = ran.failed(2, "bad_input");
    assert!(message.contains("packed.jsonl.gz") && message.contains("kept"), "{message}");
    let done = import(&node, "packed.jsonl.gz", "jsonl", &packed).ok();
    assert_eq!(
        done["created"].as_u64().zip(done["unchanged"].as_u64()).map(|(new, old)| new + old),
        Some(made.things()),
        "{done}"
    );
    let done = import(&node, "bundle.gz", "stix", gzip(&data::stix("packed", 5).text)).ok();
    assert_eq!(done["created"].as_u64(), Some(10), "{done}");
    let mut damaged = packed.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xaa);
    assert_eq!(import(&node, "damaged.gz", "jsonl", damaged).exit, 2);
    assert_eq!(import(&node, "other.zst", "jsonl", [0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]).exit, 2);
    assert_eq!(import(&node, "other.zip", "jsonl", b"PK\x03\x04....").exit, 2);
    serves(node);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_named() {
    let node = with_data();
    let made = data::jsonl("moving", 40_000);
    let file = node.write("moving.jsonl", &made.text);
    let mut command = node.command(&node.token, &import_args(&file, "jsonl", "hostile", &[]));
    let importing =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    // The run is there once the first bytes have come.
    let http = node.http();
    while http.list("runs:v1", json!({}), "runs").len() != 2 {}
    append(&file, "{\"id\":\"late\",\"type\":\"host\"}\n");
    let output = importing.wait_with_output().expect("a child");
    let ran = Ran {
        exit: output.status.code().unwrap_or(-1),
        json: Value::Null,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    let message = ran.failed(2, "file_changed");
    assert!(message.contains("moving.jsonl"), "{message}");
    let done = node.import(&file, "jsonl", "hostile", &[]).ok();
    assert_eq!(
        done["created"].as_u64().zip(done["unchanged"].as_u64()).map(|(new, old)| new + old),
        Some(made.things() + 1),
        "{done}"
    );
    serves(node);
}

fn append(file: &Path, text: &str) {
    let mut file = std::fs::File::options().append(true).open(file).expect("the file");
    file.write_all(text.as_bytes()).expect("the file");
}

#[test]
fn files_that_are_not_there_are_named() {
    let node = with_data();
    let ran = node.import(Path::new("nowhere.json"), "stix", "hostile", &[]);
    assert!(ran.failed(2, "bad_input").contains("nowhere.json"));
    // The data directory of a node that runs has a socket in it.
    let ran = node.import(&node.data_dir(), "stix", "hostile", &[]);
    assert!(ran.failed(2, "bad_input").contains("admin.sock"));
    std::fs::create_dir(node.file("empty")).expect("a directory");
    let ran = node.import(&node.file("empty"), "stix", "hostile", &[]);
    assert!(ran.failed(2, "bad_input").contains("directory"));
    let file = node.write("x.jsonl", line("x"));
    let ran = node.cli(&["import", file.to_str().expect("UTF-8"), "--format", "jsonl", "--source", "new"]);
    assert!(ran.failed(2, "bad_request").contains("purpose"), "a new source needs its terms: {ran:?}");
    serves(node);
}

/// A body that stops in the middle of a sentence was not the whole file.
#[test]
fn a_client_that_goes_away_leaves_no_finished_import() {
    use std::net::TcpStream;
    let node = with_data();
    let address = node.url.strip_prefix("http://").expect("an address").to_owned();
    let mut stream = TcpStream::connect(address).expect("the node listens");
    let head = format!(
        "POST /api/v1/import?format=jsonl&source=hostile&purpose=threat-intel&licence=Open-Data-OK HTTP/1.1\r\nHost: x\r\n\
         Authorization: Bearer {}\r\nContent-Length: 1000000\r\n\r\n{}\n{}\n",
        node.token,
        line("gone-1"),
        line("gone-2"),
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let http = node.http();
    let runs = || Value::from(http.list("runs:v1", json!({}), "runs"));
    while runs().as_array().map(Vec::len) != Some(2) {}
    drop(stream);
    let begun = std::time::Instant::now();
    while runs()[0]["state"] == "running" {
        assert!(begun.elapsed().as_secs() < 10, "the run never ends: {}", runs());
    }
    assert_ne!(runs()[0]["state"], "complete", "half a file is not a complete import: {}", runs());
    serves(node);
}
