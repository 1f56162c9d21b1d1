//! The node before programs of other authors: its metrics, its REST interface, its intake of events.
//!
//! They are large, so `make judges` fetches and runs them, not `make test`. `INTELGRAPH_JUDGES_HTTP` names the Python that
//! has `tests/judges/http.txt` in it; `promtool` is looked for where programs are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::node::Node;

pub(super) fn python() -> PathBuf {
    std::env::var_os("INTELGRAPH_JUDGES_HTTP").map_or_else(|| "python3".into(), PathBuf::from)
}

pub(super) fn judges(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges").join(name)
}

fn with_source() -> Node {
    let node = Node::start();
    let nothing = node.write("nothing.jsonl", json!({"id": "here", "type": "host"}).to_string());
    node.import(&nothing, "jsonl", "feed", &[]).ok();
    node
}

/// Runs a judge; what it said, if it is content.
pub(super) fn content(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

#[test]
#[ignore = "needs programs of others: make judges"]
fn promtool_has_nothing_to_say_about_the_metrics() {
    let node = with_source();
    node.cli(&["search", "x"]).ok();
    let file = node.write("metrics", node.http().get("/metrics").body);
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::from(std::fs::File::open(file).expect("the metrics")));
    assert_eq!(content(&mut promtool), "");
}

#[test]
#[ignore = "needs programs of others: make judges"]
fn promtool_tries_the_alerts_out() {
    let alerts = Path::new(env!("CARGO_MANIFEST_DIR")).join("monitoring/alerts.test.yml");
    content(Command::new("promtool").args(["test", "rules"]).arg(alerts));
}

#[test]
#[ignore = "needs programs of others: make judges"]
fn schemathesis_finds_the_node_as_it_is_described() {
    let node = with_source();
    let mut command = Command::new(python());
    command.env("SCHEMATHESIS_HOOKS", judges("lines.py"));
    command.args(["-m", "schemathesis.cli", "--config-file"]).arg(judges("schemathesis.toml")).arg("run");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("sdks/openapi.json"));
    command.args(["--url", &node.url, "--header", &format!("Authorization: Bearer {}", node.token)]);
    command.args([
        "--phases",
        "coverage,fuzzing",
        "--max-examples",
        "100",
        "--seed",
        "1",
        "--warnings",
        "off",
    ]);
    // Not everything that is well-formed is acceptable: an event's id may be taken.
    command.args(["--exclude-checks", "positive_data_acceptance,missing_required_header"]);
    command.current_dir(node.data_dir().parent().expect("a directory"));
    println!("{}", content(&mut command));
    assert_eq!(node.http().get("/readyz").status, 200);
}

/// What is wrong with an export must have been wrong with the bundle that it came from.
#[test]
#[ignore = "needs programs of others: make judges"]
fn oasis_finds_the_exported_bundles_valid() {
    let node = with_source();
    let say = |format: &str, name: &str, text: String| {
        let file = node.write(name, text);
        node.import(&file, format, name, &[]).ok();
        let out = node.file("exported.json");
        let out = out.to_str().expect("UTF-8");
        node.cli(&["export", "--format", "stix", "--source", name, "--out", out]).ok();
        let mut command = Command::new(python());
        command.arg(judges("stix.py")).arg(out);
        command.args((format == "stix").then_some(&file));
        println!("{}", content(&mut command));
    };
    say("stix", "made", crate::data::stix("made", 20).text);
    say("jsonl", "lines", crate::data::jsonl("lines", 20).text);
    let odd = json!({
        "id": "odd \u{1F980}", "type": "Ünlikely Type!", "labels": ["a"], "attributes": {"name": "n", "IP address": [1, null]},
        "texts": [{"text": "t"}], "observed_at": "2024-01-01T00:00:00Z", "classification": "restricted",
    });
    let joined = json!({
        "relation": "Stands In", "from": "odd \u{1F980}", "to": "odd \u{1F980}", "weight": 0.5,
        "since": "2024-02-01T00:00:00Z", "until": "2024-01-01T00:00:00Z",
    });
    say("jsonl", "odd", format!("{odd}\n{joined}\n"));
    let bundle = crate::exports::real_bundle();
    match std::fs::read_to_string(&bundle) {
        Ok(text) => say("stix", "real", text),
        Err(_) => {
            println!("skipped: no bundle at `{}`; name one with INTELGRAPH_TEST_BUNDLE", bundle.display())
        }
    }
}

#[test]
#[ignore = "needs programs of others: make judges"]
fn events_made_by_the_official_library_are_taken_once() {
    let node = with_source();
    let mut command = Command::new(python());
    command.arg(judges("events.py")).args([&node.url, &node.token, "feed"]);
    let answers: Vec<Value> =
        content(&mut command).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let counts: Vec<_> =
        answers.iter().map(|answer| (answer["accepted"].as_u64(), answer["duplicates"].as_u64())).collect();
    let once = [(Some(1), Some(0)), (Some(1), Some(0)), (Some(3), Some(0))];
    let again = [(Some(0), Some(1)), (Some(0), Some(1)), (Some(0), Some(3))];
    assert_eq!(counts, [once, again].concat(), "{answers:?}");
    node.cli(&["entity", "get", "sdk-structured"]).ok();
    node.cli(&["entity", "get", "sdk-batch-2"]).ok();
}
