//! The node's GraphQL before programs of other authors (`tests/judges/web`): the audits of GraphQL over HTTP, the
//! reference implementation, and two clients that applications use.
//!
//! Where they are not installed the tests say so and pass; with `INTELGRAPH_JUDGES_REQUIRED` they fail, since a test that
//! nobody ran proves nothing. `INTELGRAPH_JUDGES_WEB` names the directory that has them in its `node_modules`.

mod relevance;
mod rest;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::data;
use crate::node::Node;

/// Runs a judge, which must be content.
fn judge(name: &str, args: &[&str]) {
    let Some(place) = installed() else { return };
    let script = place.join(name);
    if place != sources() {
        std::fs::copy(sources().join(name), &script).expect("a place for the judge");
    }
    let ran = Command::new("node").arg(&script).args(args).output().expect("node runs");
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{name} is not content:\n{stdout}{stderr}");
    println!("{stdout}");
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/web")
}

fn installed() -> Option<PathBuf> {
    let place = std::env::var_os("INTELGRAPH_JUDGES_WEB").map_or_else(sources, PathBuf::from);
    if place.join("node_modules").is_dir() {
        return Some(place);
    }
    assert!(
        std::env::var_os("INTELGRAPH_JUDGES_REQUIRED").is_none(),
        "no judges in `{}`; run `tests/run.sh setup`",
        place.display()
    );
    println!("skipped: no judges in `{}`", place.display());
    None
}

fn sdks() -> String {
    format!("{}/sdks", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn graphql_over_http_is_kept_to() {
    let node = Node::start();
    let token = node.new_token(&["--role", "owner", "--scope", "graphql.adhoc"]);
    judge("audit.mjs", &[&node.url, &token]);
}

#[test]
fn the_contract_is_valid() {
    judge("contract.mjs", &[&sdks()]);
}

#[test]
fn clients_find_what_is_there() {
    let node = Node::start();
    let made = data::jsonl("clients", 20);
    let file = node.write("clients.jsonl", &made.text);
    node.import(&file, "jsonl", "clients", &[]).ok();
    judge("clients.mjs", &[&node.url, &node.token, &sdks(), &made.word, &made.word_in]);
}
