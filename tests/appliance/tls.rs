//! TLS as clients of others speak it: versions, certificates that are good, foreign, late or replaced.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rcgen::KeyPair;
use reqwest::Version;
use serde_json::json;

use crate::authority::{Authority, write_secret};
use crate::http::Http;
use crate::node::{Ran, program, run, run_briefly};

fn refused_start(authority: &Authority) -> Ran {
    let place = tempfile::tempdir().expect("a directory");
    let mut command = program();
    command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"]).arg(place.path().join("data"));
    command
        .arg("--tls-certificate")
        .arg(authority.path("cert.pem"))
        .arg("--tls-key")
        .arg(authority.path("key.pem"));
    let ran = run_briefly(command);
    assert!(!place.path().join("data").exists(), "nothing was made: {ran:?}");
    ran
}

#[test]
fn both_versions_of_http_are_spoken_over_tls_and_plain_text_is_not() {
    let authority = Authority::new();
    authority.issue(2100);
    let mut node = authority.start();
    assert!(node.url.starts_with("https://127.0.0.1:"), "{}", node.url);
    let http = authority.http(&node);
    assert_eq!(http.try_get("/healthz").expect("an answer"), (Version::HTTP_2, 200));
    assert_eq!(http.graphql("node:v1", json!({}))["node"]["tenant"], "default");
    let answer = http.get("/healthz");
    assert!(answer.header("strict-transport-security").is_some(), "{answer:?}");
    for client in
        [authority.client().http1_only(), authority.client().tls_version_max(reqwest::tls::Version::TLS_1_2)]
    {
        assert_eq!(Http::with(client, &node.url, &node.token).try_get("/healthz").expect("an answer").1, 200);
    }
    // More headers than anybody needs are refused, and the node goes on.
    let many = "x".repeat(40_000);
    let token = format!("Bearer {}", node.token);
    let answer = http.send(
        reqwest::Method::GET,
        "/healthz",
        &[("authorization", &token), ("x-long", &many)],
        Vec::new(),
    );
    assert_eq!(answer.status, 431);
    assert_eq!(http.get("/healthz").status, 200);
    let plain = Http::new(&node.url.replace("https", "http"), &node.token);
    assert!(plain.try_get("/healthz").is_err(), "no word without TLS");
    // The commands, with all that they stream.
    let file = node.write("a.jsonl", crate::data::jsonl("tls", 500).text);
    node.import(&file, "jsonl", "tls", &[]).ok();
    node.cli(&["ledger", "export", "--out", node.file("ledger").to_str().expect("UTF-8")]).ok();
    node.stop_and_verify();
}

#[test]
fn a_node_that_nobody_vouches_for_is_not_spoken_to() {
    let (authority, foreign) = (Authority::new(), Authority::new());
    authority.issue(2100);
    let mut node = authority.start();
    node.ca_file = Some(foreign.path("ca.pem"));
    let message = node.cli(&["search", "x"]).failed(3, "unreachable");
    assert!(message.contains("certificate") && message.contains("--ca-file"), "{message}");
    node.ca_file = None;
    node.cli(&["search", "x"]).failed(3, "unreachable");
    node.ca_file = Some(authority.path("key.pem"));
    node.cli(&["search", "x"]).failed(2, "bad_input");
    let mut command = node.command(&node.token, &["search", "x", "--ca-file"]);
    command.arg(authority.path("ca.pem"));
    // Behind `--json`, which stands last.
    assert_eq!(run(command).exit, 2, "a flag without its value");
    node.ca_file = Some(authority.path("ca.pem"));
    node.cli(&["search", "x"]).ok();
}

#[test]
fn a_pair_that_cannot_serve_is_refused_at_the_start() {
    let authority = Authority::new();
    authority.issue(2021);
    let ran = refused_start(&authority);
    assert!(ran.exit == 3 && ran.stderr.contains("expired"), "{ran:?}");
    authority.issue(2100);
    std::fs::set_permissions(authority.path("key.pem"), std::fs::Permissions::from_mode(0o644))
        .expect("a mode");
    let ran = refused_start(&authority);
    assert!(
        ran.exit == 3 && ran.stderr.contains("open to others") && ran.stderr.contains("chmod"),
        "{ran:?}"
    );
    write_secret(&authority.path("key.pem"), &KeyPair::generate().expect("a key").serialize_pem());
    let ran = refused_start(&authority);
    assert!(ran.exit == 3 && ran.stderr.contains("no pair"), "{ran:?}");
    std::fs::write(authority.path("cert.pem"), "nothing").expect("a file");
    assert_eq!(refused_start(&authority).exit, 3);
    std::fs::remove_file(authority.path("cert.pem")).expect("the file");
    assert!(refused_start(&authority).stderr.contains("cert.pem"));
}

#[test]
fn a_new_certificate_comes_into_use_while_connections_live() {
    let authority = Authority::new();
    authority.issue(2100);
    let mut node = authority.start();
    let old = authority.http(&node);
    assert_eq!(old.get("/healthz").status, 200);
    // Another authority's pair: who trusts the first alone sees the change.
    let next = Authority::new();
    next.issue(2100);
    let put =
        |name: &str, from: &Authority| std::fs::copy(from.path(name), authority.path(name)).expect("a copy");
    put("key.pem", &next);
    put("cert.pem", &next);
    node.signal(rustix::process::Signal::HUP);
    let next_works = || Http::with(next.client(), &node.url, &node.token).try_get("/healthz").is_ok();
    soon(next_works);
    assert_eq!(old.get("/healthz").status, 200, "a connection that lives goes on");
    assert!(authority.http(&node).try_get("/healthz").is_err(), "a new one meets the new certificate");
    // A broken one changes nothing, and says so; nobody has to tell the node to look.
    std::fs::write(authority.path("cert.pem"), "-----BEGIN CERTIFICATE-----\nnonsense\n").expect("a file");
    soon(|| node.log().contains("the old one is kept"));
    assert!(next_works());
    assert_eq!(old.get("/healthz").status, 200);
    drop(old);
    node.stop();
}

fn soon(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(15), "never");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A handshake that never ends costs nobody anything.
#[test]
fn half_a_handshake_is_given_up() {
    let authority = Authority::new();
    authority.issue(2100);
    let node = authority.start();
    let address = node.url.replace("https://", "");
    let mut half: Vec<_> = (0..50).map(|_| crate::http::Line::to(&address)).collect();
    // The beginning of a client's hello.
    half.iter_mut().for_each(|line| assert!(line.say("\u{16}\u{3}\u{1}")));
    assert_eq!(authority.http(&node).get("/healthz").status, 200);
    assert_eq!(half[0].rest(), "", "closed without a word");
}
