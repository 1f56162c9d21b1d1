//! The main job: bring data in, find them, look at them, follow their relations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::data::{bundle, malware, relationship, stix_id};
use crate::node::Node;

const RED: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";

/// A small bundle with everything that STIX makes hard, in an unkind order.
struct Report {
    text: String,
    loader: String,
    stealer: String,
    old: String,
    actor: String,
    sighting: String,
    dangling: String,
    nowhere: String,
}

fn report() -> Report {
    let [loader, stealer, old] = ["loader", "stealer", "old"].map(|name| stix_id("malware", name));
    let actor = stix_id("threat-actor", "actor");
    let [uses, drops, dangling] = ["uses", "drops", "dangling"].map(|name| stix_id("relationship", name));
    let sighting = stix_id("sighting", "sighting");
    let nowhere = stix_id("malware", "nowhere");
    let mut marked = malware(&stealer, "Grebe", "Grebe steals credentials from browsers and mail clients.");
    marked["object_marking_refs"] = json!([RED]);
    let mut revoked = malware(&old, "Coot", "Coot is what Grebe was called before it stole credentials.");
    revoked["revoked"] = json!(true);
    let objects = vec![
        relationship(&uses, &actor, "uses", &loader),
        relationship(&drops, &loader, "drops", &stealer),
        relationship(&dangling, &actor, "uses", &nowhere),
        json!({
            "type": "sighting", "spec_version": "2.1", "id": sighting, "sighting_of_ref": loader, "count": 3,
            "created": "2024-01-01T00:00:00.000Z", "modified": "2024-01-01T00:00:00.000Z",
        }),
        malware(&loader, "Teal", "Teal loads other malware and hides its credentials in the registry."),
        marked,
        revoked,
        json!({
            "type": "threat-actor", "spec_version": "2.1", "id": actor, "name": "Quiet Heron",
            "description": "An actor who phishes for credentials.", "aliases": ["QH"], "x_shelf": {"row": [1, 2.50, null]},
            "created": "2024-01-01T00:00:00.000Z", "modified": "2024-01-03T00:00:00.000Z",
        }),
        json!({
            "type": "marking-definition", "spec_version": "2.1", "id": RED, "created": "2017-01-20T00:00:00.000Z",
            "definition_type": "tlp", "name": "TLP:RED", "definition": {"tlp": "red"},
        }),
    ];
    // One object a line, so that a reject has a line of its own.
    let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
    let text = format!(
        "{{\"type\":\"bundle\",\"id\":\"{}\",\"objects\":[\n{}\n]}}\n",
        stix_id("bundle", "report"),
        lines.join(",\n")
    );
    Report { text, loader, stealer, old, actor, sighting, dangling, nowhere }
}

/// A node with the report in it.
fn with_report() -> (Node, Report, PathBuf) {
    let node = Node::start();
    let report = report();
    let file = node.write("report.json", &report.text);
    let ran = node.import(&file, "stix", "reports", &[]);
    assert_eq!(ran.exit, 1, "the dangling relationship is rejected: {ran:?}");
    (node, report, file)
}

fn ids(found: &Value) -> Vec<&str> {
    found["hits"].as_array().expect("hits").iter().filter_map(|hit| hit["id"].as_str()).collect()
}

#[test]
fn an_import_answers_for_every_object() {
    let node = Node::start();
    let report = report();
    let file = node.write("report.json", &report.text);
    let ran = node.import(&file, "stix", "reports", &[]);
    assert_eq!(ran.exit, 1, "{ran:?}");
    let done = ran.json;
    let count = |field: &str| done[field].as_u64().expect("a count");
    assert_eq!(["read", "created", "updated", "unchanged", "rejected"].map(count), [9, 8, 0, 0, 1], "{done}");
    // A marking is an entity, a sighting a thing with edges.
    assert_eq!(
        (count("entities") + count("relations"), done["searchable"].as_bool()),
        (8, Some(true)),
        "{done}"
    );
    let rejects = std::fs::read_to_string(done["rejects_file"].as_str().expect("a file")).expect("rejects");
    let rejects: Vec<Value> = rejects.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    let reject = &rejects[0];
    assert_eq!(
        (reject["code"].as_str(), reject["line"].as_u64()),
        (Some("end_missing"), Some(4)),
        "{reject}"
    );
    assert_eq!(
        (reject["file"].as_str(), reject["value"].as_str()),
        (Some("report.json"), Some(report.dangling.as_str()))
    );
    assert!(reject["reason"].as_str().is_some_and(|reason| reason.contains(&report.nowhere)), "{reject}");

    let again = node.import(&file, "stix", "reports", &[]);
    assert_eq!(again.exit, 1, "{again:?}");
    let count = |field: &str| again.json[field].as_u64().expect("a count");
    assert_eq!(
        ["read", "created", "updated", "unchanged", "rejected"].map(count),
        [9, 0, 0, 8, 1],
        "{again:?}"
    );
    assert_eq!(
        count("lsn") - done["lsn"].as_u64().expect("lsn"),
        2,
        "an import of nothing new records its own run only"
    );
}

#[test]
fn a_search_says_what_it_found_and_where() {
    let (node, report, _) = with_report();
    let found = node.cli(&["search", "credentials", "--explain"]).ok();
    let hits: BTreeSet<_> = ids(&found).into_iter().collect();
    assert_eq!(hits, BTreeSet::from([report.loader.as_str(), &report.stealer, &report.actor]), "{found}");
    for hit in found["hits"].as_array().expect("hits") {
        let snippet = hit["snippet"].as_str().expect("a snippet");
        let marks = hit["highlights"].as_array().expect("marks");
        assert!(!marks.is_empty(), "{hit}");
        for mark in marks {
            let place = |end: &str| mark[end].as_u64().expect("a place") as usize;
            let word = &snippet[place("start")..place("end")];
            assert!(word.to_lowercase().starts_with("credential"), "`{word}` in {hit}");
        }
        assert!(hit["explain"]["keyword_raw"].as_f64().is_some_and(|score| score > 0.0), "{hit}");
    }
    assert_eq!(found["hits"][0]["score"], 1.0, "{found}");
    assert_eq!((&found["vector"]["used"], &found["complete"]), (&json!(false), &json!(true)));

    let of_type = node.cli(&["search", "credentials", "--type", "threat-actor"]).ok();
    assert_eq!(ids(&of_type), [report.actor.as_str()]);
    let other = node.write(
        "other.jsonl",
        json!({"id": "o-1", "type": "host", "texts": [{"text": "stolen credentials"}]}).to_string(),
    );
    node.import(&other, "jsonl", "others", &[]).ok();
    assert_eq!(ids(&node.cli(&["search", "credentials", "--source", "others"]).ok()), ["o-1"]);
    assert_eq!(ids(&node.cli(&["search", "credentials", "--source", "reports"]).ok()).len(), 3);
    let none = node.cli(&["search", "credentials", "--source", "nobody"]).ok();
    assert!(ids(&none).is_empty(), "a search without hits is an answer: {none}");

    let revoked = node.cli(&["search", "credentials", "--include-revoked"]).ok();
    assert!(ids(&revoked).contains(&report.old.as_str()), "{revoked}");
    let facets = node.cli(&["search", "credentials", "--facets"]).ok();
    let malware =
        facets["facets"].as_array().expect("facets").iter().find(|facet| facet["value"] == "malware");
    assert_eq!(
        malware.map(|facet| facet["count"].as_u64()),
        Some(Some(2)),
        "what is revoked is not counted: {facets}"
    );
}

#[test]
fn pages_neither_repeat_nor_lose_a_hit_while_more_is_imported() {
    let node = Node::start();
    let line = |prefix: &str, number: usize| {
        let words = "heron ".repeat(1 + number % 7);
        json!({"id": format!("{prefix}-{number}"), "type": "bird", "texts": [{"text": format!("{words} by the water")}]}).to_string()
    };
    let lines =
        |prefix: &str, count: usize| (0..count).map(|number| line(prefix, number) + "\n").collect::<String>();
    let first = node.write("first.jsonl", lines("first", 230));
    node.import(&first, "jsonl", "birds", &[]).ok();
    let second = node.write("second.jsonl", lines("second", 3000));
    let mut seen = Vec::new();
    std::thread::scope(|scope| {
        let importing = scope.spawn(|| node.import(&second, "jsonl", "birds", &[]).ok());
        let mut after: Option<String> = None;
        loop {
            let mut args = vec!["search", "heron", "--limit", "20"];
            args.extend(after.iter().flat_map(|cursor| ["--after", cursor.as_str()]));
            let page = node.cli(&args).ok();
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            after = page["next_cursor"].as_str().map(str::to_owned);
            // The first page settles what the search is of; if that includes the import, it ends all the same.
            if after.is_none() {
                break;
            }
        }
        importing.join().expect("imported");
    });
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "a hit was repeated");
    let first = (0..230).map(|number| format!("first-{number}"));
    let lost: Vec<_> = first.filter(|id| !distinct.contains(id)).collect();
    assert!(lost.is_empty(), "lost {lost:?}");
    let other = node.cli(&["search", "water", "--after", "0123456789abcdef0123456789abcdef"]);
    assert!(other.failed(3, "CURSOR_EXPIRED").contains("cursor"));
}

#[test]
fn an_entity_has_a_history_and_can_be_hidden_and_shown() {
    let (node, report, file) = with_report();
    let entity = node.cli(&["entity", "get", &report.actor]).ok();
    let claim = |entity: &Value, name: &str| {
        let claims = entity["attributes"].as_array().expect("claims");
        claims
            .iter()
            .find(|claim| claim["name"] == name)
            .unwrap_or_else(|| panic!("no `{name}` in {entity}"))
            .clone()
    };
    assert_eq!(
        (entity["title"].as_str(), entity["type"].as_str()),
        (Some("Quiet Heron"), Some("threat-actor"))
    );
    assert_eq!(claim(&entity, "x_shelf")["value"], json!({"row": [1, 2.5, null]}));
    assert_eq!(
        (claim(&entity, "aliases")["source"].as_str(), entity["status"].as_str()),
        (Some("reports"), Some("active"))
    );
    assert_eq!(entity["receipt"]["index"].as_u64().map(|index| index + 1), entity["receipt"]["lsn"].as_u64());
    let revoked = node.cli(&["entity", "get", &report.old]).ok();
    assert_eq!(revoked["status"], "revoked", "what is revoked is shown, and says so");

    let history = node.cli(&["entity", "history", &report.actor]).ok();
    let before = history["changes"][0]["recorded_at"].as_str().expect("a time").to_owned();
    let newer = report.text.replace("Quiet Heron", "Loud Heron").replace("2024-01-03", "2025-01-03");
    std::fs::write(&file, newer).expect("a file");
    let done = node.import(&file, "stix", "reports", &[]).json;
    assert_eq!((done["updated"].as_u64(), done["unchanged"].as_u64()), (Some(1), Some(7)), "{done}");
    assert_eq!(node.cli(&["entity", "get", &report.actor]).ok()["title"], "Loud Heron");
    assert_eq!(node.cli(&["entity", "get", &report.actor, "--as-of", &before]).ok()["title"], "Quiet Heron");
    node.cli(&["entity", "get", &report.actor, "--as-of", "2001-01-01T00:00:00Z"]).failed(1, "not_found");
    node.cli(&["entity", "get", &report.actor, "--as-of", "yesterday"]).failed(2, "bad_request");
    let history = node.cli(&["entity", "history", &report.actor]).ok();
    assert_eq!(history["changes"].as_array().map(Vec::len), Some(2), "{history}");
    assert!(
        !history["changes"][0]["replaced_at"].is_null() && history["changes"][1]["replaced_at"].is_null(),
        "{history}"
    );

    let deleted = node.cli(&["entity", "delete", &report.actor]).ok();
    assert_eq!(deleted["changed"], true, "{deleted}");
    node.cli(&["entity", "get", &report.actor]).failed(1, "not_found");
    assert!(ids(&at_least(&node, "heron", &deleted)).is_empty(), "a deleted thing is not found");
    node.cli(&["relations", &report.actor]).failed(1, "not_found");
    let restored = node.cli(&["entity", "restore", &report.actor]).ok();
    assert_eq!(node.cli(&["entity", "restore", &report.actor]).ok()["changed"], false);
    assert_eq!(node.cli(&["entity", "get", &report.actor]).ok()["title"], "Loud Heron");
    assert_eq!(ids(&at_least(&node, "heron", &restored)), [report.actor.as_str()]);
    for command in ["get", "history", "delete", "restore"] {
        node.cli(&["entity", command, "malware--none"]).failed(1, "not_found");
    }
}

/// A search that reflects a change.
fn at_least(node: &Node, words: &str, changed: &Value) -> Value {
    node.http().graphql("search:v1", json!({"q": words, "atLeast": changed["lsn"]}))["search"].clone()
}

#[test]
fn relations_are_paged_in_both_directions() {
    let node = Node::start();
    let mut text = String::new();
    for number in 0..45 {
        let kind = if number % 3 == 0 { "owns" } else { "talks-to" };
        let (from, to) = if number % 2 == 0 {
            ("hub".to_owned(), format!("h-{number}"))
        } else {
            (format!("h-{number}"), "hub".to_owned())
        };
        text += &format!(
            "{}\n{}\n",
            json!({"id": format!("h-{number}"), "type": "host"}),
            json!({"relation": kind, "from": from, "to": to})
        );
    }
    text += &json!({"id": "hub", "type": "host"}).to_string();
    let file = node.write("star.jsonl", text);
    node.import(&file, "jsonl", "net", &[]).ok();
    let all = |more: &[&str]| {
        let mut others = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut args = vec!["relations", "hub", "--limit", "7"];
            args.extend(more);
            args.extend(after.iter().flat_map(|cursor| ["--after", cursor.as_str()]));
            let page = node.cli(&args).ok();
            for relation in page["relations"].as_array().expect("relations") {
                let (from, to) =
                    (relation["from"].as_str().expect("from"), relation["to"].as_str().expect("to"));
                others.push(if from == "hub" { to.to_owned() } else { from.to_owned() });
            }
            after = page["next_cursor"].as_str().map(str::to_owned);
            if after.is_none() {
                return others;
            }
        }
    };
    for (more, count) in [
        (&["--direction", "both"][..], 45),
        (&["--direction", "out"], 23),
        (&["--direction", "in"], 22),
        (&["--direction", "both", "--kind", "owns"], 15),
    ] {
        let others = all(more);
        let distinct: BTreeSet<_> = others.iter().collect();
        assert_eq!((others.len(), distinct.len()), (count, count), "{more:?}: {others:?}");
    }
    assert_eq!(node.cli(&["relations", "hub", "--kind", "eats"]).exit, 1);
    node.cli(&["relations", "nobody"]).failed(1, "not_found");
    node.cli(&["relations", "hub", "--after", "nonsense"]).failed(3, "CURSOR_EXPIRED");
    node.cli(&["relations", "hub", "--limit", "0"]).failed(2, "bad_request");
}

#[test]
fn paths_lead_over_relations_and_end_at_their_depth() {
    let (node, report, _) = with_report();
    let found = node.cli(&["path", &report.actor, &report.stealer]).ok();
    assert_eq!(found["paths"], json!([[report.actor, report.loader, report.stealer]]));
    let short = node.cli(&["path", &report.actor, &report.stealer, "--depth", "1"]);
    assert_eq!((short.exit, &short.json["paths"]), (1, &json!([])), "{short:?}");
    node.cli(&["path", &report.actor, "malware--none"]).failed(1, "not_found");
    node.cli(&["path", &report.actor, &report.stealer, "--depth", "99"]).failed(2, "bad_request");
    let relations = node.cli(&["relations", &report.loader]).ok();
    let kinds: BTreeSet<_> = relations["relations"]
        .as_array()
        .expect("relations")
        .iter()
        .map(|relation| relation["kind"].as_str())
        .collect();
    assert!(kinds.is_superset(&BTreeSet::from([Some("uses"), Some("drops")])), "{relations}");
    let sighting = node.cli(&["entity", "get", &report.sighting]).ok();
    assert_eq!(sighting["type"], "sighting");
}

#[test]
fn a_relation_that_moved_is_found_where_it_was_at_the_time() {
    let node = Node::start();
    let [actor, first, second] = ["actor", "first", "second"].map(|name| stix_id("malware", name));
    let link = stix_id("relationship", "link");
    let entities = [&actor, &first, &second].map(|id| malware(id, "a name", "a text"));
    let say = |to: &str, modified: &str| {
        let mut relation = relationship(&link, &actor, "uses", to);
        relation["modified"] = json!(modified);
        let objects = entities.iter().cloned().chain([relation]).collect();
        let file = node.write("moved.json", bundle(objects).to_string());
        node.import(&file, "stix", "reports", &[]).ok();
    };
    let ends = |id: &str, more: &[&str]| -> Vec<String> {
        let page = node.cli(&[&["relations", id, "--direction", "both"], more].concat());
        let relations = page.json["relations"].as_array().cloned().unwrap_or_default();
        relations.iter().map(|relation| relation["to"].as_str().expect("an end").to_owned()).collect()
    };
    say(&first, "2024-01-02T00:00:00.000Z");
    let history = node.cli(&["entity", "history", &link]).ok();
    let before = history["changes"][0]["recorded_at"].as_str().expect("a time").to_owned();
    say(&second, "2025-01-02T00:00:00.000Z");

    assert_eq!((ends(&actor, &[]), ends(&first, &[]).len()), (vec![second.clone()], 0));
    let then = ["--as-of", before.as_str()];
    assert_eq!((ends(&actor, &then), ends(&first, &then)), (vec![first.clone()], vec![first.clone()]));
    assert!(ends(&second, &then).is_empty(), "the relation had not come there yet");
    assert_eq!(node.cli(&["path", &actor, &first]).exit, 1, "a path follows what holds now");
    node.cli(&["path", &actor, &second]).ok();
}

#[test]
fn one_command_is_one_import_however_many_files() {
    let mut node = Node::start();
    let entity = |id: &str| json!({"id": id, "type": "host"}).to_string();
    let relation = json!({"relation": "knows", "from": "m-1", "to": "m-2"}).to_string();
    let first = node.write("first.jsonl", format!("{relation}\n{}\n", entity("m-1")));
    let second = node.write("second.jsonl", format!("{}\n{{\n", entity("m-2")));
    let (first, second) = (first.to_str().expect("UTF-8"), second.to_str().expect("UTF-8"));
    let terms =
        ["--format", "jsonl", "--source", "many", "--purpose", "threat-intel", "--licence", "Open-Data-OK"];
    let ran = node.cli(&[&["import", first, second], &terms[..]].concat());
    assert_eq!(
        (ran.exit, ran.json["created"].as_u64(), ran.json["rejected"].as_u64()),
        (1, Some(3), Some(1)),
        "{ran:?}"
    );
    let rejects =
        std::fs::read_to_string(ran.json["rejects_file"].as_str().expect("a file")).expect("rejects");
    assert!(rejects.contains("second.jsonl") && !rejects.contains("first.jsonl"), "{rejects}");
    let runs = Value::from(node.http().list("runs:v1", json!({}), "runs"));
    assert_eq!(
        (runs.as_array().map(Vec::len), runs[0]["inputs"].as_array().map(Vec::len)),
        (Some(1), Some(2)),
        "{runs}"
    );
    // Standard input is a file like others, and terms that are known need not be said again.
    let mut command = node.command(&node.token, &["import", "-", "--format", "jsonl", "--source", "many"]);
    command.stdin(std::fs::File::open(first).expect("the file"));
    let done = crate::node::run(command).ok();
    assert_eq!(done["unchanged"].as_u64(), Some(2), "{done}");
    node.stop_and_verify();
}

/// The published ATT&CK bundle for industrial control systems, where a checkout of it is at hand.
#[test]
fn a_published_bundle_comes_in_whole() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = ["..", "../.."].map(|up| here.join(up).join("shared/data/stix/ics-attack-18.1.json"));
    let Some(file) = beside.into_iter().find(|file| file.is_file()) else {
        println!("skipped: the bundle ics-attack-18.1.json is not beside the checkout");
        return;
    };
    let mut node = Node::start();
    let done = node.import(&file, "stix", "attack", &["--classification", "public"]).ok();
    let text = std::fs::read_to_string(&file).expect("the bundle");
    let objects =
        serde_json::from_str::<Value>(&text).expect("JSON")["objects"].as_array().expect("objects").len()
            as u64;
    assert_eq!((done["read"].as_u64(), done["rejected"].as_u64()), (Some(objects), Some(0)), "{done}");
    assert_eq!(done["created"].as_u64(), Some(objects), "{done}");
    let again = node.import(&file, "stix", "attack", &[]).ok();
    assert_eq!((again["unchanged"].as_u64(), again["created"].as_u64()), (Some(objects), Some(0)), "{again}");
    let found = node.cli(&["search", "programmable logic controller", "--limit", "5"]).ok();
    assert_eq!(ids(&found).len(), 5, "{found}");
    node.stop_and_verify();
}
