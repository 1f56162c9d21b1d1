//! The node is killed at random moments under load, again and again; what it acknowledged must be there.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::campaign::{self, Campaign, Counts};
use crate::data::{self, Made};
use crate::disks::files_in;
use crate::faults;
use crate::node::{Node, import_args};
use crate::seed::Seeded;

const KILLS: Campaign = Campaign { name: "kills", unit: "kills", per_seed: 20 };
/// At the end so many files are looked at again, thing by thing; the others are counted.
const LOOKED_AT_AGAIN: usize = 20;
/// The most runs that the node lists.
const RUNS_MAX: usize = 1000;
/// A node that just started opens its indexes; until then a search says that it cannot tell.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(20);

/// One file, and whether its import was acknowledged.
struct Import {
    name: String,
    format: &'static str,
    made: Made,
    acknowledged: bool,
}

/// Everything the node has acknowledged so far.
#[derive(Default)]
struct Known {
    imports: Vec<Import>,
    tokens: Vec<String>,
    things: u64,
    /// The largest that the node has ever shown: entities, relations, records.
    counts: [u64; 3],
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let met = KILLS.run(clock(), KILLS.per_seed, 1, &|seed| Ok(live(seed)));
    assert!(met["interrupted"] > 0, "no kill met a run: the test shows nothing");
}

/// The life of a node that is killed again and again.
fn live(seed: u64) -> Counts {
    let mut random = Seeded::new(seed, 1);
    let mut node = Node::start();
    let mut known = Known::default();
    for round in 0..KILLS.per_seed {
        let wait = Duration::from_millis(random.below(1200) as u64);
        let begun = Instant::now();
        let (imports, tokens) = load_until_killed(&mut node, round, wait);
        if random.one_in(4) {
            node.start_and_kill_after(Duration::from_millis(random.below(150) as u64));
        }
        node.restart();
        let acknowledged = imports.iter().filter(|import| import.acknowledged).count();
        println!(
            "seed {seed}, kill {round} after {wait:?}: {acknowledged} of {} imports and {} tokens acknowledged; {:?}",
            imports.len(),
            tokens.len(),
            begun.elapsed()
        );
        check(&node, &mut known, &imports, &tokens);
        again(&node, &mut known, imports, &mut random);
        known.tokens.extend(tokens);
    }
    let interrupted = runs(&node).iter().filter(|run| run["state"] == "interrupted").count() as u64;
    for import in known.imports.iter().step_by(1 + known.imports.len() / LOOKED_AT_AGAIN) {
        everything_is_there(&node, &import.made);
    }
    assert_eq!(known.counts[0] + known.counts[1], known.things, "nothing is there that nobody imported");
    node.stop_and_verify();
    let acknowledged = (known.imports.len() + known.tokens.len()) as u64;
    campaign::counts([
        ("kills", KILLS.per_seed),
        ("interrupted", interrupted),
        ("acknowledged", acknowledged),
    ])
}

/// Several imports and the making of tokens, until the node dies: what was tried, and what was answered.
fn load_until_killed(node: &mut Node, round: u64, wait: Duration) -> (Vec<Import>, Vec<String>) {
    let died = AtomicBool::new(false);
    let pid = rustix::process::Pid::from_raw(node.pid() as i32).expect("a process");
    let shared: &Node = node;
    let died = &died;
    let loaded = std::thread::scope(|scope| {
        let large = scope.spawn(move || import_many(shared, died, &format!("l{round}"), 1500, &["jsonl"]));
        let small =
            scope.spawn(move || import_many(shared, died, &format!("s{round}"), 15, &["stix", "jsonl"]));
        let tokens = scope.spawn(move || create_tokens(shared, died));
        std::thread::sleep(wait);
        died.store(true, Ordering::Relaxed);
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("kill");
        let mut imports = large.join().expect("imports");
        imports.extend(small.join().expect("imports"));
        (imports, tokens.join().expect("tokens"))
    });
    node.kill();
    loaded
}

/// One import after the other, each of a new file.
fn import_many(
    node: &Node,
    died: &AtomicBool,
    prefix: &str,
    count: usize,
    formats: &[&'static str],
) -> Vec<Import> {
    let mut imports = Vec::new();
    while !died.load(Ordering::Relaxed) {
        let format = formats[imports.len() % formats.len()];
        let name = format!("{prefix}n{}", imports.len());
        let made = if format == "stix" { data::stix(&name, count) } else { data::jsonl(&name, count) };
        let file = node.write(&name, &made.text);
        let ran = node.import(&file, format, &source(prefix), &[]);
        let acknowledged = ran.exit == 0;
        if acknowledged {
            assert_eq!(ran.json["created"], made.things(), "{ran:?}");
        } else {
            assert!(died.load(Ordering::Relaxed), "an import failed before the kill: {ran:?}");
            assert_eq!(ran.exit, 3, "an import that lost its node cannot tell: {ran:?}");
        }
        imports.push(Import { name, format, made, acknowledged });
    }
    imports
}

/// The first letter of a file's name says which source it is of.
fn source(name: &str) -> String {
    format!("source-{}", &name[..1])
}

fn create_tokens(node: &Node, died: &AtomicBool) -> Vec<String> {
    let mut tokens = Vec::new();
    while !died.load(Ordering::Relaxed) {
        let ran = node.cli(&["token", "create", "--role", "reader"]);
        match ran.json["token"].as_str() {
            Some(token) => tokens.push(token.to_owned()),
            None => assert_eq!(ran.exit, 3, "{ran:?}"),
        }
    }
    tokens
}

/// Everything that was acknowledged is there, nothing went back, and what was cut off says so.
fn check(node: &Node, known: &mut Known, imports: &[Import], tokens: &[String]) {
    let now = counts(node);
    for (before, now) in known.counts.iter().zip(now) {
        assert!(*before <= now, "counts went back from {:?} to {now:?}", known.counts);
    }
    known.counts = now;
    for token in tokens.iter().chain(known.tokens.last()) {
        assert_eq!(node.http_as(token).graphql("node:v1", json!({}))["node"]["role"], "reader");
    }
    let acknowledged: Vec<_> = imports.iter().filter(|import| import.acknowledged).collect();
    for import in &acknowledged {
        everything_is_there(node, &import.made);
    }
    if let Some(import) = acknowledged.last() {
        is_found(node, &import.made);
    }
    let runs = runs(node);
    assert!(runs.iter().all(|run| run["state"] == "complete" || run["state"] == "interrupted"), "{runs:?}");
    assert!(runs.iter().all(|run| !run["ended"].is_null()), "{runs:?}");
    for prefix in ["l", "s"] {
        let complete = |run: &&Value| run["state"] == "complete" && run["source"] == source(prefix);
        let least = known
            .imports
            .iter()
            .chain(imports)
            .filter(|import| import.acknowledged && import.name.starts_with(prefix))
            .count();
        assert!(runs.len() == RUNS_MAX || runs.iter().filter(complete).count() >= least, "{runs:?}");
    }
}

/// What was cut off is imported again, and all of it counted.
fn again(node: &Node, known: &mut Known, mut imports: Vec<Import>, random: &mut Seeded) {
    for import in imports.iter_mut().filter(|import| !import.acknowledged) {
        let file = node.file(&import.name);
        let done = node.import(&file, import.format, &source(&import.name), &[]).ok();
        let of = |field: &str| done[field].as_u64().expect("a count");
        assert_eq!(of("created") + of("unchanged"), import.made.things(), "{}: {done}", import.name);
        assert_eq!((of("updated"), of("rejected")), (0, 0), "{}: {done}", import.name);
        assert_eq!(
            (of("entities"), of("relations")),
            (import.made.entities.len() as u64, import.made.relations)
        );
        import.acknowledged = true;
    }
    known.things += imports.iter().map(|import| import.made.things()).sum::<u64>();
    known.imports.extend(imports);
    known.counts = counts(node);
    if !known.imports.is_empty() {
        is_found(node, &known.imports[random.below(known.imports.len())].made);
    }
}

/// Each entity by its id, with what was said of it, and each relation by its end.
fn everything_is_there(node: &Node, made: &Made) {
    let http = node.http();
    for id in &made.entities {
        let entity = &http.graphql("entity:v1", json!({"id": id}))["entity"];
        assert_eq!(entity["id"].as_str(), Some(id.as_str()), "an acknowledged entity is gone");
        assert!(entity["attributes"].as_array().is_some_and(|attributes| !attributes.is_empty()), "{entity}");
    }
    let relations = http.graphql("relations:v1", json!({"id": made.word_in, "direction": "BOTH"}));
    assert_eq!(relations["relations"]["relations"].as_array().map(Vec::len), Some(2), "{relations}");
}

/// A search that can tell finds the sample at once. One whose time ran out says so, and cannot tell.
fn is_found(node: &Node, made: &Made) {
    let begun = Instant::now();
    loop {
        let ran = node.cli(&["search", &made.word]);
        let cannot_tell = ran.exit == 3 || ran.json["complete"] == false;
        if cannot_tell && begun.elapsed() < SEARCH_TIMEOUT {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        }
        let hits = ran.ok();
        assert_eq!(hits["hits"][0]["id"].as_str(), Some(made.word_in.as_str()), "{hits}");
        return;
    }
}

fn counts(node: &Node) -> [u64; 3] {
    let found = node.http().graphql("node:v1", json!({}));
    ["entities", "relations", "lsn"].map(|field| found["node"][field].as_u64().expect("a count"))
}

fn runs(node: &Node) -> Vec<Value> {
    node.http().list("runs:v1", json!({"first": RUNS_MAX}), "runs")
}

pub(crate) fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64
}

/// Commands that the writer has carried out since the node started.
fn commands_written(node: &Node) -> u64 {
    let metrics = node.http().get("/metrics").body;
    let line = metrics.lines().find(|line| line.starts_with("intelgraph_commit_batch_commands_sum"));
    line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).expect("a sum") as u64
}

/// The client dies, not the node: the run has failed, and its file is gone on with.
#[test]
fn an_import_whose_client_dies_is_gone_on_with() {
    let node = Node::start();
    let made = data::jsonl("left", 20_000);
    let file = node.write("left", &made.text);
    let mut command = node.command(&node.token, &import_args(&file, "jsonl", "left", &[]));
    let mut importing: Child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let begun = Instant::now();
    while counts(&node)[0] == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing becomes durable");
    }
    importing.kill().expect("kill");
    importing.wait().expect("a child");
    while runs(&node)[0]["ended"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the run never ends");
        std::thread::sleep(Duration::from_millis(50));
    }
    let is_failed = runs(&node)[0]["state"] == "failed";
    let done = node.import(&file, "jsonl", "left", &[]).ok();
    let of = |field: &str| done[field].as_u64().unwrap_or_default();
    assert_eq!(of("created") + of("unchanged"), made.things(), "{done}");
    assert_eq!(of("resumed_at") > 0, is_failed, "{done}");
    // Another mapping of the same bytes, other terms: another import.
    let relabelled = node.import(&file, "jsonl", "left", &["--classification", "public"]).ok();
    assert_eq!((&relabelled["updated"], &relabelled["resumed_at"]), (&made.things().into(), &Value::Null));
}

#[test]
fn a_file_that_is_not_what_its_digest_says_is_named() {
    let node = Node::start();
    let token = format!("Bearer {}", node.token);
    let send = |digest: &str| {
        let headers = [("authorization", token.as_str()), ("content-digest", digest)];
        let path = "/api/v1/import?format=jsonl&source=s&purpose=demo&licence=MIT-OK";
        node.http().send(reqwest::Method::POST, path, &headers, data::jsonl("x", 3).text.into_bytes())
    };
    let other = send("sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:");
    assert_eq!(other.status, 422, "{other:?}");
    assert!(other.json()["error"].as_str().is_some_and(|text| text.contains("digest")), "{other:?}");
    assert_eq!(send("sha-256=:AAAA:").status, 400);
    assert_eq!(send("md5=:AAAA:").status, 200, "of another kind is none");
}

/// Relations whose ends never come are refused at the end; a node that dies before or after it has listed them lists them.
#[test]
fn what_is_refused_at_the_end_is_listed_by_a_node_that_died_there() {
    let place = tempfile::tempdir().expect("a directory");
    let Some(library) = faults::library(place.path()) else { return };
    let (preload, only) = (format!("LD_PRELOAD={}", library.display()), "FAULT_ONLY=/rejects/");
    for at in 1..=2 {
        let kill = format!("FAULT_KILL_AT={at}");
        let mut node = Node::start_under(&["/usr/bin/env", &preload, only, &kill], &[]);
        let made = data::jsonl("ring", 20);
        let lost = r#"{"relation":"next","from":"ring-1","to":"never-came"}"#;
        let file = node.write("ring", format!("{}{lost}\n", made.text));
        let done = node.import(&file, "jsonl", "ring", &[]);
        assert_eq!(done.exit, 3, "the list was not changed {at} times: {done:?}");
        let (data_dir, token) = (node.data_dir(), node.token.clone());
        node.kill();
        let mut after = Node::over(data_dir.clone()).expect("it starts again");
        after.token = token;
        let lists = files_in(&data_dir.join("rejects"));
        let listed: String =
            lists.iter().map(|list| std::fs::read_to_string(list).expect("a list")).collect();
        assert!(listed.contains("end_missing") && listed.lines().count() <= 2, "killed at {at}: {listed:?}");
        after.stop_and_verify();
    }
}

#[test]
fn an_import_cut_in_the_middle_goes_on_where_it_was() {
    let mut node = Node::start();
    let made = data::jsonl("cut", 20_000);
    let file = node.write("cut", &made.text);
    let mut command = node.command(&node.token, &import_args(&file, "jsonl", "cut", &[]));
    let mut importing: Child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let begun = Instant::now();
    let durable = loop {
        let [entities, ..] = counts(&node);
        if entities > 2_000 {
            break entities;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{entities} entities became durable");
    };
    node.kill();
    assert_eq!(
        importing.wait().expect("a child").code(),
        Some(3),
        "an import that lost its node cannot tell"
    );
    node.restart();
    let [entities, relations, _] = counts(&node);
    assert!(durable <= entities, "{entities} of {durable} durable entities are left");
    assert!(entities + relations < made.things(), "the kill came too late to show anything");
    let runs = runs(&node);
    assert_eq!((runs.len(), runs[0]["state"].as_str()), (1, Some("interrupted")), "{runs:?}");
    let done = node.import(&file, "jsonl", "cut", &[]).ok();
    let of = |field: &str| done[field].as_u64().expect("a count");
    assert_eq!((of("unchanged"), of("updated")), (entities + relations, 0), "{done}");
    assert_eq!(of("created") + of("unchanged"), made.things(), "{done}");
    assert_eq!((of("read"), of("rejected")), (made.things(), 0), "{done}");
    // What is durable is looked up, and not written again: so many commands reached the writer, and how far it was, now and then.
    let resumed_at = of("resumed_at");
    assert!(resumed_at >= of("unchanged") && resumed_at > 0, "{done}");
    let notes = done["notes"].as_array().expect("notes");
    let note = format!("resumed at record {}", resumed_at + 1);
    assert!(notes.iter().any(|text| text.as_str().is_some_and(|text| text.contains(&note))), "{done}");
    let written = commands_written(&node);
    let (pending, positions) = (made.relations, made.things() / 100);
    assert!(written < of("created") + 2 * pending + positions + 100, "{written} commands for {done}");
    let again = node.import(&file, "jsonl", "cut", &[]).ok();
    assert_eq!(
        (&again["unchanged"], &again["resumed_at"]),
        (&made.things().into(), &Value::Null),
        "it is complete: {again}"
    );
    let sample = Made { entities: made.entities.iter().step_by(20).cloned().collect(), ..made };
    everything_is_there(&node, &sample);
    is_found(&node, &sample);
    node.stop_and_verify();
}
