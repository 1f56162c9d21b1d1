//! Data that earlier programs wrote: opened by this one, answered from, verified and gone on with.
//!
//! `fixtures/format-<N>.tgz` is a data directory of that format, `fixtures/format-<N>.json` what it
//! answered. `INTELGRAPH_TEST_WRITE=1` makes those of today's format anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use intelgraph::policy::{TOKEN_RANDOM_BYTES, Token};
use serde_json::{Value, json};
use storage::Directory;
use storage::commands::{Command, CreateToken};
use storage::ids::ActorId;
use storage::model::{Classification, Purposes, Role, TokenSpec};

use crate::data;
use crate::disks::verify;
use crate::lasting::{self, Answered};
use crate::node::Node;

#[test]
fn data_of_every_format_is_read_and_gone_on_with() {
    if std::env::var_os("INTELGRAPH_TEST_WRITE").is_some() {
        write_fixture();
    }
    for format in 1..=storage::FORMAT {
        let fixture = fixture(&format!("format-{format}.json"));
        let text =
            fs::read_to_string(&fixture).unwrap_or_else(|error| panic!("`{}`: {error}", fixture.display()));
        let known: Value = serde_json::from_str(&text).expect("JSON");
        let place = tempfile::tempdir().expect("a directory");
        unpack(&fixture.with_extension("tgz"), place.path());
        let data_dir = place.path().join("data");
        let verified = verify(&data_dir);
        assert_eq!(
            (verified.exit, &verified.json["roots"]),
            (0, &known["roots"]),
            "format {format}: {verified:?}"
        );
        let token = owner_of(&data_dir);
        let mut node = Node::over(data_dir).unwrap_or_else(|ran| panic!("format {format}: {ran:?}"));
        node.token = token;
        let answers: Vec<Answered> = serde_json::from_value(known["answers"].clone()).expect("answers");
        for (question, answer) in answers {
            assert_eq!(lasting::ask(&node.http(), &question), answer, "format {format}: {question}");
        }
        let made = data::jsonl("later", 20);
        let file = node.write("later.jsonl", &made.text);
        node.import(&file, "jsonl", "later", &[]).ok();
        node.stop_and_verify();
        // What its program did not remember is remembered from the first start on.
        fs::remove_file(node.data_dir().join("anchor")).expect("removed");
        assert_eq!(verify(&node.data_dir()).exit, 1, "format {format}");
    }
}

/// The token of an owner, put into a store of any age: those of its own days have ended.
fn owner_of(data_dir: &Path) -> String {
    let minted = Token::mint([7; TOKEN_RANDOM_BYTES]);
    let spec = TokenSpec {
        id: minted.id,
        secret_sha256: minted.secret_sha256,
        role: Role::Owner,
        clearance: Classification::Secret,
        purposes: Purposes::ALL,
        scopes: Vec::new(),
        expires_at_us: i64::MAX / 4,
    };
    let store = Directory::hold(data_dir).expect("free").open_store(1 << 20, String::new()).expect("opens");
    let tenant = store.view().expect("open").tenant("default").expect("read").expect("a tenant");
    let create = Command::CreateToken(CreateToken { tenant, actor: ActorId::NODE, spec });
    let committed = store.write(&[create], intelgraph::node::stamp()).expect("written");
    assert!(committed.answers.iter().all(Result::is_ok), "{committed:?}");
    minted.token.reveal().to_owned()
}

fn write_fixture() {
    let mut node = Node::start();
    let ring = lasting::begin(&node);
    let filled = lasting::go_on(&node, ring);
    // What is signed now is signed anew when there is more; the policy of who set none is the program's.
    let passes = ["ledgerReceipt:v1", "policy:v1", "tokenList:v1"];
    let is_kept = |(question, _): &Answered| !passes.contains(&question["id"].as_str().unwrap_or_default());
    let answers: Vec<Answered> = filled.answers(&node.http()).into_iter().filter(is_kept).collect();
    let home = node.data_dir();
    node.stop();
    let known = json!({"roots": verify(&home).ok()["roots"], "answers": answers});
    let name = fixture(&format!("format-{}.json", storage::FORMAT));
    fs::create_dir_all(name.parent().expect("a directory")).expect("a directory");
    fs::write(&name, serde_json::to_string_pretty(&known).expect("JSON") + "\n").expect("a file");
    pack(&home, &name.with_extension("tgz"));
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/appliance/fixtures").join(name)
}

/// Without what a node makes again: the index, and room that is set aside.
fn pack(directory: &Path, to: &Path) {
    let parent = directory.parent().expect("a parent");
    let mut tar = process::Command::new("tar");
    tar.args(["--exclude=data/index/*", "--exclude=data/ballast", "-czf"])
        .arg(to)
        .arg("-C")
        .arg(parent)
        .arg("data");
    assert!(tar.status().expect("tar").success());
}

fn unpack(from: &Path, to: &Path) {
    let status = process::Command::new("tar").arg("-xzf").arg(from).arg("-C").arg(to).status();
    assert!(status.expect("tar").success());
}
