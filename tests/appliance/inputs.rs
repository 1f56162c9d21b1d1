//! The files of an import: directories, patterns, compressed files, and what is among them and is no file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::data;
use crate::node::{Node, import_args};

fn line(id: &str) -> String {
    json!({"id": id, "type": "host"}).to_string()
}

/// A directory of files, some of them compressed, one of them elsewhere.
fn tree(node: &Node) -> PathBuf {
    let tree = node.file("tree");
    fs::create_dir_all(tree.join("b/c")).expect("directories");
    fs::write(tree.join("z.jsonl"), line("z")).expect("a file");
    fs::write(tree.join("b/a.ndjson"), line("a")).expect("a file");
    fs::write(
        tree.join("b/c/packed.jsonl.zst"),
        zstd::encode_all(line("packed").as_bytes(), 3).expect("memory"),
    )
    .expect("a file");
    fs::write(tree.join("b/README.md"), "not for import").expect("a file");
    fs::write(tree.join(".hidden.jsonl"), line("hidden")).expect("a file");
    let elsewhere = node.write("elsewhere.jsonl", line("linked"));
    symlink(elsewhere, tree.join("link.jsonl")).expect("a link");
    tree
}

fn inputs(node: &Node) -> Vec<String> {
    let run = &node.http().list("runs:v2", json!({}), "runs")[0];
    let inputs = run["inputs"].as_array().expect("inputs").iter();
    let place = format!("{}/", node.file("").display());
    inputs
        .map(|input| {
            input
                .as_str()
                .expect("text")
                .replace("dataset:file:", "")
                .replace(place.trim_end_matches("//"), "")
        })
        .collect()
}

#[test]
fn a_directory_is_all_its_files_of_the_format_in_order() {
    let node = Node::start();
    let tree = tree(&node);
    let ran = node.import(&tree, "jsonl", "tree", &[]);
    assert!(ran.stderr.contains("README.md") && ran.stderr.contains(".hidden.jsonl"), "{ran:?}");
    assert_eq!(ran.ok()["created"], 4);
    let read: Vec<_> =
        inputs(&node).iter().map(|name| name.rsplit('/').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(read, ["a.ndjson", "packed.jsonl.zst", "link.jsonl", "z.jsonl"]);
    let bundles = node.import(&tree, "stix", "tree", &[]);
    assert!(bundles.failed(2, "bad_input").contains("no file of this format"), "{bundles:?}");
}

#[test]
fn a_pattern_is_the_files_that_fit_it() {
    let node = Node::start();
    let tree = tree(&node);
    let pattern = |pattern: &str| {
        let path = tree.join(pattern);
        node.import(&path, "jsonl", "tree", &[])
    };
    assert_eq!(pattern("**/*.zst").ok()["created"], 1);
    assert_eq!(pattern("*.jsonl").ok()["created"], 3, "also what begins with a dot, if it is named");
    assert!(pattern("*.xml").failed(2, "bad_input").contains("*.xml"));
}

#[test]
fn links_that_lead_round_and_what_is_no_file_are_refused_by_name() {
    let node = Node::start();
    let tree = tree(&node);
    let refused = |words: &str| {
        let message = node.import(&tree, "jsonl", "tree", &[]).failed(2, "bad_input");
        assert!(message.contains(words), "{message}");
    };
    symlink("..", tree.join("b/round")).expect("a link");
    refused("b/round");
    fs::remove_file(tree.join("b/round")).expect("the link");
    let socket = std::os::unix::net::UnixListener::bind(tree.join("b/plug.jsonl")).expect("a socket");
    refused("b/plug.jsonl");
    drop(socket);
    fs::remove_file(tree.join("b/plug.jsonl")).expect("the socket");
    symlink("nowhere", tree.join("b/broken.jsonl")).expect("a link");
    refused("b/broken.jsonl");
    assert!(node.http().list("runs:v2", json!({}), "runs").is_empty(), "nothing was begun");
}

#[test]
fn what_comes_by_a_pipe_is_read_to_its_end() {
    use std::io::Write as _;
    let node = Node::start();
    let mut command = node.command(&node.token, &import_args(Path::new("-"), "jsonl", "pipe", &[]));
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut process = command.spawn().expect("the program starts");
    let packed = zstd::encode_all(data::jsonl("piped", 500).text.as_bytes(), 3).expect("memory");
    process.stdin.take().expect("piped").write_all(&packed).expect("it is read");
    let output = process.wait_with_output().expect("a child");
    let done: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), &done["created"]), (Some(0), &json!(1000)), "{done}");
}
