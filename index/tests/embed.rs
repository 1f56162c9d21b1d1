//! Models: what they make of text, and what is refused of those that are damaged or were never sound.

#[allow(dead_code, reason = "every test file uses a part of the world")]
mod embed_world;

use std::fs;
use std::path::Path;

use embed_world::tiny::{self, TOKENS_MAX, WIDTH};
use index::embed::{Encoder, Manifest, Model, Pooling, QUERY_TOKENS_MAX};
use index::{Error, ErrorKind};
use tempfile::TempDir;

fn tiny_model(kind: &str) -> (TempDir, Model) {
    let folder = TempDir::new().expect("a folder");
    tiny::write(folder.path(), "tiny", kind);
    let model = Model::open(folder.path()).expect("a sound model");
    (folder, model)
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn code(folder: &Path) -> &'static str {
    let error = Model::open(folder).err().expect("a model that cannot be used");
    assert_eq!(error.kind(), ErrorKind::Model);
    error.code()
}

#[test]
fn a_text_becomes_a_vector_of_unit_length_and_always_the_same() {
    for kind in ["bert", "mpnet"] {
        let (_folder, model) = tiny_model(kind);
        let vector = model.encode("lateral movement").unwrap();
        assert_eq!(vector.len(), WIDTH);
        assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5);
        assert_eq!(vector, model.encode("Lateral  MOVEMENT").unwrap(), "{kind}: its tokenizer ignores case");
        assert_ne!(vector, model.encode("movement lateral").unwrap(), "{kind}: order counts");
        assert_eq!(model.model().dimension, WIDTH);
    }
}

#[test]
fn what_is_longer_than_a_model_takes_is_cut() {
    let (_folder, model) = tiny_model("bert");
    let words = |count: usize| "pass ".repeat(count);
    let (room, most) = (TOKENS_MAX - 2, model.encode(&words(TOKENS_MAX - 2)).unwrap());
    assert_eq!(model.encode(&words(100_000)).unwrap(), most);
    assert_ne!(model.encode(&words(room - 1)).unwrap(), most);
    // Of a query fewer count, those around it included.
    let query = model.encode_query(&words(100_000)).unwrap();
    assert_eq!(query, model.encode(&words(QUERY_TOKENS_MAX - 2)).unwrap());
    assert_ne!(query, most);
}

#[test]
fn passages_of_a_text_are_each_taken_whole() {
    let (_folder, model) = tiny_model("bert");
    let text = "Stolen tickets pass the movement. ".repeat(100) + "lateral";
    let passages = model.passages(&text);
    assert_eq!(passages.len(), 5);
    assert_eq!(passages.iter().map(|range| &text[range.clone()]).collect::<String>(), text);
    for passage in &passages {
        let whole = &text[passage.clone()];
        let (before, _last) = whole.trim_end().rsplit_once(' ').expect("several words");
        assert_ne!(model.encode(whole).unwrap(), model.encode(before).unwrap(), "its last word counts");
    }
    assert!(text[passages[0].clone()].ends_with(". "), "cut between sentences");
}

#[test]
fn what_has_no_word_has_no_vector() {
    let (_folder, model) = tiny_model("bert");
    for text in ["", "  \n\t ", "\u{200b}\u{200d}"] {
        assert!(matches!(model.encode(text), Err(Error::Invalid { .. })), "{text:?}");
        assert!(model.passages(text).is_empty(), "{text:?}");
    }
    let long = "\0".repeat(1 << 20);
    assert!(model.encode(&long).is_err() && model.passages(&long).is_empty());
}

#[test]
fn a_model_is_what_its_manifest_says() {
    let (folder, model) = tiny_model("bert");
    assert_eq!(Model::verify(folder.path()).unwrap(), *model.model());
    let (manifest, id) = Manifest::read(folder.path()).unwrap();
    assert_eq!((&manifest, &id), (model.manifest(), model.model()));
    assert_eq!(manifest.licence, "MIT");
    tiny::list(folder.path(), Manifest::new("tiny", WIDTH, Pooling::Cls, TOKENS_MAX, "MIT"), &tiny::FILES);
    let other = Model::open(folder.path()).unwrap();
    assert_ne!(other.model().digest, model.model().digest, "another manifest is another model");
    assert_ne!(other.encode("tickets").unwrap(), model.encode("tickets").unwrap());
}

#[test]
fn every_file_is_held_against_its_digest_first() {
    let (folder, _model) = tiny_model("bert");
    for file in tiny::FILES {
        let path = folder.path().join(file);
        let sound = fs::read(&path).unwrap();
        for at in [0, sound.len() / 2, sound.len() - 1] {
            let mut flipped = sound.clone();
            flipped[at] ^= 1;
            fs::write(&path, &flipped).unwrap();
            assert_eq!(code(folder.path()), "model_digest", "{file} at {at}");
            assert_eq!(Model::verify(folder.path()).unwrap_err().code(), "model_digest");
        }
        fs::write(&path, &sound[..sound.len() - 1]).unwrap();
        assert_eq!(code(folder.path()), "model_digest", "{file}, cut");
        fs::remove_file(&path).unwrap();
        assert_eq!(code(folder.path()), "model_file_missing", "{file}, gone");
        fs::write(&path, &sound).unwrap();
    }
    Model::open(folder.path()).unwrap();
    fs::remove_file(folder.path().join("manifest.json")).unwrap();
    assert_eq!(code(folder.path()), "model_file_missing");
}

#[test]
fn a_manifest_that_cannot_be_is_refused() {
    let (folder, _model) = tiny_model("bert");
    let path = folder.path().join("manifest.json");
    let sound = fs::read_to_string(&path).unwrap();
    let changes = [
        ("\"format\": 1", "\"format\": 2", "model_manifest"),
        ("\"name\": \"tiny\"", "\"name\": \"../tiny\"", "model_manifest"),
        ("\"name\": \"tiny\"", "\"name\": \"\"", "model_manifest"),
        ("\"dimension\": 8", "\"dimension\": 0", "model_manifest"),
        ("\"dimension\": 8", "\"dimension\": 9", "model_dimension"),
        ("\"pooling\": \"mean\"", "\"pooling\": \"max\"", "model_manifest"),
        ("\"normalisation\": \"unit\"", "\"normalisation\": \"none\"", "model_manifest"),
        ("\"tokens_max\": 128", "\"tokens_max\": 100000", "model_manifest"),
        ("\"tokens_max\": 128", "\"tokens_max\": 256", "model_weights"),
        ("\"licence\": \"MIT\"", "\"licence\": \"\"", "model_manifest"),
        ("\"licence\"", "\"unknown\": 1, \"licence\"", "model_manifest"),
        ("\"tokenizer.json\"", "\"tokeniser.json\"", "model_file_missing"),
        ("\"config.json\"", "\"../config.json\"", "model_manifest"),
        ("{", "[", "model_manifest"),
    ];
    for (from, to, expected) in changes {
        assert!(sound.contains(from), "{from}");
        fs::write(&path, sound.replacen(from, to, 1)).unwrap();
        assert_eq!(code(folder.path()), expected, "{to}");
    }
    fs::write(&path, " ".repeat(1 << 20)).unwrap();
    assert_eq!(code(folder.path()), "model_manifest");
}

/// Files that were never sound, listed with their right digests.
#[test]
fn files_that_make_no_model_are_refused_by_name() {
    let (folder, _model) = tiny_model("bert");
    let folder = folder.path();
    let sound: Vec<_> = tiny::FILES.iter().map(|file| fs::read_to_string(folder.join(file)).ok()).collect();
    let weights = fs::read(folder.join("model.safetensors")).unwrap();
    let refused = |file: &str, bytes: &[u8]| {
        fs::write(folder.join(file), bytes).unwrap();
        tiny::list(folder, Manifest::new("tiny", WIDTH, Pooling::Mean, TOKENS_MAX, "MIT"), &tiny::FILES);
        code(folder)
    };
    let (config, tokenizer) = (sound[0].as_ref().unwrap(), sound[2].as_ref().unwrap());
    for bytes in ["", "{}", "null", "{\"model\": 1}"] {
        assert_eq!(refused("tokenizer.json", bytes.as_bytes()), "model_tokenizer", "{bytes}");
    }
    fs::write(folder.join("tokenizer.json"), tokenizer).unwrap();
    for (from, to) in [("gelu", "relu"), ("bert", "gpt2"), ("\"hidden_size\":8", "\"hidden_size\":9")] {
        assert!(config.contains(from));
        assert_eq!(refused("config.json", config.replace(from, to).as_bytes()), "model_weights", "{to}");
    }
    fs::write(folder.join("config.json"), config).unwrap();
    for bytes in [&b""[..], b"xxxxxxxxxxxx", &weights[..200], &[0xff; 64], &weights[..weights.len() - 100]] {
        assert_eq!(refused("model.safetensors", bytes), "model_weights", "{} bytes", bytes.len());
    }
    // The last weight is the norm's that everything passes first: what is not a number there is one nowhere.
    let mut infinite = weights.clone();
    let end = infinite.len();
    infinite[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert_eq!(refused("model.safetensors", &infinite), "model_output");
    let words_begin = 8 + u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
    let mut zero = weights;
    zero[words_begin..].fill(0);
    assert_eq!(refused("model.safetensors", &zero), "model_output");
}

/// No panic of the runtime gets out, whatever is wrong with a network.
#[test]
fn a_damaged_network_is_an_error_wherever_the_damage_is() {
    let (models, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let Some(()) = embed_world::minilm_int8(models.path()) else { return };
    let sound = fs::read(models.path().join("model.onnx")).unwrap();
    fs::copy(models.path().join("tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
    let mut at = 7_usize;
    for round in 0..24 {
        let mut damaged = sound.clone();
        at = (at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
            % damaged.len();
        // The graph is behind most of the weights; every other damage is there.
        let place = if round % 2 == 0 { at } else { at % 60_000 };
        match round % 3 {
            0 => damaged.truncate(place),
            _ => damaged[place..].iter_mut().take(1 << (round % 8)).for_each(|byte| *byte = !*byte),
        }
        fs::write(folder.path().join("model.onnx"), damaged).unwrap();
        let manifest = Manifest::new("damaged", 384, Pooling::Mean, 256, "Apache-2.0");
        tiny::list(folder.path(), manifest, &["model.onnx", "tokenizer.json"]);
        if let Err(error) = Model::open(folder.path()) {
            assert!(error.code().starts_with("model_"), "{error}");
        }
    }
}

#[test]
fn the_real_model_knows_what_is_meant() {
    let folder = TempDir::new().unwrap();
    let Some(()) = embed_world::minilm_int8(folder.path()) else { return };
    let model = Model::open(folder.path()).unwrap();
    let encode = |text: &str| model.encode(text).unwrap();
    let query = encode("credential dumping");
    let near = encode("Stealing passwords from the memory of a process.");
    let far = encode("The bakery opens at seven and sells bread made of rye.");
    assert!(cosine(&query, &near) > cosine(&query, &far) + 0.2);
}
