//! Bearer tokens of an outside issuer, which is a real one: `oidc-provider` (`tests/judges/web`).
//!
//! Where it is not installed the tests say so and pass; with `INTELGRAPH_JUDGES_REQUIRED` they fail, since a test that
//! nobody ran proves nothing. `INTELGRAPH_JUDGES_WEB` names the directory that has it in its `node_modules`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::authority::Authority;
use crate::http::{Answer, Http};
use crate::node::{Node, Ran};

const AUDIENCE: &str = "https://graph.example";
/// A node that asks again every few seconds has heard of its issuer by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// An issuer that runs; it ends with its input.
struct Provider {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    url: String,
    http: Http,
}

impl Provider {
    fn start(port: u16) -> Option<Provider> {
        Provider::start_behind(port, None)
    }

    /// Behind TLS, if somebody vouches for it.
    fn start_behind(port: u16, authority: Option<&Authority>) -> Option<Provider> {
        let script = installed()?;
        let pair = authority.map(|authority| [authority.path("cert.pem"), authority.path("key.pem")]);
        let mut process = Command::new("node")
            .arg(script)
            .arg(port.to_string())
            .args(pair.into_iter().flatten())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take().expect("piped"));
        let mut provider = Provider {
            process,
            stdin,
            stdout: BufReader::new(stdout),
            url: String::new(),
            http: Http::new("", ""),
        };
        provider.url = provider.line();
        provider.http = match authority {
            Some(authority) => Http::with(authority.client(), &provider.url, ""),
            None => Http::new(&provider.url, ""),
        };
        Some(provider)
    }

    fn line(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.stdout.read_line(&mut line).expect("stdout") > 0, "the issuer went away");
            // It warns on its output as well.
            if line.starts_with("http") || line.starts_with("rotated") {
                return line.trim().to_owned();
            }
        }
    }

    /// Makes the issuer forget its keys and sign with new ones.
    fn rotate(&mut self) {
        writeln!(self.stdin.as_mut().expect("open"), "rotate").expect("the issuer listens");
        assert_eq!(self.line(), "rotated");
    }

    fn token_for(&self, client: &str, audience: &str) -> String {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret=only-for-tests&resource={audience}\
             &scope=graph.read"
        );
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.http.send(Method::POST, "/token", &headers, form.into_bytes());
        let document = answer.json();
        document["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer:?}")).to_owned()
    }

    fn token(&self, client: &str) -> String {
        self.token_for(client, AUDIENCE)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn installed() -> Option<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/web");
    let place = std::env::var_os("INTELGRAPH_JUDGES_WEB").map_or_else(|| sources.clone(), PathBuf::from);
    if !place.join("node_modules/oidc-provider").is_dir() {
        assert!(
            std::env::var_os("INTELGRAPH_JUDGES_REQUIRED").is_none(),
            "no oidc-provider in `{}`; run `tests/run.sh setup`",
            place.display()
        );
        println!("skipped: no oidc-provider in `{}`", place.display());
        return None;
    }
    let script = place.join("oidc.mjs");
    if place != sources {
        std::fs::copy(sources.join("oidc.mjs"), &script).expect("a place for the judge");
    }
    Some(script)
}

fn settings(issuer: &str) -> String {
    format!(
        "[oidc]\nissuer = '{issuer}'\naudience = '{AUDIENCE}'\ntenant = 'default'\npurposes = ['threat-intel']\n\
         [[oidc.grants]]\nclaim = 'groups'\nvalue = 'sensors'\nrole = 'analyst'\nclearance = 'internal'\n\
         [[oidc.grants]]\nclaim = 'groups'\nvalue = 'probes'\ntenant = 'nowhere'\n"
    )
}

fn ask(node: &Node, token: &str) -> Answer {
    node.http_as(token).get("/api/v1/session")
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{answer:?}");
}

#[test]
fn an_outside_issuer_lets_in_whom_the_configuration_says() {
    let Some(provider) = Provider::start(0) else { return };
    let mut node = Node::start_configured(&settings(&provider.url));
    let feed = ask(&node, &provider.token("feed")).json();
    assert_eq!(
        (&feed["role"], &feed["clearance"], &feed["tenant"], &feed["purposes"], &feed["by"]),
        (&json!("reader"), &json!("public"), &json!("default"), &json!(["threat-intel"]), &json!("issuer")),
        "{feed}"
    );
    let token = provider.token("sensor");
    let sensor = ask(&node, &token).json();
    assert_eq!((&sensor["role"], &sensor["clearance"]), (&json!("analyst"), &json!("internal")), "{sensor}");
    refused(&ask(&node, &provider.token("probe")), 403, "no_tenant");
    refused(&ask(&node, &provider.token_for("feed", "https://other.example")), 401, "unauthorized");

    // Who comes again is the same actor, and no new record.
    let lsn = || node.http().graphql("node:v1", json!({}))["node"]["lsn"].as_u64();
    let before = lsn();
    assert_eq!(ask(&node, &provider.token("sensor")).json()["token"], sensor["token"]);
    assert_eq!(lsn(), before);
    assert_ne!(feed["token"], sensor["token"]);

    // It does what its role does, by the commands as well; and no session or link is made of it.
    let file = node.write("a.jsonl", json!({"id": "a", "type": "host"}).to_string());
    node.cli_as(&token, &crate::node::import_args(&file, "jsonl", "s", &[])).ok();
    node.cli_as(&token, &["entity", "get", "a"]).ok();
    node.cli_as(&token, &["token", "list"]).failed(1, "denied");
    node.cli_as(&token, &["token", "link"]).failed(1, "denied");
    let shows = json!({"token": token}).to_string().into_bytes();
    let headers = [("content-type", "application/json")];
    refused(&node.http().send(Method::POST, "/api/v1/session", &headers, shows), 401, "unauthorized");
    let elsewhere = [("authorization", format!("Bearer {token}")), ("x-ig-tenant", "other".to_owned())];
    let elsewhere: Vec<_> = elsewhere.iter().map(|(name, value)| (*name, value.as_str())).collect();
    refused(&node.http().send(Method::GET, "/api/v1/session", &elsewhere, Vec::new()), 404, "not_found");
    let log = node.log();
    assert!(!log.contains(&token), "no token is logged");
    node.stop_and_verify();
}

#[test]
fn who_is_denied_is_out_at_once() {
    let Some(provider) = Provider::start(0) else { return };
    let mut node = Node::start_configured(&settings(&provider.url));
    let (first, second) = (provider.token("sensor"), provider.token("sensor"));
    assert_eq!((ask(&node, &first).status, ask(&node, &second).status), (200, 200));
    let payload = first.split('.').nth(1).expect("three parts");
    let payload: Value = serde_json::from_slice(&base64(payload)).expect("JSON");
    let jti = payload["jti"].as_str().expect("an id");
    assert_eq!(node.cli(&["token", "deny", "--jti", jti]).ok()["changed"], true);
    refused(&ask(&node, &first), 401, "unauthorized");
    assert_eq!(ask(&node, &second).status, 200);

    assert_eq!(node.cli(&["token", "deny", "--subject", "sensor"]).ok()["changed"], true);
    assert_eq!(node.cli(&["token", "deny", "--subject", "sensor"]).ok()["changed"], false);
    refused(&ask(&node, &second), 401, "unauthorized");
    refused(&ask(&node, &provider.token("sensor")), 401, "unauthorized");
    node.kill();
    node.restart();
    refused(&ask(&node, &second), 401, "unauthorized");
    node.cli(&["token", "allow", "--subject", "sensor"]).ok();
    assert_eq!(ask(&node, &second).status, 200);
    refused(&ask(&node, &first), 401, "unauthorized");
    node.cli(&["token", "allow", "--subject", "nobody"]).failed(1, "not_found");
    node.cli_as(&second, &["token", "deny", "--subject", "feed"]).failed(1, "denied");
    // One who has not come yet.
    node.cli(&["token", "deny", "--subject", "feed"]).ok();
    refused(&ask(&node, &provider.token("feed")), 401, "unauthorized");
    node.stop_and_verify();
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).expect("base64")
}

#[test]
fn new_keys_are_taken_and_old_ones_dropped_while_the_node_runs() {
    let Some(mut provider) = Provider::start(0) else { return };
    let node = Node::start_configured(&settings(&provider.url));
    let old = provider.token("sensor");
    assert_eq!(ask(&node, &old).status, 200);
    provider.rotate();
    // Known keys are good until the issuer is asked again, which a new one makes the node do.
    assert_eq!(ask(&node, &old).status, 200);
    assert_eq!(ask(&node, &provider.token("sensor")).status, 200);
    refused(&ask(&node, &old), 401, "unauthorized");
    // Within a minute nobody makes it ask once more.
    provider.rotate();
    refused(&ask(&node, &provider.token("sensor")), 401, "unauthorized");
}

#[test]
fn an_issuer_that_is_down_stops_nobody_else() {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let Some(provider) = Provider::start(port) else { return };
    let issuer = provider.url.clone();
    let token = provider.token("sensor");
    drop(provider);
    let node = Node::start_configured(&settings(&issuer));
    let answer = ask(&node, &token);
    refused(&answer, 503, "issuer_unavailable");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    node.cli(&["search", "x"]).ok();

    let provider = Provider::start(port).expect("installed");
    let begun = Instant::now();
    while ask(&node, &provider.token("sensor")).status != 200 {
        assert!(begun.elapsed() < PATIENCE, "the issuer is up again and the node does not know");
        std::thread::sleep(Duration::from_millis(200));
    }
    // Signed with keys that are gone.
    refused(&ask(&node, &token), 401, "unauthorized");
    // What is known is good for a while without the issuer.
    let good = provider.token("sensor");
    drop(provider);
    assert_eq!(ask(&node, &good).status, 200);
}

/// Behind TLS an issuer is who its certificate says: vouched for by whom the settings name, and by nobody else.
#[test]
fn an_issuer_behind_tls_is_believed_if_its_own_authority_vouches_for_it() {
    let authority = Authority::new();
    authority.issue(2999);
    let Some(provider) = Provider::start_behind(0, Some(&authority)) else { return };
    let trusting = |ca: &Path| {
        Node::start_configured(
            &settings(&provider.url).replace("[oidc]\n", &format!("[oidc]\nca_file = '{}'\n", ca.display())),
        )
    };
    let token = provider.token("sensor");
    let node = trusting(&authority.path("ca.pem"));
    assert_eq!(ask(&node, &token).json()["role"], "analyst");
    let other = trusting(&Authority::new().path("ca.pem"));
    refused(&ask(&other, &token), 503, "issuer_unavailable");
    let of_the_system = Node::start_configured(&settings(&provider.url));
    refused(&ask(&of_the_system, &token), 503, "issuer_unavailable");
}

/// Nobody lists whom an issuer lets in; who came is known, with the rights that he came with.
#[test]
fn who_an_issuer_let_in_is_part_of_a_simulation() {
    let Some(provider) = Provider::start(0) else { return };
    let node = Node::start_configured(&settings(&provider.url));
    let file =
        node.write("a.jsonl", json!({"id": "a", "type": "host", "classification": "internal"}).to_string());
    node.import(&file, "jsonl", "s", &[]).ok();
    let token = provider.token("sensor");
    for _ in 0..3 {
        node.cli_as(&token, &["entity", "get", "a"]).ok();
    }
    let rules = node.cli(&["policy", "show"]).ok();
    let more =
        "@id(\"no\")\nforbid (principal, action, resource) when { principal.role == Role::\"analyst\" };\n";
    let file = node.write("policy.cedar", format!("{}\n{more}", rules["text"].as_str().expect("a text")));
    let simulate = |more: &[&str]| {
        let args = ["policy", "simulate", file.to_str().expect("UTF-8"), "--action", "entity.read"];
        node.cli(&[&args[..], more].concat())
    };
    let id = ask(&node, &token).json()["token"].as_str().expect("an id").to_owned();
    for found in [simulate(&[]).ok(), simulate(&["--token", &id]).ok()] {
        let losses: Vec<_> = found["losses"].as_array().expect("a list").iter().collect();
        let [loss] = losses[..] else { panic!("one loses one label: {found}") };
        let who = loss["principal"].as_str().expect("a principal");
        assert!(who.starts_with("analyst, clearance internal") && who.contains(&id), "{found}");
        assert_eq!(loss["used"], 3, "{found}");
    }
    // Who is denied loses nothing more.
    node.cli(&["token", "deny", "--subject", "sensor"]).ok();
    assert_eq!(simulate(&[]).ok()["losses"], json!([]));
    simulate(&["--token", &id]).failed(1, "not_found");
}

#[test]
fn denials_are_listed_and_done_once_for_a_key() {
    let node = Node::start_configured(&settings("http://127.0.0.1:9"));
    let listed = |who: &dyn Fn(&[&str]) -> Ran| {
        let found = who(&["token", "denials"]).ok()["denials"].clone();
        let row = |row: &Value| (row["subject"].clone(), row["jti"].clone());
        found.as_array().expect("a list").iter().map(row).collect::<Vec<_>>()
    };
    let owner = |args: &[&str]| node.cli(args);
    assert_eq!(listed(&owner), []);
    let send = |key: &str, body: Value| {
        let bearer = format!("Bearer {}", node.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        let answer = node.http().send(Method::POST, "/graphql", &headers, body.to_string().into_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    };
    let deny = |name: &str, value: &str| json!({"id": "tokenDeny:v1", "variables": {name: value}});
    let allow = json!({"id": "tokenAllow:v1", "variables": {"subject": "ann"}});
    let first = send("out", deny("subject", "ann"));
    assert!(first.contains("\"changed\":true"), "{first}");
    send("that one", deny("jti", "17"));
    assert_eq!(listed(&owner), [(json!("ann"), Value::Null), (Value::Null, json!("17"))]);
    let again = send("in", allow.clone());
    // An answer that was lost is asked for again after somebody else has changed his mind: nothing is done twice.
    assert_eq!(send("out", deny("subject", "ann")), first);
    assert_eq!(listed(&owner), [(Value::Null, json!("17"))]);
    send("out again", deny("subject", "ann"));
    assert_eq!(send("in", allow), again);
    assert_eq!(listed(&owner).len(), 2);
    let other = node.new_token(&["--role", "admin", "--tenant", "other"]);
    assert_eq!(listed(&|args: &[&str]| node.cli_as(&other, args)), []);
    let reader = node.new_token(&["--role", "reader"]);
    node.cli_as(&reader, &["token", "denials"]).failed(1, "denied");
}

#[test]
fn a_node_without_an_issuer_knows_no_outsiders() {
    let node = Node::start();
    refused(&ask(&node, "eyJhbGciOiJFUzI1NiJ9.e30.AA"), 401, "unauthorized");
    node.cli(&["token", "deny", "--subject", "ann"]).failed(2, "bad_request");
    assert_eq!(node.cli(&["token", "deny"]).exit, 2);
}
