//! Models for tests: tiny ones that are made here, and the real ones that `tests/run.sh models` brings.

pub(crate) mod tiny;

use std::fs;
use std::path::{Path, PathBuf};

use index::embed::{Manifest, Pooling};

/// Where the real ones are; `None`, said, if they are not there and need not be.
#[allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "who reads the output sees what was not tested"
)]
pub(crate) fn real(name: &str) -> Option<PathBuf> {
    let place = std::env::var_os("INTELGRAPH_TEST_MODELS").map(PathBuf::from).unwrap_or_default().join(name);
    if place.is_dir() {
        return Some(place);
    }
    let required = std::env::var_os("INTELGRAPH_JUDGES_REQUIRED").is_some();
    assert!(!required, "no model in `{}`; run `tests/run.sh models`", place.display());
    println!("skipped: no model in `{}` (INTELGRAPH_TEST_MODELS)", place.display());
    None
}

/// The int8 MiniLM: weights of one publisher, the tokenizer of another.
pub(crate) fn minilm_int8(folder: &Path) -> Option<()> {
    let (weights, rest) = (real("minilm-int8")?, real("minilm")?);
    copy(&weights, folder, &["model.onnx"]);
    copy(&rest, folder, &["tokenizer.json"]);
    let manifest = Manifest::new("all-MiniLM-L6-v2-int8", 384, Pooling::Mean, 256, "Apache-2.0");
    tiny::list(folder, manifest, &["model.onnx", "tokenizer.json"]);
    Some(())
}

/// The MiniLM as it was published.
pub(crate) fn minilm(folder: &Path) -> Option<()> {
    copy(&real("minilm")?, folder, &tiny::FILES);
    let manifest = Manifest::new("all-MiniLM-L6-v2", 384, Pooling::Mean, 256, "Apache-2.0");
    tiny::list(folder, manifest, &tiny::FILES);
    Some(())
}

fn copy(from: &Path, to: &Path, files: &[&str]) {
    fs::create_dir_all(to).expect("a folder to write to");
    for file in files {
        fs::copy(from.join(file), to.join(file)).expect("the file of a model");
    }
}
