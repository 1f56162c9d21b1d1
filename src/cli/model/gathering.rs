//! What publishers ship becomes a model: its weights, a tokenizer, and what they say of it in files around.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use index::embed::{MANIFEST, Manifest, Pooling, TOKENS_MAX};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::unpacking::{Found, Unpacked, unpack, unreadable};
use crate::cli::{Failure, Result};
use crate::evaluate::ModelFiles;

const NETWORK: &str = "model.onnx";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";
const CONFIG: &str = "config.json";
/// Beside the weights stand folders of their own for what is done with vectors.
const POOLING: &str = "1_Pooling";
/// What says something of a model is small.
const SMALL_BYTES_MAX: u64 = 1 << 20;

/// A model, ready to be sent.
pub(in crate::cli) struct Gathered {
    pub(in crate::cli) manifest: Vec<u8>,
    pub(in crate::cli) files: Vec<(String, PathBuf)>,
    /// What was taken for granted.
    pub(in crate::cli) notes: Vec<String>,
    _unpacked: Unpacked,
}

impl Gathered {
    /// What a node without sockets takes.
    pub(in crate::cli) fn model_files(&self) -> ModelFiles {
        ModelFiles { manifest: self.manifest.clone(), files: self.files.clone() }
    }
}

/// Makes a model of what was named. Where several hold the same, the first that was named counts.
pub(in crate::cli) fn gather(
    named: &[PathBuf],
    name: Option<&str>,
    licence: Option<&str>,
) -> Result<Gathered> {
    let unpacked = unpack(named)?;
    if let Some(made) = find(&unpacked, &[MANIFEST]) {
        return as_it_is(made.path.clone(), unpacked);
    }
    let weights = find(&unpacked, &[NETWORK, WEIGHTS])
        .ok_or_else(|| missing(&format!("{NETWORK} or {WEIGHTS}"), "the weights"))?;
    let tokenizer = find(&unpacked, &[TOKENIZER]).ok_or_else(|| missing(TOKENIZER, "the tokenizer"))?;
    let config = find(&unpacked, &[CONFIG]).ok_or_else(|| missing(CONFIG, "the length of its vectors"))?;
    let mut notes = Vec::new();
    let name = name.map_or_else(|| named_after(&named[weights.named]), str::to_owned);
    let licence = match licence {
        Some(licence) => licence.to_owned(),
        None => licence_of(&unpacked, weights.named).ok_or_else(no_licence)?,
    };
    let said = json(&config.path)?;
    let dimension = said["hidden_size"].as_u64().unwrap_or_default() as usize;
    let pooling = pooling(&unpacked, &mut notes)?;
    let tokens_max = tokens_max(&unpacked, &said)?;
    let mut manifest = Manifest::new(&name, dimension, pooling, tokens_max, &licence);
    let mut files =
        vec![(file_name(weights), weights.path.clone()), (TOKENIZER.to_owned(), tokenizer.path.clone())];
    if file_name(weights) == WEIGHTS {
        files.push((CONFIG.to_owned(), config.path.clone()));
    }
    for (name, path) in &files {
        let (bytes, digest) = digest(path)?;
        manifest.list(name, bytes, &digest);
    }
    let manifest = manifest.to_bytes();
    Manifest::parse(&manifest).map_err(|why| Failure::bad_input(why.to_string()))?;
    Ok(Gathered { manifest, files, notes, _unpacked: unpacked })
}

/// A folder that is a model already.
fn as_it_is(path: PathBuf, unpacked: Unpacked) -> Result<Gathered> {
    let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
    let (manifest, _) = Manifest::parse(&bytes).map_err(|why| Failure::bad_input(why.to_string()))?;
    let files = manifest.files.keys().map(|name| (name.clone(), path.with_file_name(name))).collect();
    Ok(Gathered { manifest: bytes, files, notes: Vec::new(), _unpacked: unpacked })
}

/// The first file of one of these names that is not of what is done with vectors.
fn find<'u>(unpacked: &'u Unpacked, names: &[&str]) -> Option<&'u Found> {
    unpacked.files.iter().find(|found| names.contains(&file_name(found).as_str()) && !is_pooling(found))
}

fn is_pooling(found: &Found) -> bool {
    found.within.parent().is_some_and(|parent| parent.ends_with(POOLING))
}

fn file_name(found: &Found) -> String {
    found.within.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn pooling(unpacked: &Unpacked, notes: &mut Vec<String>) -> Result<Pooling> {
    let Some(found) = unpacked.files.iter().find(|found| is_pooling(found) && file_name(found) == CONFIG)
    else {
        notes.push(format!("nothing says how tokens are pooled ({POOLING}/{CONFIG}); taking their mean"));
        return Ok(Pooling::Mean);
    };
    let said = json(&found.path)?;
    match (&said["pooling_mode_mean_tokens"], &said["pooling_mode_cls_token"]) {
        (Value::Bool(true), _) => Ok(Pooling::Mean),
        (_, Value::Bool(true)) => Ok(Pooling::Cls),
        _ => Err(Failure::bad_input(
            "the model pools tokens neither by mean nor by the first; others are not known",
        )),
    }
}

/// As many tokens as its publisher trained it with, else as it has positions for.
fn tokens_max(unpacked: &Unpacked, config: &Value) -> Result<usize> {
    let trained =
        find(unpacked, &["sentence_bert_config.json"]).map(|found| json(&found.path)).transpose()?;
    let trained = trained.and_then(|said| said["max_seq_length"].as_u64());
    let most = trained.or(config["max_position_embeddings"].as_u64()).unwrap_or(TOKENS_MAX as u64);
    Ok((most as usize).min(TOKENS_MAX))
}

/// What the card of a model says, else the package that it comes in.
fn licence_of(unpacked: &Unpacked, named: usize) -> Option<String> {
    let of = |name: &str, keys: &[&str]| {
        let mut files =
            unpacked.files.iter().filter(|found| found.named == named && file_name(found) == name);
        let text = small(&files.next()?.path).ok()?;
        let value = |line: &str| {
            let (key, value) = line.split_once(':')?;
            (keys.contains(&key) && !value.trim().is_empty()).then(|| value.trim().to_owned())
        };
        text.lines().take(100).find_map(value)
    };
    of("README.md", &["license"]).or_else(|| of("METADATA", &["License-Expression", "License"]))
}

/// A wheel is called after its package; other things have a name of their own.
fn named_after(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_wheel = path.extension().is_some_and(|extension| extension == "whl");
    let name = if is_wheel { stem.split('-').next().unwrap_or_default().to_owned() } else { stem };
    name.trim_end_matches(".zip").replace('_', "-")
}

fn digest(path: &Path) -> Result<(u64, [u8; 32])> {
    let failed = |error: std::io::Error| unreadable(path, &error);
    let (mut file, mut piece) = (File::open(path).map_err(failed)?, vec![0; 1 << 20]);
    let (mut bytes, mut hash) = (0, Sha256::new());
    loop {
        match file.read(&mut piece).map_err(failed)? {
            0 => return Ok((bytes, hash.finalize().into())),
            count => {
                bytes += count as u64;
                hash.update(&piece[..count]);
            }
        }
    }
}

fn json(path: &Path) -> Result<Value> {
    let text = small(path)?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::bad_input(format!("file `{}`: {error}", path.display())))
}

fn small(path: &Path) -> Result<String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(SMALL_BYTES_MAX).read_to_string(&mut text));
    read.map_err(|error| unreadable(path, &error))?;
    Ok(text)
}

fn missing(file: &str, what: &str) -> Failure {
    Failure::bad_input(format!("{what}: no {file} in what was named; name what holds it as well"))
}

fn no_licence() -> Failure {
    Failure::bad_input("nothing says under which licence the model is; give --licence")
}
