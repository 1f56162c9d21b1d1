//! Live progress: what a stream tells of imports that run and end, to whom, and when it ends itself.

use std::io::{BufRead, BufReader, ErrorKind, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::http::Line;
use crate::node::Node;
use crate::session::signed_in;

/// Something that is to be told is told by then.
const PATIENCE: Duration = Duration::from_secs(10);
/// Streams of one principal, as the node allows them.
const STREAMS_MAX: usize = 16;

/// A stream of progress, read event by event.
pub(crate) struct Events {
    lines: BufReader<TcpStream>,
    /// The head of the answer.
    pub(crate) head: String,
    /// The id of the event that came last.
    last: String,
}

impl Events {
    /// Opens a stream with headers of its own.
    pub(crate) fn open(url: &str, headers: &[(&str, &str)]) -> Events {
        let mut line = Line::to(url);
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        assert!(
            line.say(&format!(
                "GET /api/v1/progress HTTP/1.1\r\nhost: node\r\nconnection: close\r\n{headers}\r\n"
            )),
            "it is sent"
        );
        let mut events = Events { lines: BufReader::new(line.0), head: String::new(), last: String::new() };
        while !events.head.ends_with("\r\n\r\n") {
            assert!(events.lines.read_line(&mut events.head).expect("a head") > 0, "{}", events.head);
        }
        events
    }

    fn of(node: &Node, token: &str) -> Events {
        Events::open(&node.url, &[("authorization", &format!("Bearer {token}"))])
    }

    fn after(node: &Node, last: &str) -> Events {
        let token = format!("Bearer {}", node.token);
        Events::open(&node.url, &[("authorization", &token), ("last-event-id", last)])
    }

    /// The next event's name and data; `None` at the end of the stream.
    pub(crate) fn next(&mut self) -> Option<(String, Value)> {
        let mut name = String::new();
        loop {
            let mut line = String::new();
            match self.lines.read_line(&mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing is told: {error}"),
            }
            match line.trim_end().split_once(": ") {
                Some(("event", value)) => value.clone_into(&mut name),
                Some(("id", value)) => value.clone_into(&mut self.last),
                Some(("data", value)) => {
                    return Some((name, serde_json::from_str(value).expect("a document")));
                }
                _ => {}
            }
        }
    }

    /// The data of the first event of that name that is as wanted.
    fn until(&mut self, wanted: &str, is: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.next().expect("the stream goes on") {
                (name, data) if name == wanted && is(&data) => return data,
                _ => {}
            }
        }
        panic!("`{wanted}` is not told as it should be");
    }

    /// Reads to the end, which must come soon.
    fn over(&mut self) {
        let begun = Instant::now();
        while self.next().is_some() {}
        assert!(begun.elapsed() < PATIENCE, "it ended after {:?}", begun.elapsed());
    }
}

/// An import whose body comes as slowly as the test likes.
struct Slow {
    line: Line,
    left: String,
}

impl Slow {
    fn begin(node: &Node, token: &str, source: &str, id: &str, things: usize) -> Slow {
        let things = (0..things).map(|number| {
            json!({"id": format!("{source}-{number}"), "type": "host", "attributes": {"note": "x".repeat(400)}}).to_string()
        });
        let body = things.collect::<Vec<_>>().join("\n");
        let mut line = Line::to(&node.url);
        let query = format!(
            "format=jsonl&source={source}&purpose=threat-intel&licence=MIT-OK&classification=public&name={source}.jsonl"
        );
        let head = format!(
            "POST /api/v1/import?{query} HTTP/1.1\r\nhost: node\r\nauthorization: Bearer {token}\r\nx-request-id: {id}\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        assert!(line.say(&head), "it is sent");
        let middle = body.len() / 2;
        line.0.write_all(&body.as_bytes()[..middle]).expect("half of it is sent");
        Slow { line, left: body[middle..].to_owned() }
    }

    /// Sends a quarter of what is left, after a while in which what was sent becomes durable.
    fn more(&mut self) {
        std::thread::sleep(Duration::from_secs(1));
        let rest = self.left.split_off(self.left.len() / 4);
        self.line.0.write_all(self.left.as_bytes()).expect("more of it is sent");
        self.left = rest;
    }

    fn end(mut self) -> Value {
        self.line.0.write_all(self.left.as_bytes()).expect("the rest is sent");
        let answer = self.line.answer();
        serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("a summary")
    }
}

#[test]
fn an_import_is_told_as_it_goes_and_as_it_ends() {
    let mut node = Node::start();
    let mut events = Events::of(&node, &node.token);
    assert!(
        events.head.starts_with("HTTP/1.1 200") && events.head.contains("text/event-stream"),
        "{}",
        events.head
    );
    let (name, first) = events.next().expect("the present state, at once");
    assert_eq!((name.as_str(), &first["runs"]), ("progress", &json!([])), "{first}");
    assert_eq!(first["followers"][0]["name"], "text", "{first}");

    let mut import = Slow::begin(&node, &node.token, "slowly", "request-of-mine", 20_000);
    let going = events.until("progress", |state| state["runs"][0]["read"].as_u64() > Some(5_000));
    let run = &going["runs"][0];
    assert_eq!(
        (&run["source"], &run["phase"], &run["request"], &run["file"]),
        (&json!("slowly"), &json!("reading"), &json!("request-of-mine"), &json!("slowly.jsonl")),
        "{run}"
    );
    assert!(run["seconds_left"].as_u64().is_some() && run["bytes_per_second"].as_u64() > Some(0), "{run}");
    let (read, of) = (run["bytes_read"].as_u64().expect("bytes"), run["bytes"].as_u64().expect("bytes"));
    assert!(read * 3 > of && read * 3 < of * 2, "about half of it: {run}");
    import.more();
    events.until("progress", |state| state["runs"][0]["created"].as_u64() > Some(0));

    let summary = import.end();
    let ended = events.until("ended", |_| true);
    assert_eq!(
        (&ended["run"], &ended["state"], &ended["read"], &ended["created"], &ended["rejected"]),
        (&summary["run"], &json!("complete"), &json!(20_000), &json!(20_000), &json!(0)),
        "{ended}"
    );
    let found = |state: &Value| {
        state["lsn"] == state["followers"][0]["lsn"] && state["lsn"].as_u64() >= summary["lsn"].as_u64()
    };
    assert_eq!(events.until("progress", found)["runs"], json!([]));
    node.stop_and_verify();
}

#[test]
fn who_comes_back_misses_no_ending() {
    let mut node = Node::start();
    let mut events = Events::of(&node, &node.token);
    events.next().expect("the present state");
    drop(Slow::begin(&node, &node.token, "first", "request-one", 10).end());
    events.until("ended", |ended| ended["source"] == "first");
    events.until("progress", |state| state["runs"] == json!([]));
    let last = events.last.clone();
    drop(events);

    for source in ["second", "third"] {
        Slow::begin(&node, &node.token, source, "request-two", 10).end();
    }
    let _cut = Slow::begin(&node, &node.token, "cut", "request-three", 20_000);
    let mut watching = Events::of(&node, &node.token);
    watching.until("progress", |state| state["runs"][0]["source"] == "cut");
    node.kill();
    watching.over();
    node.restart();

    let mut back = Events::after(&node, &last);
    let mut ended = Vec::new();
    let state = loop {
        match back.next().expect("the stream goes on") {
            (name, data) if name == "ended" => ended.push((data["source"].clone(), data["state"].clone())),
            (_, data) => break data,
        }
    };
    let first = (json!("first"), json!("complete"));
    // What ended in the moment that the last event was of may be told again.
    ended.retain(|one| *one != first);
    let told: Vec<_> = [("second", "complete"), ("third", "complete"), ("cut", "interrupted")]
        .map(|(source, state)| (json!(source), json!(state)))
        .into();
    assert_eq!(ended, told);
    assert_eq!(state["runs"], json!([]), "{state}");

    let (name, _) = Events::of(&node, &node.token).next().expect("the present state");
    assert_eq!(name, "progress", "who comes for the first time is told of nothing old");
    let refused = Events::after(&node, "yesterday");
    assert!(refused.head.starts_with("HTTP/1.1 400"), "{}", refused.head);
}

#[test]
fn a_run_is_told_to_who_is_shown_it_in_the_list() {
    let node = Node::start();
    // Who sees everything is shown every run.
    let secret = node.write("secret.jsonl", json!({"id": "vault", "type": "host"}).to_string());
    node.import(&secret, "jsonl", "sealed", &["--classification", "secret"]).ok();
    let analyst =
        node.new_token(&["--role", "analyst", "--purpose", "threat-intel", "--clearance", "public"]);
    let reader = node.new_token(&["--role", "reader", "--purpose", "threat-intel"]);
    let (mut of_analyst, mut of_reader) = (Events::of(&node, &analyst), Events::of(&node, &reader));
    let mut of_owner = Events::of(&node, &node.token);

    let owners = Slow::begin(&node, &node.token, "owners", "request-owner", 6_000);
    of_owner.until("progress", |state| state["runs"][0]["request"] == "request-owner");
    let analysts = Slow::begin(&node, &analyst, "analysts", "request-analyst", 6_000);
    let both =
        of_owner.until("progress", |state| state["runs"].as_array().is_some_and(|runs| runs.len() == 2));
    assert_eq!(both["runs"][1]["request"], Value::Null, "by which request others come is theirs: {both}");
    let own =
        of_analyst.until("progress", |state| state["runs"].as_array().is_some_and(|runs| !runs.is_empty()));
    assert_eq!(
        (own["runs"].as_array().map(Vec::len), &own["runs"][0]["source"]),
        (Some(1), &json!("analysts"))
    );
    owners.end();
    analysts.end();
    assert_eq!(of_analyst.until("ended", |_| true)["source"], "analysts");
    assert_eq!(of_owner.until("ended", |_| true)["source"], "owners");

    let last = node.http().graphql("node:v1", json!({}))["node"]["lsn"].as_u64();
    let mut told = String::new();
    loop {
        let (name, data) = of_reader.next().expect("the stream goes on");
        told.push_str(&format!("{name} {data}\n"));
        if data["lsn"].as_u64() >= last {
            break;
        }
    }
    assert!(!told.contains("owners") && !told.contains("analysts") && !told.contains("ended"), "{told}");
}

#[test]
fn a_stream_ends_with_the_right_to_it_and_with_the_node() {
    let mut node = Node::start();
    let made = node.cli(&["token", "create", "--role", "reader", "--purpose", "threat-intel"]).ok();
    let (id, token) = (made["id"].as_str().expect("an id"), made["token"].as_str().expect("a token"));
    let cookie = signed_in(&node, &json!({"token": token}));
    let mut of_session = Events::open(&node.url, &[("cookie", &cookie)]);
    let mut of_token = Events::of(&node, token);
    for events in [&mut of_session, &mut of_token] {
        events.next().expect("the present state");
    }
    let own_page = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin"), ("x-ig-csrf", "1")];
    assert_eq!(node.http().send(Method::DELETE, "/api/v1/session", &own_page, Vec::new()).status, 204);
    of_session.over();
    node.cli(&["token", "revoke", id]).ok();
    of_token.over();
    assert!(Events::of(&node, token).head.starts_with("HTTP/1.1 401"));

    let mut of_owner = Events::of(&node, &node.token);
    of_owner.next().expect("the present state");
    let begun = Instant::now();
    node.signal(rustix::process::Signal::TERM);
    of_owner.over();
    assert!(begun.elapsed() < Duration::from_secs(3), "a drain waits for no stream: {:?}", begun.elapsed());
    node.stop();
}

#[test]
fn one_token_has_so_many_streams_and_gets_them_back() {
    let node = Node::start();
    let reader = node.new_token(&["--role", "reader", "--purpose", "threat-intel"]);
    let mut held: Vec<_> = (0..STREAMS_MAX).map(|_| Events::of(&node, &reader)).collect();
    assert!(held.iter().all(|events| events.head.starts_with("HTTP/1.1 200")));
    let refused = node.http_as(&reader).get("/api/v1/progress");
    assert_eq!((refused.status, refused.code().as_str()), (429, "streams_limited"), "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(Events::of(&node, &node.token).head.starts_with("HTTP/1.1 200"), "others are not held up");
    held.pop();
    let begun = Instant::now();
    while !Events::of(&node, &reader).head.starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < PATIENCE, "the place comes back");
        std::thread::sleep(Duration::from_millis(50));
    }
}
