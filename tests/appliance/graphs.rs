//! Working graphs and saved ones: what is drawn, where, and for whom.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::http::Http;
use crate::node::Node;

/// What a node takes with its name, in pixels.
const CELL: (i64, i64) = (128, 88);

fn import(node: &Node, source: &str, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let file = node.write(&format!("{source}.jsonl"), text);
    node.import(&file, "jsonl", source, &["--classification", "public"]).ok();
}

fn host(id: &str) -> Value {
    json!({"id": id, "type": "host", "attributes": {"name": format!("Host {id}")}})
}

fn relation(kind: &str, from: &str, to: &str) -> Value {
    json!({"relation": kind, "from": from, "to": to})
}

/// A hub with thirty spokes, some of which are joined to each other.
fn wheel() -> Vec<Value> {
    let spoke = |n: usize| format!("spoke-{n:02}");
    let hosts = (0..30).map(|n| host(&spoke(n))).chain([host("hub")]);
    let spokes = (0..30).map(|n| match n % 3 {
        0 => relation("reaches", &spoke(n), "hub"),
        _ => relation("feeds", "hub", &spoke(n)),
    });
    hosts.chain(spokes).chain((0..5).map(|n| relation("beside", &spoke(n), &spoke(n + 1)))).collect()
}

/// What a client has: its nodes, as it says them.
#[derive(Clone, Default)]
struct Canvas(BTreeMap<String, (i64, i64)>);

impl Canvas {
    fn text(&self) -> String {
        self.0.iter().map(|(id, (x, y))| format!("{id}\t{x}\t{y}\n")).collect()
    }

    fn ids(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Takes what came; none of it lies on what was there.
    fn take(&mut self, drawn: &Value) {
        for node in drawn["nodes"].as_array().expect("nodes") {
            let at = (node["x"].as_i64().expect("a place"), node["y"].as_i64().expect("a place"));
            for (id, other) in &self.0 {
                let apart = (at.0 - other.0).abs() >= CELL.0 || (at.1 - other.1).abs() >= CELL.1;
                assert!(apart, "{node} lies on {id} at {other:?}");
            }
            let known = self.0.insert(node["id"].as_str().expect("an id").to_owned(), at);
            assert_eq!(known, None, "{node} was there");
        }
    }
}

fn add(http: &Http, canvas: &mut Canvas, ids: &[&str]) -> Value {
    let drawn = http.graphql("graphAdd:v1", json!({"ids": ids, "nodes": canvas.text()}))["graphAdd"].clone();
    canvas.take(&drawn);
    drawn
}

fn expand(http: &Http, canvas: &mut Canvas, id: &str, more: Value) -> Value {
    let mut variables = json!({"id": id, "nodes": canvas.text()});
    variables.as_object_mut().expect("variables").extend(more.as_object().expect("variables").clone());
    let expanded = http.graphql("graphExpand:v1", variables)["graphExpand"].clone();
    canvas.take(&expanded);
    expanded
}

fn ids(drawn: &Value) -> BTreeSet<&str> {
    drawn["nodes"].as_array().expect("nodes").iter().filter_map(|node| node["id"].as_str()).collect()
}

#[test]
fn a_step_from_a_hub_says_what_it_leaves_out() {
    let node = Node::start();
    import(&node, "wheel", &wheel());
    let (http, mut canvas) = (node.http(), Canvas::default());
    let seed = add(&http, &mut canvas, &["hub", "nowhere"]);
    let hub = &seed["nodes"][0];
    assert_eq!(
        (seed["nodes"].as_array().map(Vec::len), &hub["title"]),
        (Some(1), &"Host hub".into()),
        "{seed}"
    );
    assert_eq!((&hub["type"], &hub["degree"]), (&"host".into(), &30.into()), "{seed}");
    let kinds = json!([
        {"kind": "feeds", "direction": "OUT", "count": 20},
        {"kind": "reaches", "direction": "IN", "count": 10},
    ]);
    assert_eq!(hub["kinds"], kinds, "{seed}");

    let first = expand(&http, &mut canvas, "hub", json!({}));
    assert_eq!((ids(&first).len(), &first["of"], &first["rest"]), (25, &30.into(), &5.into()), "{first}");
    let rest = expand(&http, &mut canvas, "hub", json!({"first": 100}));
    assert_eq!((ids(&rest).len(), &rest["of"], &rest["rest"]), (5, &5.into(), &0.into()), "{rest}");
    let none = expand(&http, &mut canvas, "hub", json!({}));
    assert_eq!((ids(&none).len(), &none["of"]), (0, &0.into()), "{none}");
    // All that joins what is drawn came with one of the steps, each once.
    let edges: usize =
        [&first, &rest].iter().map(|drawn| drawn["edges"].as_array().expect("edges").len()).sum();
    assert_eq!(edges, 30 + 5);
    let shown = http.graphql("graphShow:v1", json!({"nodes": canvas.text()}))["graphShow"].clone();
    assert_eq!((ids(&shown), shown["edges"].as_array().map(Vec::len)), (canvas.ids(), Some(35)), "{shown}");
}

#[test]
fn neighbours_are_wanted_by_kind_and_direction_and_in_an_order() {
    let node = Node::start();
    import(&node, "wheel", &wheel());
    let http = node.http();
    let step = |more: Value| {
        let mut canvas = Canvas(BTreeMap::from([("hub".to_owned(), (0, 0))]));
        expand(&http, &mut canvas, "hub", more)
    };
    let into = step(json!({"among": [{"kind": "reaches", "direction": "IN"}]}));
    assert_eq!((ids(&into).len(), &into["of"]), (10, &10.into()), "{into}");
    let out = step(json!({"among": [{"kind": "reaches", "direction": "OUT"}]}));
    assert_eq!((ids(&out).len(), &out["of"]), (0, &0.into()), "{out}");
    // Five spokes stand beside two others, or one.
    let most = step(json!({"order": "MOST_CONNECTED", "first": 4}));
    assert_eq!(ids(&most), BTreeSet::from(["spoke-01", "spoke-02", "spoke-03", "spoke-04"]), "{most}");
    let least = step(json!({"order": "LEAST_CONNECTED", "first": 24}));
    assert!(ids(&least).iter().all(|id| *id > "spoke-05"), "{least}");

    let listed = http.graphql("graphNeighbours:v1", json!({"id": "hub", "find": "HOST SPOKE-2", "first": 4}));
    let listed = &listed["graphNeighbours"];
    assert_eq!((&listed["of"], &listed["matching"]), (&30.into(), &10.into()), "{listed}");
    let after = listed["pageInfo"]["endCursor"].clone();
    let next = http.list(
        "graphNeighbours:v1",
        json!({"id": "hub", "find": "host spoke-2", "first": 100, "after": after}),
        "graphNeighbours",
    );
    assert_eq!(next.len(), 6, "{next:?}");
}

#[test]
fn arranging_moves_all_but_what_is_pinned() {
    let node = Node::start();
    import(&node, "wheel", &wheel());
    let (http, mut canvas) = (node.http(), Canvas::default());
    add(&http, &mut canvas, &["hub"]);
    expand(&http, &mut canvas, "hub", json!({"first": 30}));
    let nodes = canvas.text().replace("spoke-07\t", "spoke-07\t1000\t2000\tp\nspoke-07-was\t");
    let arranged = http.graphql("graphArrange:v1", json!({"nodes": nodes}))["graphArrange"].clone();
    let arranged = arranged.as_array().expect("places");
    assert_eq!(arranged.len(), 31, "what is not there has no place");
    let pinned = arranged.iter().find(|place| place["id"] == "spoke-07").expect("a place");
    assert_eq!((&pinned["x"], &pinned["y"]), (&1000.into(), &2000.into()));
    let places: BTreeSet<_> =
        arranged.iter().map(|place| (place["x"].as_i64(), place["y"].as_i64())).collect();
    assert_eq!(places.len(), 31, "no two lie on each other");
    let again = http.graphql("graphArrange:v1", json!({"nodes": nodes}))["graphArrange"].clone();
    assert_eq!(again.as_array(), Some(arranged), "the same again");
}

#[test]
fn an_edge_tells_who_says_so() {
    let node = Node::start();
    import(&node, "one", &[host("a"), host("b"), relation("feeds", "a", "b"), relation("feeds", "b", "a")]);
    import(&node, "two", &[relation("feeds", "a", "b"), relation("knows", "a", "b")]);
    let http = node.http();
    let edges = add(&http, &mut Canvas::default(), &["a", "b"])["edges"].clone();
    let counts: BTreeSet<_> = edges
        .as_array()
        .expect("edges")
        .iter()
        .map(|edge| (edge["kind"].to_string(), edge["from"].to_string(), edge["relations"].as_u64()))
        .collect();
    let edge = |kind: &str, from: &str, count| (format!("{kind:?}"), format!("{from:?}"), Some(count));
    assert_eq!(counts, BTreeSet::from([edge("feeds", "a", 2), edge("feeds", "b", 1), edge("knows", "a", 1)]));
    let between = http.graphql("graphBetween:v1", json!({"from": "a", "to": "b"}))["graphBetween"].clone();
    assert_eq!(
        (&between["of"], between["relations"].as_array().map(Vec::len)),
        (&4.into(), Some(4)),
        "{between}"
    );
    for relation in between["relations"].as_array().expect("relations") {
        let said = &relation["statements"][0];
        let lsn = said["lsn"].as_u64().expect("a record");
        assert!(said["source"].is_string() && said["recordedAt"].is_string(), "{relation}");
        let receipt = http.graphql("ledgerReceipt:v1", json!({"lsn": lsn}));
        assert_eq!(receipt["ledgerReceipt"]["index"].as_u64(), Some(lsn - 1), "{receipt}");
    }
}

#[test]
fn a_graph_shows_what_was_known_at_a_time() {
    let node = Node::start();
    import(&node, "wheel", &[host("hub"), host("old"), relation("feeds", "hub", "old")]);
    let http = node.http();
    std::thread::sleep(std::time::Duration::from_millis(20));
    let then = jiff::Timestamp::now().to_string();
    std::thread::sleep(std::time::Duration::from_millis(20));
    import(&node, "later", &[host("new"), relation("feeds", "hub", "new")]);
    let nodes = "hub\t0\t0\nold\t300\t0\nnew\t600\t0";
    let show = |as_of: Option<&str>| {
        http.graphql("graphShow:v1", json!({"nodes": nodes, "asOf": as_of}))["graphShow"].clone()
    };
    assert_eq!((ids(&show(None)).len(), show(None)["edges"].as_array().map(Vec::len)), (3, Some(2)));
    let past = show(Some(&then));
    assert_eq!(
        (ids(&past), past["edges"].as_array().map(Vec::len)),
        (BTreeSet::from(["hub", "old"]), Some(1))
    );
    let mut canvas = Canvas(BTreeMap::from([("hub".to_owned(), (0, 0))]));
    let step = expand(&http, &mut canvas, "hub", json!({"asOf": then}));
    assert_eq!((ids(&step), &step["of"]), (BTreeSet::from(["old"]), &1.into()), "{step}");
}

fn save(http: &Http, variables: Value) -> Value {
    http.graphql("graphSave:v1", variables)["graphSave"].clone()
}

fn open(http: &Http, id: &Value) -> Value {
    http.graphql("graph:v1", json!({"id": id}))["graph"].clone()
}

#[test]
fn a_saved_graph_opens_as_it_was_left() {
    let mut node = Node::start();
    import(&node, "wheel", &wheel());
    let http = node.http();
    let nodes = "hub\t-40\t17\tp\nspoke-01\t300\t0\nspoke-02\t300\t90";
    let saved = save(&http, json!({"name": "Ours", "note": "two spokes", "nodes": nodes}));
    assert_eq!(
        (&saved["own"], &saved["shared"], &saved["name"]),
        (&true.into(), &false.into(), &"Ours".into())
    );
    node.stop();
    node.restart();
    let http = node.http();
    let opened = open(&http, &saved["id"]);
    assert_eq!(opened["graph"], saved);
    let hub = opened["drawn"]["nodes"].as_array().expect("nodes").iter().find(|node| node["id"] == "hub");
    let hub = hub.expect("the hub");
    assert_eq!((&hub["x"], &hub["y"], &hub["pinned"]), (&(-40).into(), &17.into(), &true.into()));
    assert_eq!(
        opened["drawn"]["edges"].as_array().map(Vec::len),
        Some(3),
        "two spokes, and beside each other"
    );

    // Two who save over one version: the second is refused, and told what is there.
    let change = |version: &Value, name: &str| {
        http.post(&json!({"id": "graphSave:v1", "variables": {
            "id": saved["id"], "version": version, "name": name, "nodes": "hub\t0\t0",
        }}))
    };
    let changed = change(&saved["version"], "Changed").json()["data"]["graphSave"].clone();
    assert!(changed["version"].as_u64() > saved["version"].as_u64(), "{changed}");
    assert_eq!(changed["madeAt"], saved["madeAt"]);
    assert_eq!(change(&saved["version"], "Lost").code(), "superseded");
    assert_eq!(open(&http, &saved["id"])["graph"]["name"], "Changed");

    http.graphql("graphDelete:v1", json!({"id": saved["id"]}));
    assert_eq!(open(&http, &saved["id"]), Value::Null);
    assert!(http.list("graphs:v1", json!({}), "graphs").is_empty());
    node.stop_and_verify();
}

#[test]
fn a_graph_is_opened_by_who_may_see_all_that_its_maker_saw() {
    let node = Node::start();
    let mut secret = host("vault");
    secret["classification"] = "secret".into();
    import(&node, "hosts", &[host("gate"), host("yard"), secret, relation("feeds", "gate", "vault")]);
    let reader = node.http_as(&node.new_token(&["--role", "reader", "--purpose", "threat-intel"]));
    let other = node.http_as(&node.new_token(&["--role", "reader", "--purpose", "threat-intel"]));
    let owner = node.http();
    let names = |http: &Http| {
        let listed = http.list("graphs:v1", json!({}), "graphs");
        listed.iter().map(|graph| graph["name"].as_str().expect("a name").to_owned()).collect::<BTreeSet<_>>()
    };
    // What leads to something hidden leads nowhere, and no count tells otherwise.
    let degree = |http: &Http| add(http, &mut Canvas::default(), &["gate"])["nodes"][0]["degree"].clone();
    assert_eq!((degree(&reader), degree(&owner)), (0.into(), 1.into()));
    let mut canvas = Canvas(BTreeMap::from([("gate".to_owned(), (0, 0))]));
    assert_eq!(expand(&reader, &mut canvas, "gate", json!({}))["of"], 0);
    let own = save(&reader, json!({"name": "own", "nodes": "gate\t0\t0"}));
    let lent = save(&reader, json!({"name": "lent", "shared": true, "nodes": "gate\t0\t0\nyard\t300\t0"}));
    let mixed = save(&owner, json!({"name": "mixed", "shared": true, "nodes": "gate\t0\t0\nvault\t300\t0"}));
    assert_eq!(names(&reader), BTreeSet::from(["own".to_owned(), "lent".to_owned()]));
    assert_eq!(names(&other), BTreeSet::from(["lent".to_owned()]));
    assert_eq!(names(&owner), BTreeSet::from(["lent".to_owned(), "mixed".to_owned()]));
    assert_eq!((open(&other, &own["id"]), open(&other, &mixed["id"])), (Value::Null, Value::Null));
    // What is somebody else's is not changed; an admin lets go of it if he sees it.
    let refuse = |http: &Http, operation: &str, graph: &Value| {
        let variables =
            json!({"id": graph["id"], "version": graph["version"], "name": "taken", "nodes": "gate\t0\t0"});
        http.post(&json!({"id": operation, "variables": variables})).code()
    };
    assert_eq!(refuse(&other, "graphSave:v1", &lent), "not_yours");
    assert_eq!(refuse(&other, "graphSave:v1", &own), "not_found");
    assert_eq!(refuse(&other, "graphDelete:v1", &lent), "denied");
    assert_eq!(refuse(&other, "graphDelete:v1", &mixed), "not_found");
    // What became secret since is absent, and nothing tells that it was there.
    let mut later = host("yard");
    later["classification"] = "secret".into();
    import(&node, "hosts", &[later]);
    let opened = open(&other, &lent["id"]);
    assert_eq!(ids(&opened["drawn"]), BTreeSet::from(["gate"]), "{opened}");
    assert!(!opened.to_string().contains("yard"), "{opened}");
    assert_eq!(ids(&open(&owner, &lent["id"])["drawn"]), BTreeSet::from(["gate", "yard"]));
    owner.graphql("graphDelete:v1", json!({"id": lent["id"]}));
    assert!(names(&other).is_empty());
    // Who reads nothing keeps nothing.
    let writer = node.http_as(&node.new_token(&["--role", "writer", "--purpose", "threat-intel"]));
    assert_eq!(refuse(&writer, "graphSave:v1", &json!({})), "bad_request");
}

#[test]
fn what_is_too_much_is_refused_with_its_limit() {
    let node = Node::start();
    import(&node, "wheel", &[host("hub")]);
    let http = node.http();
    let refused = |id: &str, variables: Value| {
        let answer = http.post(&json!({"id": id, "variables": variables}));
        let message = answer.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
        (answer.code(), message)
    };
    let many: String = (0..=20_000).map(|n| format!("{n}\t0\t0\n")).collect();
    let (code, message) = refused("graphShow:v1", json!({"nodes": many}));
    assert!(code == "bad_request" && message.contains("20000"), "{code}: {message}");
    let many: Vec<String> = (0..=100).map(|n| n.to_string()).collect();
    let (code, message) = refused("graphAdd:v1", json!({"ids": many}));
    assert!(code == "bad_request" && message.contains("100"), "{code}: {message}");
    let (code, message) = refused("graphSave:v1", json!({"name": "x".repeat(201), "nodes": "hub\t0\t0"}));
    assert!(code == "invalid" && message.contains("200"), "{code}: {message}");
}
