//! What a node or a command refuses before it begins.

use std::net::TcpListener;
use std::path::Path;

use crate::node::{Node, Ran, program, run, run_briefly};

fn serve(data_dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = program();
    command.args(["serve", "--json", "--data-dir"]).arg(data_dir).args(args).envs(variables.iter().copied());
    run_briefly(command)
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_made() {
    let place = tempfile::tempdir().expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let data_dir = place.path().join("data");
    let ran = serve(&data_dir, &["--listen", &address], &[]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    let message = ran.error()["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains(&address) && message.contains("in use"), "{message}");
    assert!(!data_dir.exists(), "a node that cannot listen makes nothing");
}

#[test]
fn listening_beyond_this_machine_takes_a_word() {
    let place = tempfile::tempdir().expect("a directory");
    for args in [["--listen", "0.0.0.0:0"], ["--listen", "[::]:0"]] {
        let message = serve(&place.path().join("data"), &args, &[]).failed(2, "bad_input");
        assert!(message.contains("--insecure-http"), "{message}");
    }
    assert_eq!(serve(&place.path().join("data"), &["--listen", "nonsense"], &[]).exit, 2);
}

#[test]
fn a_setting_that_is_unknown_or_wrong_is_named() {
    let place = tempfile::tempdir().expect("a directory");
    let data_dir = place.path().join("data");
    let listen = ["--listen", "127.0.0.1:0"];
    let message = serve(&data_dir, &listen, &[("INTELGRAPH_FOO", "1")]).failed(2, "bad_input");
    assert!(message.contains("foo"), "{message}");
    let message = serve(&data_dir, &listen, &[("INTELGRAPH_BODY_BYTES_MAX", "many")]).failed(2, "bad_input");
    assert!(message.contains("many"), "{message}");
    let file = place.path().join("settings.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\nfloor = 3\n").expect("a file");
    let config = ["--config", file.to_str().expect("UTF-8")];
    let message = serve(&data_dir, &config, &[]).failed(2, "bad_input");
    assert!(message.contains("floor"), "{message}");
    let message = serve(&data_dir, &["--config", "/nowhere.toml"], &[]).failed(2, "bad_input");
    assert!(message.contains("/nowhere.toml"), "{message}");
    assert!(!data_dir.exists(), "nothing was made");
}

#[test]
fn a_command_without_a_node_or_a_token_says_which() {
    let nobody = || {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        format!("http://{port}")
    };
    let search = |variables: &[(&str, &str)]| {
        let mut command = program();
        command.args(["search", "x", "--json"]).envs(variables.iter().copied());
        run(command)
    };
    let message =
        search(&[("INTELGRAPH_URL", &nobody()), ("INTELGRAPH_TOKEN", "t")]).failed(3, "unreachable");
    assert!(message.contains("is it running"), "{message}");
    let message = search(&[("INTELGRAPH_URL", &nobody())]).failed(2, "bad_input");
    assert!(message.contains("INTELGRAPH_TOKEN"), "{message}");
    for args in [&["serch"][..], &["search"], &["import", "x"], &["search", "x", "--limit", "many"]] {
        let mut command = program();
        command.args(args);
        assert_eq!(run(command).exit, 2, "{args:?}");
    }
}

#[test]
fn a_token_may_come_from_a_file() {
    let node = Node::start();
    let file = node.write("token", format!("{}\n", node.token));
    let mut command = program();
    command.args(["search", "x", "--json", "--url", &node.url, "--token-file"]).arg(file);
    run(command).ok();
    let mut command = program();
    command.args(["search", "x", "--json", "--url", &node.url, "--token-file", "/nowhere"]);
    assert!(run(command).failed(2, "bad_input").contains("/nowhere"));
}

#[test]
fn a_node_that_is_told_to_stop_ends_what_it_has_begun() {
    let mut node = Node::start();
    let made = crate::data::jsonl("last", 3000);
    let file = node.write("last.jsonl", &made.text);
    let command = node.command(&node.token, &crate::node::import_args(&file, "jsonl", "last", &[]));
    let importing = std::thread::spawn(move || run(command));
    let http = node.http();
    while http.list("runs:v1", serde_json::json!({}), "runs").is_empty() {}
    drop(http);
    node.stop();
    let ran = importing.join().expect("imported");
    node.restart();
    let counts = node.http().graphql("node:v1", serde_json::json!({}))["node"].clone();
    let things =
        counts["entities"].as_u64().unwrap_or_default() + counts["relations"].as_u64().unwrap_or_default();
    if ran.exit == 0 {
        assert_eq!(things, made.things(), "what was acknowledged is there");
    } else {
        assert_eq!(ran.exit, 3, "{ran:?}");
    }
    node.import(&file, "jsonl", "last", &[]).ok();
    node.stop_and_verify();
}

/// A client that never ends its request does not keep a node from stopping, and what it sent is no finished import.
#[test]
fn a_node_stops_in_time_whatever_its_clients_do() {
    use std::io::Write as _;
    let mut node = Node::start();
    let address = node.url.strip_prefix("http://").expect("an address").to_owned();
    let mut stream = std::net::TcpStream::connect(address).expect("the node listens");
    let head = format!(
        "POST /api/v1/import?format=jsonl&source=slow&purpose=threat-intel&licence=Open-Data-OK HTTP/1.1\r\nHost: x\r\n\
         Authorization: Bearer {}\r\nContent-Length: 1000000\r\n\r\n{{\"id\":\"slow\",\"type\":\"host\"}}\n",
        node.token
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let runs =
        |node: &Node| serde_json::Value::from(node.http().list("runs:v1", serde_json::json!({}), "runs"));
    while runs(&node).as_array().is_none_or(Vec::is_empty) {}
    node.stop();
    drop(stream);
    node.restart();
    let runs = runs(&node);
    assert!(runs[0]["state"] == "failed" || runs[0]["state"] == "interrupted", "{runs}");
    node.stop_and_verify();
}
