//! A model of a few kilobytes: a BERT or an MPNet of one layer with weights of no sense, which encodes all the same.

use std::fs;
use std::path::Path;

use index::embed::{Manifest, Pooling};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

pub(crate) const WIDTH: usize = 8;
const WIDE: usize = 16;
const POSITIONS: usize = 130;
pub(crate) const TOKENS_MAX: usize = 128;
const WORDS: &[&str] = &[
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "lateral",
    "movement",
    "stolen",
    "tickets",
    "pass",
    "the",
    "with",
    "of",
    "a",
    "b",
    "c",
    ".",
    ",",
    "##s",
    "credential",
    "dump",
    "##ing",
    "theft",
];

/// Writes the model that is called so into a folder, with its manifest.
pub(crate) fn write(folder: &Path, name: &str, kind: &str) {
    write_files(folder, kind);
    list(folder, Manifest::new(name, WIDTH, Pooling::Mean, TOKENS_MAX, "MIT"), &FILES);
}

pub(crate) const FILES: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

/// Writes its files alone, as a publisher would.
pub(crate) fn write_files(folder: &Path, kind: &str) {
    fs::create_dir_all(folder).expect("a folder to write to");
    let config = json!({
        "model_type": kind, "num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": WIDTH,
        "hidden_act": "gelu", "layer_norm_eps": 1e-12,
    });
    fs::write(folder.join("config.json"), config.to_string()).expect("a folder to write to");
    fs::write(folder.join("model.safetensors"), weights(kind)).expect("a folder to write to");
    fs::write(folder.join("tokenizer.json"), tokenizer().to_string()).expect("a folder to write to");
}

/// Completes a manifest with the files of a folder, and writes it there.
pub(crate) fn list(folder: &Path, mut manifest: Manifest, files: &[&str]) {
    for name in files {
        let bytes = fs::read(folder.join(name)).expect("the file that was written");
        manifest.list(name, bytes.len() as u64, &Sha256::digest(&bytes).into());
    }
    fs::write(folder.join("manifest.json"), manifest.to_bytes()).expect("a folder to write to");
}

fn tokenizer() -> Value {
    let vocabulary: Map<String, Value> =
        WORDS.iter().enumerate().map(|(id, word)| ((*word).to_owned(), json!(id))).collect();
    let special = |id: usize| {
        json!({"id": id, "content": WORDS[id], "special": true, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false})
    };
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [special(0), special(1), special(2), special(3)],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
        "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary},
    })
}

fn weights(kind: &str) -> Vec<u8> {
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    let mut weight = |name: &str, shape: &[usize]| shapes.push((name.to_owned(), shape.to_vec()));
    weight("embeddings.word_embeddings.weight", &[WORDS.len(), WIDTH]);
    weight("embeddings.position_embeddings.weight", &[POSITIONS, WIDTH]);
    let attention = match kind {
        "mpnet" => {
            weight("encoder.relative_attention_bias.weight", &[32, 2]);
            [
                "attention.attn.q",
                "attention.attn.k",
                "attention.attn.v",
                "attention.attn.o",
                "attention.LayerNorm",
            ]
        }
        _ => {
            weight("embeddings.token_type_embeddings.weight", &[2, WIDTH]);
            [
                "attention.self.query",
                "attention.self.key",
                "attention.self.value",
                "attention.output.dense",
                "attention.output.LayerNorm",
            ]
        }
    };
    let [query, key, value, attended, norm] = attention;
    let layers = [(query, [WIDTH; 2]), (key, [WIDTH; 2]), (value, [WIDTH; 2]), (attended, [WIDTH; 2])];
    let wider = [("intermediate.dense", [WIDE, WIDTH]), ("output.dense", [WIDTH, WIDE])];
    for (part, shape) in layers.into_iter().chain(wider) {
        weight(&format!("encoder.layer.0.{part}.weight"), &shape);
        weight(&format!("encoder.layer.0.{part}.bias"), &shape[..1]);
    }
    let norms = [norm, "output.LayerNorm"].map(|part| format!("encoder.layer.0.{part}"));
    for part in norms.iter().map(String::as_str).chain(["embeddings.LayerNorm"]) {
        weight(&format!("{part}.weight"), &[WIDTH]);
        weight(&format!("{part}.bias"), &[WIDTH]);
    }
    safetensors(&shapes)
}

fn safetensors(shapes: &[(String, Vec<usize>)]) -> Vec<u8> {
    let (mut table, mut data, mut state) = (Map::new(), Vec::new(), 1_u32);
    for (name, shape) in shapes {
        let begin = data.len();
        for _ in 0..shape.iter().product() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let component = (state >> 8) as f32 / (1 << 24) as f32 - 0.5;
            data.extend(component.to_le_bytes());
        }
        table.insert(
            name.clone(),
            json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()]}),
        );
    }
    let mut table = Value::Object(table).to_string();
    table.extend(std::iter::repeat_n(' ', table.len().next_multiple_of(8) - table.len()));
    [&(table.len() as u64).to_le_bytes()[..], table.as_bytes(), &data].concat()
}
