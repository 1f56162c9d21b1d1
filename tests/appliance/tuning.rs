//! `search tune` and its route: judged queries are asked as users ask, each weight is worth what its answers are worth, and the
//! tenant's weight is set if that serves others better, too.

use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{Answer, Line};
use crate::meaning::{ask_as, awaited, hits, ready, reports, say};
use crate::node::Node;

const PATH: &str = "/api/v1/search/tune";

/// Each two words of the reports that some have and others have not, and those that have them: what words find best.
fn judged() -> Vec<Value> {
    let words = ["lateral", "movement", "stolen", "tickets", "pass", "credential", "dump", "theft"];
    let all: Vec<Value> = reports(1, 60, &Value::Null)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a report"))
        .collect();
    let has =
        |report: &Value, word: &str| report["texts"][0]["text"].as_str().expect("a text").contains(word);
    let pairs = (0..words.len()).flat_map(|one| (one + 1..words.len()).map(move |other| (one, other)));
    let judged = pairs.map(|(one, other)| {
        let both = all.iter().filter(|report| has(report, words[one]) && has(report, words[other]));
        let relevant: Vec<&Value> = both.map(|report| &report["id"]).collect();
        json!({"query": format!("{} {}", words[one], words[other]), "relevant": relevant})
    });
    judged.filter(|judged| (1..30).contains(&judged["relevant"].as_array().expect("ids").len())).collect()
}

fn lines(judged: &[Value]) -> String {
    judged.iter().map(|line| format!("{line}\n")).collect()
}

fn send(node: &Node, token: &str, query: &str, body: &str) -> Answer {
    let token = format!("Bearer {token}");
    let headers = [("authorization", token.as_str())];
    node.http().send(Method::POST, &format!("{PATH}{query}"), &headers, body.as_bytes().to_vec())
}

/// The last line: what was found.
fn found(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    let last = answer.body.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
    last.map(|last| last["tuned"].clone()).filter(Value::is_object).unwrap_or_else(|| panic!("{answer:?}"))
}

/// nDCG of the first ten, all relevant things being equally so: computed here by its definition.
fn ndcg(ids: &[Value], relevant: &[Value]) -> f64 {
    let gain = |at: usize| 1.0 / ((at + 2) as f64).log2();
    let seen: f64 =
        ids.iter().take(10).enumerate().filter(|(_, id)| relevant.contains(id)).map(|(at, _)| gain(at)).sum();
    seen / (0..relevant.len().min(10)).map(gain).sum::<f64>()
}

fn ids(answer: &Value) -> Vec<Value> {
    hits(answer).iter().map(|hit| hit["id"].clone()).collect()
}

#[test]
fn each_weight_is_worth_what_its_answers_are_worth_to_users() {
    let node = ready(&reports(1, 60, &Value::Null));
    node.cli(&["flag", "set", "keyword-weight", "0.25"]).ok();
    let judged = judged();
    assert!(judged.len() >= 10, "{} queries", judged.len());
    let answer = send(&node, &node.token, "", &lines(&judged));
    let told: Vec<Value> =
        answer.body.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
    assert_eq!(told.len(), judged.len() + 1);
    assert_eq!(told[2], json!({"asked": 3, "of": judged.len()}));
    let found = found(&answer);
    assert_eq!((&found["current"], &found["queries"]), (&json!(0.25), &json!(judged.len())));
    let curve = found["curve"].as_array().expect("a curve");
    assert_eq!(curve.len(), 12, "eleven steps, and the tenant's own weight");
    for point in curve {
        let answers = |judged: &Value| {
            let variables = json!({"q": judged["query"], "keywordWeight": point["weight"]});
            ndcg(&ids(&ask_as(&node, &node.token, &variables)), judged["relevant"].as_array().expect("ids"))
        };
        let mean = judged.iter().map(answers).sum::<f64>() / judged.len() as f64;
        assert!((point["ndcg_at_10"].as_f64().expect("a number") - mean).abs() < 1e-9, "{point}: {mean}");
    }
    // The three runs that lines are drawn of, and what the first hundred hold: the pages lead to them.
    let runs = found["runs"].as_array().expect("runs");
    let modes: Vec<_> = runs.iter().map(|run| run["mode"].as_str().expect("a mode")).collect();
    assert_eq!((modes[0], modes[1], modes[2], runs.len()), ("keyword", "vector", "hybrid", 14));
    assert_eq!(runs[0]["ndcg_at_10"], 1.0, "what was judged by its words");
    let (first, mut paged, mut after) = (&judged[0], Vec::new(), Value::Null);
    while paged.len() < 100 {
        let variables = json!({"q": first["query"], "keywordWeight": 0.5, "after": after});
        let page = ask_as(&node, &node.token, &variables);
        paged.extend(ids(&page));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let relevant = first["relevant"].as_array().expect("ids");
    let share = paged.iter().filter(|id| relevant.contains(id)).count() as f64 / relevant.len() as f64;
    let query = &found["per_query"][0];
    assert_eq!((&query["query"], &query["relevant"]), (&first["query"], &json!(relevant.len())));
    let half = query["runs"].as_array().expect("runs").iter().find(|run| run["weight"] == 0.5);
    assert_eq!(half.expect("a run")["recall_at_100"].as_f64(), Some(share));
}

#[test]
fn the_command_tunes_and_sets_the_weight_if_that_is_better() {
    let mut node = ready(&reports(1, 60, &Value::Null));
    let file = node.write("judged.jsonl", lines(&judged()));
    let file = file.to_str().expect("UTF-8");
    node.cli(&["flag", "set", "keyword-weight", "0"]).ok();
    let looked = node.cli(&["search", "tune", "--judged", file]).ok();
    assert_eq!((&looked["current"], &looked["applied"]), (&json!(0.0), &json!(false)));
    let weight = |node: &Node| {
        let flags = node.cli(&["flag", "list"]).ok();
        let flag =
            flags["flags"].as_array().expect("flags").iter().find(|flag| flag["name"] == "keyword-weight");
        flag.expect("a flag")["in_force"].as_str().and_then(|text| text.parse::<f64>().ok())
    };
    assert_eq!(weight(&node), Some(0.0), "who only looks changes nothing");
    let tuned = node.cli(&["search", "tune", "--judged", file, "--apply"]).ok();
    assert_eq!(tuned["applied"], true, "{tuned}");
    assert!(tuned["weight"].as_f64() > Some(0.0) && tuned["weight"].as_f64() == weight(&node), "{tuned}");
    assert!(tuned["cross_validated"].as_f64() > looked["curve"][0]["ndcg_at_10"].as_f64(), "{tuned}");
    let again = node.cli(&["search", "tune", "--judged", file, "--apply"]).ok();
    assert_eq!(
        (&again["current"], &again["applied"]),
        (&tuned["weight"], &json!(false)),
        "it is the best already"
    );
    node.stop_and_verify();
}

#[test]
fn what_cannot_be_tuned_is_refused_and_says_why() {
    let node = Node::start();
    say(&node, "feed", &reports(1, 60, &Value::Null));
    let (judged, owner) = (judged(), node.token.clone());
    let whole = lines(&judged);
    let refused = |token: &str, query: &str, body: &str| {
        let answer = send(&node, token, query, body);
        (
            answer.status,
            answer.code(),
            answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let reader = node.new_token(&["--role", "reader"]);
    let (status, code, _) = refused(&reader, "", &whole);
    assert_eq!((status, code.as_str()), (403, "denied"));
    for (query, body, says) in [
        ("", lines(&judged[..9]), "9 judged queries; a weight is chosen by 10 or more"),
        ("", String::new(), "0 judged queries"),
        ("", "nonsense\n".to_owned(), "line 1"),
        ("?form=both", whole.clone(), "entity or relation"),
        ("?other=1", whole.clone(), "unknown field"),
        (
            "",
            (0..2_001).map(|n| format!("{}\n", json!({"query": n.to_string(), "relevant": ["a"]}))).collect(),
            "at most 2000",
        ),
    ] {
        let (status, _, message) = refused(&owner, query, &body);
        assert!(status == 400 && message.contains(says), "{says}: {status} {message}");
    }
    let (status, code, _) = refused(&owner, "", &"x".repeat((8 << 20) + 1));
    assert_eq!((status, code.as_str()), (413, "body_too_large"));
    let (status, code, message) = refused(&owner, "", &whole);
    assert_eq!((status, code.as_str()), (409, "flag_off"), "{message}");
    node.cli(&["flag", "set", "vector-preview", "on"]).ok();
    assert_eq!(refused(&owner, "", &whole).1, "no_model");
    let file = node.write("judged.jsonl", &whole);
    node.cli(&["search", "tune", "--judged", file.to_str().expect("UTF-8")]).failed(3, "no_model");
    let few = node.write("few.jsonl", lines(&judged[..9]));
    node.cli(&["search", "tune", "--judged", few.to_str().expect("UTF-8")]).failed(2, "bad_input");
    node.cli(&["search", "tune", "--judged", "/nowhere.jsonl"]).failed(2, "bad_input");
}

/// What is hidden is worth what nothing is worth, and a question in quotes is answered by words at any weight.
#[test]
fn nothing_is_told_of_what_is_hidden() {
    let node = ready(&reports(1, 60, &Value::Null));
    let hidden = |number: usize| {
        json!({"id": format!("hidden-{number}"), "type": "report", "classification": "secret", "texts": [{"text": "stolen tickets stolen tickets."}]}).to_string()
    };
    say(&node, "secrets", &(1..=40).map(hidden).collect::<Vec<_>>().join("\n"));
    awaited(&node, &node.token);
    let admin = node.new_token(&["--role", "admin", "--clearance", "public"]);
    let asked = |id: &str| {
        let mut judged = judged();
        judged.push(json!({"query": "stolen tickets", "document": id, "grade": 3}));
        judged.push(json!({"query": "\"stolen tickets\"", "relevant": [id]}));
        lines(&judged)
    };
    let told = |token: &str, id: &str| found(&send(&node, token, "?form=entity", &asked(id)));
    let (seen, absent) = (told(&admin, "hidden-1"), told(&admin, "nobody-1"));
    assert_eq!(seen, absent, "hidden and absent look alike");
    assert_eq!(seen["by_words"], 1);
    assert!(
        seen["notes"].to_string().contains("2 relevant things are not here, or not to be seen"),
        "{seen}"
    );
    let owner = told(&node.token, "hidden-1");
    assert!(owner["per_query"] != seen["per_query"] && owner["notes"] != seen["notes"], "{owner}");
}

/// Whoever goes away ends what was asked for him, and his place is free.
#[test]
fn who_goes_away_ends_it() {
    let node = ready(&reports(1, 60, &Value::Null));
    let many: String = (0..2_000)
        .map(|n| format!("{}\n", json!({"query": format!("stolen tickets {n}"), "relevant": ["report-001"]})))
        .collect();
    let begin = || {
        let mut line = Line::to(&node.url);
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            node.token,
            many.len()
        );
        assert!(line.say(&head) && line.say(&many));
        let mut reader = BufReader::new(line.0);
        let mut told = String::new();
        while !told.contains("asked") {
            told.clear();
            assert!(reader.read_line(&mut told).expect("a line") > 0, "it ended");
        }
        reader
    };
    let (one, other) = (begin(), begin());
    let third = send(&node, &node.token, "", &lines(&judged()));
    assert_eq!((third.status, third.code().as_str()), (503, "busy"), "{third:?}");
    drop((one, other));
    let begun = Instant::now();
    while send(&node, &node.token, "", &lines(&judged())).status != 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "two thousand queries take longer: their places are not free"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
