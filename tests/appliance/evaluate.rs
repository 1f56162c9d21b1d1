//! `search evaluate`: what it measures is what a user gets who asks a node that has the same documents.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::models::{install, published};
use crate::node::{Node, Ran, program, run};

/// Where the Cranfield collection is, if it is there; it is nobody's to hand on.
pub(crate) fn cranfield() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = ["..", "../.."].map(|up| here.join(up).join("shared/data/cranfield"));
    let place = beside.into_iter().find(|place| place.is_dir());
    if place.is_none() {
        println!("skipped: no Cranfield collection in ../shared/data/cranfield");
    }
    place
}

pub(crate) fn evaluate(corpus: &Path, format: &str, more: &[&str]) -> Ran {
    let mut command = program();
    command.args(["search", "evaluate", "--json", "--format", format, "--corpus"]).arg(corpus).args(more);
    run(command)
}

/// A collection of four documents and four queries, as BEIR has them.
fn small() -> TempDir {
    let place = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).expect("a file");
    fs::create_dir(place.path().join("qrels")).expect("a directory");
    write(
        "corpus.jsonl",
        r#"{"_id":"bridge","title":"","text":"a bridge of steel that swings in the wind"}
{"_id":"7","title":"Towers","text":"a tower of stone, and its wind"}
{"_id":"boat","title":"Boats","text":"boats that are made of wood"}
{"_id":"twice","title":"","text":"the first"}
{"_id":"twice","title":"","text":"another"}
"#,
    );
    write(
        "queries.jsonl",
        r#"{"_id":"q1","text":"what is made of wood"}
{"_id":"q2","text":"-wind \"tower stone\" 7"}
{"_id":"q3","text":"nothing of the kind is here, zzz"}
{"_id":"q4","text":"nobody judged it"}
"#,
    );
    write(
        "qrels/test.tsv",
        "query-id\tcorpus-id\tscore\nq1\tboat\t1\nq2\tbridge\t1\nq2\t7\t0\nq2\tgone\t1\nq3\tboat\t1\nq9\tboat\t1\n",
    );
    place
}

#[test]
fn what_is_measured_can_be_computed_by_hand() {
    let report = evaluate(small().path(), "beir", &[]).ok();
    assert_eq!((&report["docs"], &report["queries"], &report["judged"]), (&json!(4), &json!(4), &json!(3)));
    assert_eq!(report["relevance"], "binary");
    let of = |query: usize| &report["per_query"][query]["runs"][0];
    assert_eq!(report["per_query"][0]["query"], "q1");
    assert_eq!(
        of(0),
        &json!({"mode": "keyword", "weight": 1.0, "ndcg_at_10": 1.0, "mrr_at_10": 1.0, "recall_at_100": 1.0})
    );
    // The words are words: `-wind` leaves nothing out, `7` is not the document of that name alone. The tower has more of them.
    // The bridge is second, and the other that is relevant is not there at all.
    let ndcg = (1.0 / 3_f64.log2()) / (1.0 + 1.0 / 3_f64.log2());
    assert!((of(1)["ndcg_at_10"].as_f64().unwrap() - ndcg).abs() < 1e-12, "{report}");
    assert_eq!((&of(1)["mrr_at_10"], &of(1)["recall_at_100"]), (&json!(0.5), &json!(0.5)));
    assert_eq!(of(2)["ndcg_at_10"], 0.0);
    let mean = (1.0 + ndcg) / 3.0;
    assert!((report["runs"][0]["ndcg_at_10"].as_f64().unwrap() - mean).abs() < 1e-12, "{report}");
    let notes = report["notes"].to_string();
    for note in ["1 judged queries", "1 relevant documents are not in", "1 documents have the id of another"]
    {
        assert!(notes.contains(note), "{notes}");
    }
}

#[test]
fn what_is_wrong_with_a_collection_is_bad_input() {
    let place = small();
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).expect("a file");
    write("corpus.jsonl", "{\"_id\":\"boat\",\"text\":\"boats\"}\n{\"text\":\"no id\"}\n");
    let message = evaluate(place.path(), "beir", &[]).failed(2, "bad_input");
    assert!(message.contains("corpus.jsonl`, line 2: a value is missing"), "{message}");
    write("corpus.jsonl", "");
    assert!(evaluate(place.path(), "beir", &[]).failed(2, "bad_input").contains("no documents"));
    let message = evaluate(place.path(), "cran", &[]).failed(2, "bad_input");
    assert!(message.contains("no docs of format cran"), "{message}");
    let message = evaluate(Path::new("/nowhere"), "trec", &[]).failed(2, "bad_input");
    assert!(message.contains("/nowhere"), "{message}");
    assert_eq!(evaluate(place.path(), "csv", &[]).exit, 2);
}

#[test]
fn the_word_evaluate_can_be_searched_for_all_the_same() {
    let node = Node::start();
    let file = node
        .write("one.jsonl", "{\"id\":\"a\",\"type\":\"t\",\"texts\":[{\"text\":\"they evaluate it\"}]}\n");
    node.import(&file, "jsonl", "one", &[]).ok();
    let mut command = program();
    command.env("INTELGRAPH_URL", &node.url).env("INTELGRAPH_TOKEN", &node.token);
    command.args(["search", "--json", "--", "evaluate"]);
    assert_eq!(run(command).ok()["hits"][0]["id"], "a");
    assert_eq!(node.cli(&["search"]).exit, 2);
    let both = node.cli(&["search", "words", "evaluate", "--format", "beir", "--corpus", "."]);
    assert!(both.failed(2, "bad_input").contains("`words`"));
}

/// Long enough to be stopped in the middle.
#[test]
fn nothing_is_left_behind_not_even_when_it_is_stopped() {
    let (place, work) = (small(), tempfile::tempdir().expect("a directory"));
    let left = || fs::read_dir(work.path()).expect("a directory").count();
    let evaluate = || {
        let mut command = program();
        command
            .env("TMPDIR", work.path())
            .args(["search", "evaluate", "--json", "--format", "beir", "--corpus"]);
        command.arg(place.path());
        command
    };
    run(evaluate()).ok();
    assert_eq!(left(), 0);
    let lines =
        (0..300_000).map(|number| format!("{{\"_id\":\"d{number}\",\"text\":\"wood and wind {number}\"}}\n"));
    fs::write(place.path().join("corpus.jsonl"), lines.collect::<String>()).expect("a file");
    let mut process = evaluate().stderr(std::process::Stdio::null()).spawn().expect("it starts");
    let begun = Instant::now();
    while left() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it has begun");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    let pid = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    let status = process.wait().expect("it ends");
    assert_eq!((status.code(), left()), (Some(3), 0));
}

#[test]
fn cranfield_is_found_as_well_as_it_should_be() {
    let Some(corpus) = cranfield() else { return };
    let report = evaluate(&corpus, "cran", &[]).ok();
    assert_eq!(
        (&report["docs"], &report["queries"], &report["judged"]),
        (&json!(1400), &json!(225), &json!(225))
    );
    let ndcg = report["runs"][0]["ndcg_at_10"].as_f64().unwrap();
    assert!(ndcg > 0.38, "nDCG@10 {ndcg}: plain BM25 with stems has .382");
}

/// Ways to search that a report has, in its order.
fn ways(report: &Value) -> Vec<(String, f64)> {
    let runs = report["runs"].as_array().expect("runs");
    let way = |run: &Value| Some((run["mode"].as_str()?.to_owned(), run["weight"].as_f64()?));
    runs.iter().filter_map(way).collect()
}

#[test]
fn with_a_model_every_way_is_measured_and_a_node_answers_alike() {
    let (node, place) = (Node::start(), small());
    let model = published(&node, "small-model", "bert");
    let (model_text, runs) = (model.to_str().expect("UTF-8"), node.file("runs"));
    let more = ["--model", model_text, "--weight", "0.3", "--weight", "0.7", "--run-files"];
    let report = evaluate(place.path(), "beir", &[&more[..], &[runs.to_str().expect("UTF-8")]].concat()).ok();
    let named = [("keyword", 1.0), ("vector", 0.0), ("hybrid", 0.3), ("hybrid", 0.7)];
    assert_eq!(ways(&report), named.map(|(mode, weight)| (mode.to_owned(), weight)));
    assert!(report["runs"][2]["against_keyword"]["p"].as_f64().is_some(), "{report}");

    install(&node, &[&model], &[]).ok();
    node.cli(&["flag", "set", "vector-preview", "on"]).ok();
    let documents = [
        json!({"id": "n00000000000", "type": "document", "texts": [{"text": "a bridge of steel that swings in the wind"}]}),
        json!({"id": "n00000000001", "type": "document", "attributes": {"name": "Towers"}, "texts": [{"text": "a tower of stone, and its wind"}]}),
        json!({"id": "n00000000002", "type": "document", "attributes": {"name": "Boats"}, "texts": [{"text": "boats that are made of wood"}]}),
        json!({"id": "n00000000003", "type": "document", "texts": [{"text": "the first"}]}),
    ];
    let file = node.write("documents.jsonl", documents.map(|document| document.to_string()).join("\n"));
    node.import(&file, "jsonl", "collection", &[]).ok();
    let rankings = run_file(&runs.join("hybrid-0.30.run"));
    let begun = Instant::now();
    loop {
        let variables =
            json!({"q": "what is made of wood", "first": 100, "mode": "HYBRID", "keywordWeight": 0.3});
        let answer = node.http().post(&json!({"id": "searchHybrid:v1", "variables": variables})).json();
        let found = &answer["data"]["searchHybrid"];
        if found["vector"]["used"] == true && found["vector"]["lsn"].as_u64() >= found["lsn"].as_u64() {
            let edges = found["edges"].as_array().expect("edges");
            let names = ["bridge", "7", "boat", "twice"];
            let name = |edge: &Value| {
                edge["node"]["id"].as_str().and_then(|id| id[1..].parse().ok()).map(|at: usize| names[at])
            };
            let ids: Vec<_> = edges.iter().filter_map(name).collect();
            let measured: Vec<_> = rankings["q1"].iter().map(|(id, _)| id.as_str()).collect();
            assert_eq!(measured, ids);
            for ((_, score), edge) in rankings["q1"].iter().zip(edges) {
                assert!((score - edge["node"]["score"].as_f64().expect("a score")).abs() < 1e-6, "{answer}");
            }
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{answer}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The documents of the collection as a node takes them in, with the ids of the collection.
fn imported(node: &Node, corpus: &Path) {
    let text = fs::read_to_string(corpus.join("cran.all.1400")).expect("the documents");
    let mut lines = String::new();
    for record in text.split(".I ").skip(1) {
        let (id, rest) = record.split_once('\n').expect("a line");
        let (title, rest) = rest.trim_start_matches(".T").split_once("\n.A\n").expect("a title");
        let body = rest.split_once("\n.W\n").map_or("", |(_, body)| body).trim();
        let mut line =
            json!({"id": format!("n{:011}", id.parse::<u32>().expect("a number") - 1), "type": "document"});
        if !title.trim().is_empty() {
            line["attributes"] = json!({"name": title.trim().replace('\n', " ")});
        }
        if !body.is_empty() {
            line["texts"] = json!([{"text": body}]);
        }
        lines.push_str(&format!("{line}\n"));
    }
    let file = node.write("cranfield.jsonl", lines);
    assert_eq!(node.import(&file, "jsonl", "collection", &[]).ok()["created"], 1400);
}

/// The rankings of a run, by query.
fn run_file(path: &Path) -> HashMap<String, Vec<(String, f64)>> {
    let mut rankings: HashMap<String, Vec<_>> = HashMap::new();
    for line in fs::read_to_string(path).expect("a run").lines() {
        let [query, "Q0", document, place, score, _] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let ranking = rankings.entry(query.to_owned()).or_default();
        ranking.push((document.to_owned(), score.parse().expect("a score")));
        assert_eq!(place, ranking.len().to_string());
    }
    rankings
}

fn asked(node: &Node, query: &str) -> Vec<(String, f64)> {
    let found = node.http().graphql("search:v1", json!({"q": query, "limit": 100}));
    let hit = |hit: &Value| {
        let number =
            hit["id"].as_str().expect("an id").trim_start_matches('n').parse::<u32>().expect("a number");
        ((number + 1).to_string(), hit["score"].as_f64().expect("a score"))
    };
    found["search"]["hits"].as_array().expect("hits").iter().map(hit).collect()
}

#[test]
fn a_node_with_the_same_documents_answers_alike() {
    let Some(corpus) = cranfield() else { return };
    let node = Node::start();
    imported(&node, &corpus);
    let runs = node.file("runs");
    let report = evaluate(&corpus, "cran", &["--run-files", runs.to_str().expect("UTF-8")]).ok();
    let rankings = run_file(&runs.join("keyword.run"));
    for query in report["per_query"].as_array().expect("queries").iter().step_by(5) {
        let measured = &rankings[query["query"].as_str().expect("an id")];
        let text = query["text"].as_str().expect("words").replace(['"', '\n'], " ");
        let words: Vec<_> = text.split_whitespace().map(|word| word.trim_start_matches('-')).collect();
        let answered = asked(&node, &words.join(" "));
        let ids = |of: &[(String, f64)]| of.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(measured), ids(&answered), "{query}");
        for ((_, measured), (_, answered)) in measured.iter().zip(&answered) {
            assert!((measured - answered).abs() < 1e-9, "{measured} {answered}");
        }
    }
}
