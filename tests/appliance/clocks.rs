//! The clock jumps, between requests and in the middle of them, by seconds and by years, back and forth. What was acknowledged
//! is there, nothing is purged, no right that was over comes back, and somebody can always get in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde_json::{Value, json};

use crate::campaign::{self, Campaign, Counts};
use crate::data::{self, Made};
use crate::http::Answer;
use crate::kills::clock;
use crate::node::Node;
use crate::seed::Seeded;
use crate::session;

const CLOCKS: Campaign = Campaign { name: "clocks", unit: "jumps", per_seed: 10 };
const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;
const YEAR_S: i64 = 365 * DAY_S;
/// As far as the clock goes from the right time, either way.
const AHEAD_MAX_S: i64 = 40 * YEAR_S;
/// A token that lasts longer than the test.
const LONG_S: i64 = 300 * DAY_S;
/// No token is granted for longer.
const GRANTED_MAX_S: i64 = 366 * DAY_S;

/// A node whose clock is set, and what it has acknowledged.
struct Life {
    node: Node,
    clock: PathBuf,
    /// Seconds that its clock is ahead.
    ahead_s: i64,
    /// The clock when it was last believed, seconds since 1970, and how late that could have been meanwhile.
    seen_s: (i64, i64),
    /// Of a session that a link of the node's machine opened after the last jump: one gets in whatever became of tokens.
    cookie: String,
    imports: Vec<Import>,
    tokens: Vec<Token>,
    /// What a request with a key was answered, and when.
    keyed: Option<(String, i64)>,
}

struct Import {
    made: Made,
    /// Recorded by then, as the node says.
    ended: String,
}

struct Token {
    text: String,
    id: String,
    expires_s: i64,
    revoked: bool,
}

#[test]
fn a_clock_that_jumps_loses_nothing_and_revives_nothing() {
    let place = tempfile::tempdir().expect("a directory");
    let Some(library) = library(place.path()) else { return };
    let met = CLOCKS.run(clock(), CLOCKS.per_seed, 1, &|seed| Ok(live(&library, seed)));
    assert!(met["imports"] > 0 && met["distrusted"] > 0, "{met:?}");
}

fn live(library: &Path, seed: u64) -> Counts {
    let mut random = Seeded::new(seed, 19);
    let mut life = Life::begin(library);
    let mut met = campaign::counts([("imports", 0), ("refused_tokens", 0), ("distrusted", 0)]);
    let mut add = |what: &str, n: u64| *met.entry(what.to_owned()).or_default() += n;
    for round in 0..CLOCKS.per_seed {
        let jump_s = draw_jump(&mut random);
        life.act(round, jump_s, &mut random);
        if random.one_in(3) {
            life.node.kill();
            life.node.restart();
        }
        life.everything_is_there();
        add("refused_tokens", life.tokens_are_judged());
        add("distrusted", u64::from(life.purges_nothing()));
        life.keyed_is_done_once();
        add("jumps", 1);
    }
    add("imports", life.imports.len() as u64);
    life.node.stop_and_verify();
    met
}

/// Seconds to years, forward and back.
fn draw_jump(random: &mut Seeded) -> i64 {
    let most_s = [5, HOUR_S, 23 * HOUR_S, 2 * DAY_S, 40 * DAY_S, YEAR_S, 20 * YEAR_S][random.below(7)];
    let jump_s = 1 + random.below(most_s as usize) as i64;
    if random.one_in(2) { jump_s } else { -jump_s }
}

impl Life {
    fn begin(library: &Path) -> Life {
        let clock = library.with_extension("clock");
        fs::write(&clock, 0_i64.to_ne_bytes()).expect("a file");
        let variables =
            [format!("LD_PRELOAD={}", library.display()), format!("FAKE_CLOCK={}", clock.display())];
        let node = Node::start_under(&["/usr/bin/env", &variables[0], &variables[1]], &[]);
        let now_s = now_s();
        let (cookie, imports, tokens, keyed) = Default::default();
        let mut life =
            Life { node, clock, ahead_s: 0, seen_s: (now_s, now_s), cookie, imports, tokens, keyed };
        // The owner's own token would end in thirty days.
        let long = life.create_token("owner", LONG_S);
        life.node.token = long["token"].as_str().expect("a token").to_owned();
        life.jump(0);
        life.purges_nothing();
        life
    }

    /// What the node's clock shows.
    fn now_s(&self) -> i64 {
        now_s() + self.ahead_s
    }

    fn jump(&mut self, jump_s: i64) {
        self.ahead_s = (self.ahead_s + jump_s).clamp(-AHEAD_MAX_S, AHEAD_MAX_S);
        // In place: the node has the file's page.
        let file = fs::File::options().write(true).open(&self.clock).expect("the clock");
        std::os::unix::fs::FileExt::write_all_at(&file, &self.ahead_s.to_ne_bytes(), 0).expect("the clock");
        let (now_s, (_, latest_s)) = (self.now_s(), self.seen_s);
        if (now_s - latest_s).abs() <= DAY_S {
            self.seen_s.1 = latest_s.max(now_s);
        }
        self.cookie = session::signed_in(&self.node, &json!({"code": session::owner_code(&self.node)}));
        let answer = session::ask(&self.node.http(), &self.cookie);
        assert_eq!(answer.status, 200, "nobody gets in, ahead by {} s: {answer:?}", self.ahead_s);
    }

    /// By which time the node judges rights, at the least and at the most.
    fn judged_s(&self) -> (i64, i64) {
        (self.now_s().max(self.seen_s.0), self.now_s().max(self.seen_s.1))
    }

    /// Something is written while the clock jumps; whoever has no right any more by then writes nothing.
    fn act(&mut self, round: u64, jump_s: i64, random: &mut Seeded) {
        let made = data::jsonl(&format!("r{round}"), 60 + random.below(600));
        let file = self.node.write("ring.jsonl", &made.text);
        let mut command = self.node.command(
            &self.node.token,
            &crate::node::import_args(&file, "jsonl", "feed", &["--retention", "standard-365d"]),
        );
        let importing = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
        let importing = importing.spawn().expect("the program starts");
        std::thread::sleep(Duration::from_millis(random.below(120) as u64));
        self.jump(jump_s);
        let done = importing.wait_with_output().expect("a child");
        if done.status.success() {
            self.imports.push(Import { made, ended: self.last_run_ended() });
        }
        let expires_s = self.judged_s().1 + [HOUR_S, 20 * DAY_S][random.below(2)];
        // By a clock that went back it may be too far off to be granted.
        if self.is_owner() && expires_s - self.now_s() <= GRANTED_MAX_S {
            let token = self.create_token("reader", expires_s - self.now_s());
            let of = |field: &str| token[field].as_str().expect("text").to_owned();
            let mut token = Token { text: of("token"), id: of("id"), expires_s, revoked: false };
            if random.one_in(3) {
                self.node.http().graphql("tokenRevoke:v1", json!({"id": token.id}));
                token.revoked = true;
            }
            self.tokens.push(token);
        }
    }

    /// By the session.
    fn ask(&self, body: &Value) -> Answer {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("content-type", "application/json"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.node.http().send(Method::POST, "/graphql", &headers, body.to_string().into_bytes())
    }

    fn data(&self, id: &str, variables: Value) -> Value {
        let answer = self.ask(&json!({"id": id, "variables": variables}));
        let document = answer.json();
        assert!(document["errors"].is_null(), "{id}, ahead by {} s: {document}", self.ahead_s);
        document["data"].clone()
    }

    fn last_run_ended(&self) -> String {
        let runs = self.data("runs:v1", json!({"first": 1}));
        runs["runs"]["edges"][0]["node"]["ended"].as_str().expect("it has ended").to_owned()
    }

    /// Now, and as of the end of its import.
    fn everything_is_there(&self) {
        for import in &self.imports {
            for id in [&import.made.entities[0], &import.made.word_in] {
                for as_of in [Value::Null, json!(import.ended)] {
                    let found = self.data("entity:v1", json!({"id": id, "asOf": as_of}));
                    assert_eq!(found["entity"]["id"], **id, "ahead by {} s, as of {as_of}", self.ahead_s);
                }
            }
        }
    }

    /// How many are refused.
    fn tokens_are_judged(&self) -> u64 {
        let ((least_s, most_s), mut refused) = (self.judged_s(), 0);
        for token in &self.tokens {
            let status = self.node.http_as(&token.text).post(&json!({"id": "node:v1"})).status;
            refused += u64::from(status == 401);
            let what =
                format!("ahead by {} s, seen {:?}, ends {}", self.ahead_s, self.seen_s, token.expires_s);
            if token.revoked || least_s >= token.expires_s {
                assert_eq!(status, 401, "a right that is over came back: {}, {what}", token.id);
            } else if most_s + 5 < token.expires_s {
                assert_eq!(status, 200, "a right that is not over is gone: {}, {what}", token.id);
            }
        }
        refused
    }

    /// Whether the clock was not believed.
    fn purges_nothing(&mut self) -> bool {
        let answer = self.ask(&json!({"id": "purge:v1", "variables": {}}));
        let (document, now_s) = (answer.json(), self.now_s());
        if answer.code() == "clock_jumped" {
            assert!((now_s - self.seen_s.0).abs() > DAY_S - 5, "ahead by {} s: {document}", self.ahead_s);
            return true;
        }
        assert_eq!(document["data"]["purge"]["records"], 0, "ahead by {} s: {document}", self.ahead_s);
        self.seen_s = (self.seen_s.0.max(now_s), self.seen_s.1.max(now_s));
        false
    }

    /// The same request again and again, for a day of a clock that is believed.
    fn keyed_is_done_once(&mut self) {
        let Some(import) = self.imports.first().filter(|_| self.is_owner()) else { return };
        let latest_s = self.seen_s.1.max(self.now_s().min(self.seen_s.0 + DAY_S));
        let known = self.keyed.take().filter(|(_, at_s)| latest_s - at_s < DAY_S);
        let at_s = known.as_ref().map_or(self.now_s(), |(_, at_s)| *at_s);
        let nodes = format!("{}\t0\t0\n", import.made.entities[0]);
        let save =
            json!({"id": "graphSave:v1", "variables": {"nodes": nodes, "name": "kept", "shared": true}});
        let (bearer, key) = (format!("Bearer {}", self.node.token), at_s.to_string());
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key.as_str()),
        ];
        let answer = self.node.http().send(Method::POST, "/graphql", &headers, save.to_string().into_bytes());
        let saved = answer.json()["data"]["graphSave"]["id"].to_string();
        assert_ne!(saved, "null", "ahead by {} s: {answer:?}", self.ahead_s);
        if let Some((before, _)) = known {
            assert_eq!(saved, before, "done twice, ahead by {} s, seen {:?}", self.ahead_s, self.seen_s);
        }
        self.keyed = Some((saved, at_s));
    }

    /// Whether the owner's own token is not over.
    fn is_owner(&self) -> bool {
        self.judged_s().1 < now_s() + LONG_S - HOUR_S
    }

    fn create_token(&self, role: &str, lasts_s: i64) -> Value {
        let expires = jiff::Timestamp::from_second(self.now_s() + lasts_s).expect("a time").to_string();
        let wanted = json!({"role": role, "clearance": "secret", "expiresAt": expires});
        let made = self.node.http().graphql("tokenCreate:v1", wanted);
        made["tokenCreate"].clone()
    }
}

fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64
}

/// The library that stands between the node and its clock. `None` without a compiler for C.
fn library(place: &Path) -> Option<PathBuf> {
    let library = place.join("clock.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/appliance/clocks/clock.c");
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).status();
    if !built.is_ok_and(|status| status.success()) {
        println!("skipped: there is no compiler for C");
        return None;
    }
    Some(library)
}
