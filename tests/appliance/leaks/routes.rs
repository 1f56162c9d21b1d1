//! Probes of every route, read from the page that declares them.

use reqwest::Method;

use super::Findings;
use super::answers::{lasting_headers, lasting_text};
use super::world::{Asker, JUDGED, World, judged};
use crate::http::Http;
use crate::progress::Events;
use crate::seed::Seeded;

const ROUTES: &str = include_str!("../../../src/gateway/routes.rs");
/// How often each route is asked by each asker.
const ROUNDS: usize = 8;

pub(super) fn probe(world: &World, random: &mut Seeded, findings: &mut Findings) {
    let mut routes = declared();
    // Before anybody has imports of his own, whose sources he named himself.
    routes.sort_by_key(|route| *route != "/api/v1/progress");
    for route in routes {
        for asker in &world.askers {
            let client = world.node.http_as(&asker.token);
            for _ in 0..ROUNDS {
                one(world, asker, &client, route, random, findings);
            }
        }
    }
}

fn declared() -> Vec<&'static str> {
    let routes: Vec<_> =
        ROUTES.split(".route(").skip(1).filter_map(|route| route.split('"').nth(1)).collect();
    assert!(routes.len() > 5, "routes are declared otherwise than they were: {routes:?}");
    routes
}

fn one(
    world: &World,
    asker: &Asker,
    client: &Http,
    route: &str,
    random: &mut Seeded,
    findings: &mut Findings,
) {
    let token = format!("Bearer {}", asker.token);
    let headers = [("authorization", token.as_str())];
    let number = random.below(24);
    let (method, path, body) = match route {
        // Asked by the probes of operations.
        "/graphql" => return,
        "/" | "/healthz" | "/readyz" | "/metrics" => (Method::GET, route.to_owned(), String::new()),
        "/-/{*page}" | "/t/{*page}" | "/assets/{file}" => {
            let (id, _) = world.known_in_tenant(asker, random);
            let (before, _) = route.split_once('{').expect("a variable");
            (Method::GET, format!("{before}{id}"), String::new())
        }
        "/api/v1/ledger/entries" => (Method::GET, format!("{route}?size={number}"), String::new()),
        "/api/v1/imports/{run}/rejects" => {
            (Method::GET, route.replace("{run}", &number.to_string()), String::new())
        }
        "/api/v1/backup" => (Method::POST, route.to_owned(), String::new()),
        "/api/v1/scrub" | "/api/v1/index/vectors" => {
            let method = if random.one_in(2) { Method::POST } else { Method::GET };
            (method, route.to_owned(), String::new())
        }
        "/api/v1/models" => {
            let method = if random.one_in(2) { Method::POST } else { Method::GET };
            (method, route.to_owned(), String::new())
        }
        "/api/v1/models/{name}" => (Method::DELETE, route.replace("{name}", "one"), String::new()),
        "/api/v1/models/{name}/verify" => (Method::POST, route.replace("{name}", "one"), String::new()),
        "/api/v1/export" => return export(world, asker, client, random, findings),
        "/api/v1/session" => (Method::GET, route.to_owned(), String::new()),
        "/api/v1/progress" => return watch(world, asker, random, findings),
        "/api/v1/events" => return event(world, asker, client, random, findings),
        "/api/v1/import" => return import(world, asker, client, random, findings),
        "/api/v1/search/tune" => return tune(world, asker, client, random, findings),
        "/api/v1/import/preview" => return preview(world, asker, client, random, findings),
        other => panic!("the route `{other}` has no probe; add one"),
    };
    let answer = client.send(method, &path, &headers, body.into_bytes());
    let told =
        format!("{}\n{}\n{}", answer.status, lasting_headers(&answer.headers), lasting_text(&answer.body));
    findings.judge(world, asker, &format!("route {route}"), &[], &told);
}

/// An import may be refused because of what it may not see, and must not say what that is. Only what is known in the
/// tenant is named: another name would be taken, and be the asker's own from then on.
fn import(world: &World, asker: &Asker, client: &Http, random: &mut Seeded, findings: &mut Findings) {
    let token = format!("Bearer {}", asker.token);
    let (id, source) = world.known_in_tenant(asker, random);
    let lines = [
        format!(r#"{{"id":"{}","type":"mine"}}"#, id),
        format!(r#"{{"relation":"mine","from":"{}","to":"nowhere"}}"#, id),
    ];
    for (source, line) in [(&source, &lines[0]), (&"probes".to_owned(), &lines[1])] {
        let path = format!(
            "/api/v1/import?format=jsonl&source={source}&purpose=demo&licence=MIT-OK&classification=public"
        );
        let headers = [("authorization", token.as_str()), ("content-type", "application/x-ndjson")];
        let answer = client.send(Method::POST, &path, &headers, line.clone().into_bytes());
        let told = format!("{}\n{}", answer.status, answer.body).replace(source.as_str(), "SOURCE");
        findings.judge(world, asker, "route /api/v1/import", &[&id], &told);
    }
}

/// The stream tells at once of what is going; and of every run that ever ended, to who says that he knows of none.
fn watch(world: &World, asker: &Asker, random: &mut Seeded, findings: &mut Findings) {
    let token = format!("Bearer {}", asker.token);
    let headers = [("authorization", token.as_str()), ("last-event-id", "0")];
    let mut events = Events::open(&world.node.url, &headers[..1 + random.below(2)]);
    let mut told = events.head.clone();
    while let Some((name, data)) = events.next() {
        told.push_str(&format!("{name} {data}\n"));
        if name == "progress" {
            break;
        }
    }
    findings.judge(world, asker, "route /api/v1/progress", &[], &told);
}

/// What leaves in a file is what may be seen; a source of which nothing may be seen is none, and so are words.
fn export(world: &World, asker: &Asker, client: &Http, random: &mut Seeded, findings: &mut Findings) {
    let token = format!("Bearer {}", asker.token);
    let format = ["stix", "jsonl", "csv"][random.below(3)];
    let (name, word) = match random.below(3) {
        0 => ("none", None),
        1 => ("source", Some(world.source(asker, random))),
        _ => ("query", Some(world.word(asker, random, &["text", "name", "value"]))),
    };
    let ask = |word: &str| {
        let path = format!("/api/v1/export?format={format}&{name}={word}").replace("&none=", "");
        let answer = client.send(Method::GET, &path, &[("authorization", token.as_str())], Vec::new());
        // A bundle is called by what was asked for.
        let lines = answer.body.lines().filter(|line| !line.contains("\"type\":\"bundle\""));
        let body: String = lines.collect::<Vec<_>>().join("\n");
        format!("{}\n{}\n{}", answer.status, lasting_headers(&answer.headers), lasting_text(&body))
    };
    let probe = "route /api/v1/export";
    let text = word.as_ref().map_or("", |word| word.text.as_str());
    findings.judge(
        world,
        asker,
        probe,
        &[text].map(|text| if text.is_empty() { "ASKED" } else { text }),
        &ask(text),
    );
    if let Some(absent) = word.as_ref().and_then(|word| word.absent.as_ref()) {
        findings.compare(asker, probe, text, absent, &ask);
    }
}

/// A preview answers with what was sent and nothing else: the table here holds no word of anybody, so none comes back, and the
/// source that it names need not be there.
fn preview(world: &World, asker: &Asker, client: &Http, random: &mut Seeded, findings: &mut Findings) {
    let token = format!("Bearer {}", asker.token);
    let source = world.source(asker, random);
    let ask = |source: &str| {
        let path = format!("/api/v1/import/preview?format=csv&name=mine.csv&source={source}");
        let headers = [("authorization", token.as_str()), ("content-type", "text/csv")];
        let answer = client.send(Method::POST, &path, &headers, b"id,name\n1,mine\n2,also mine\n".to_vec());
        format!("{}\n{}", answer.status, lasting_text(&answer.body))
    };
    let probe = "route /api/v1/import/preview";
    findings.judge(world, asker, probe, &[], &ask(&source.text));
    if let Some(absent) = source.absent {
        findings.compare(asker, probe, &source.text, &absent, &ask);
    }
}

/// What is hidden is worth to a query what nothing is worth.
fn tune(world: &World, asker: &Asker, client: &Http, random: &mut Seeded, findings: &mut Findings) {
    let token = format!("Bearer {}", asker.token);
    let word = world.word(asker, random, JUDGED);
    let ask = |word: &str| {
        let headers = [("authorization", token.as_str())];
        let answer = client.send(Method::POST, "/api/v1/search/tune", &headers, judged(word).into_bytes());
        format!("{}\n{}", answer.status, lasting_text(&answer.body))
    };
    let probe = "route /api/v1/search/tune";
    findings.judge(world, asker, probe, &[&word.text], &ask(&word.text));
    if let Some(absent) = word.absent {
        findings.compare(asker, probe, &word.text, &absent, &ask);
    }
}

/// So may an event, which is all or nothing.
fn event(world: &World, asker: &Asker, client: &Http, random: &mut Seeded, findings: &mut Findings) {
    let token = format!("Bearer {}", asker.token);
    let (id, source) = world.known_in_tenant(asker, random);
    let data = [
        format!(r#"{{"id":"{id}","type":"mine"}}"#),
        format!(r#"{{"relation":"mine","from":"{id}","to":"nowhere"}}"#),
    ];
    for (number, data) in data.iter().enumerate() {
        let event = format!(
            r#"{{"specversion":"1.0","type":"probe","source":"probes","id":"{number}","datacontenttype":"application/json","data":{data}}}"#
        );
        let headers = [("authorization", token.as_str()), ("content-type", "application/cloudevents+json")];
        let path = format!("/api/v1/events?source={source}");
        let answer = client.send(Method::POST, &path, &headers, event.into_bytes());
        let told = format!("{}\n{}", answer.status, answer.body);
        findings.judge(world, asker, "route /api/v1/events", &[&id, &source], &told);
    }
}
