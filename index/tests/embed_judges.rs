//! Vectors of real models before the Python of their publishers: texts of the demo's bundle, one vector each.
//!
//! A judge that this machine cannot run is skipped, and the reason is printed; with `INTELGRAPH_JUDGES_REQUIRED` set that
//! fails. `INTELGRAPH_JUDGES_VECTORS` names a Python that has what `tests/judges/vectors.txt` lists.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it runs other programs, and says what it found"
)]

#[allow(dead_code, reason = "every test file uses a part of the world")]
mod embed_world;

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use index::embed::{Encoder, Manifest, Model, Pooling};
use serde_json::Value;
use tempfile::TempDir;

const TEXTS: usize = 200;
/// Some are put together, so that what is cut is judged too.
const JOINED_EVERY: usize = 10;

#[test]
#[ignore = "make judges installs the judge"]
fn vectors_of_int8_weights_are_those_of_onnxruntime() {
    let folder = TempDir::new().expect("a folder");
    let Some(()) = embed_world::minilm_int8(folder.path()) else { return };
    let files = ["model.onnx", "tokenizer.json"].map(|name| text(&folder.path().join(name)));
    judge(folder.path(), &["onnx", &files[0], &files[1]], 0.98);
}

#[test]
#[ignore = "make judges installs the judge"]
fn vectors_of_a_bert_are_those_of_its_publisher() {
    let folder = TempDir::new().expect("a folder");
    let Some(()) = embed_world::minilm(folder.path()) else { return };
    judge(folder.path(), &["network", &text(folder.path())], 0.999);
}

#[test]
#[ignore = "make judges installs the judge, and fetches the model"]
fn vectors_of_an_mpnet_are_those_of_its_publisher() {
    let folder = TempDir::new().expect("a folder");
    let Some(place) = embed_world::real("mpnet") else { return };
    for file in embed_world::tiny::FILES {
        std::os::unix::fs::symlink(place.join(file), folder.path().join(file)).expect("a link");
    }
    let manifest = Manifest::new("all-mpnet-base-v2", 768, Pooling::Mean, 384, "Apache-2.0");
    embed_world::tiny::list(folder.path(), manifest, &embed_world::tiny::FILES);
    judge(folder.path(), &["network", &text(folder.path())], 0.999);
}

fn judge(folder: &Path, args: &[&str], cosine_min: f32) {
    let (Some(python), Some(bundle)) = (named("INTELGRAPH_JUDGES_VECTORS"), named("INTELGRAPH_DEMO_BUNDLE"))
    else {
        return;
    };
    let model = Model::open(folder).expect("a sound model");
    let texts = texts(&bundle);
    let tokens_max = model.manifest().tokens_max.to_string();
    let theirs = vectors(&python, args, &tokens_max, &texts);
    let cosine = |(text, theirs): (&String, &Vec<f32>)| {
        let ours = model.encode(text).expect("a vector");
        ours.iter().zip(theirs).map(|(ours, theirs)| ours * theirs).sum::<f32>()
    };
    let cosines: Vec<f32> = texts.iter().zip(&theirs).map(cosine).collect();
    assert_eq!(cosines.len(), TEXTS);
    let least = cosines.iter().copied().fold(f32::INFINITY, f32::min);
    let mean = cosines.iter().sum::<f32>() / TEXTS as f32;
    println!("{}: cosine of {TEXTS} texts at least {least:.6}, mean {mean:.6}", model.model().name);
    assert!(least >= cosine_min, "least {least}, wanted {cosine_min}");
}

fn vectors(python: &Path, args: &[&str], tokens_max: &str, texts: &[String]) -> Vec<Vec<f32>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/judges/vectors.py");
    let mut judge = Command::new(python)
        .arg(script)
        .args(args)
        .arg(tokens_max)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python runs");
    let mut input = judge.stdin.take().expect("it reads");
    let lines: Vec<String> = texts.iter().map(|text| Value::from(text.as_str()).to_string() + "\n").collect();
    let writing =
        std::thread::spawn(move || lines.iter().try_for_each(|line| input.write_all(line.as_bytes())));
    let judged = judge.wait_with_output().expect("the judge ends");
    assert!(judged.status.success(), "the judge failed");
    writing.join().expect("it was written").expect("and read");
    let told = String::from_utf8(judged.stdout).expect("UTF-8");
    told.lines().map(|line| serde_json::from_str(line).expect("a vector")).collect()
}

/// Descriptions spread over the whole bundle, of every length that there is.
fn texts(bundle: &Path) -> Vec<String> {
    let bundle: Value = serde_json::from_slice(&fs::read(bundle).expect("the bundle")).expect("JSON");
    let objects = bundle["objects"].as_array().expect("objects");
    let described: Vec<&str> = objects.iter().filter_map(|object| object["description"].as_str()).collect();
    let step = described.len() / TEXTS;
    let text = |number: usize| match number % JOINED_EVERY {
        0 => described[number * step..].iter().take(8).copied().collect::<Vec<_>>().join(" "),
        _ => described[number * step].to_owned(),
    };
    (0..TEXTS).map(text).collect()
}

fn named(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from).filter(|path| path.exists());
    if path.is_none() {
        let required = env::var_os("INTELGRAPH_JUDGES_REQUIRED").is_some();
        assert!(!required, "the judge of vectors cannot run here: {variable} names nothing");
        println!("skipped: the judge of vectors cannot run here: {variable} names nothing");
    }
    path
}

fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}
