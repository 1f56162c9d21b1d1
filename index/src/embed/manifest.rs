//! What a model says of itself, and which files it is made of.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{ModelId, TOKENS_MAX, Unusable};

/// The file of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// The file of the tokenizer.
pub(super) const TOKENIZER: &str = "tokenizer.json";
pub(super) const NETWORK: &str = "model.onnx";
pub(super) const WEIGHTS: &str = "model.safetensors";
pub(super) const CONFIG: &str = "config.json";

/// Names are no longer than this.
pub const NAME_CHARS_MAX: usize = 64;
/// A manifest is no longer than this.
const MANIFEST_BYTES_MAX: u64 = 64 << 10;
const LICENCE_CHARS_MAX: usize = 100;
const DIMENSION_MAX: usize = 4096;
/// A tokenizer takes several times as much memory as its file.
const TOKENIZER_BYTES_MAX: u64 = 32 << 20;
const FORMAT: u32 = 1;

/// The manifest of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of this form.
    format: u32,
    /// What the model is called: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// Components of a vector.
    pub dimension: usize,
    /// How the vectors of tokens become one.
    pub pooling: Pooling,
    /// How that is brought to its length: always to one.
    normalisation: Normalisation,
    /// Tokens that the model takes at once.
    pub tokens_max: usize,
    /// Whatever its publisher says, such as `Apache-2.0`.
    pub licence: String,
    /// Its other files.
    pub files: BTreeMap<String, File>,
}

/// How the vectors of tokens become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The vector of the first token, which stands for all.
    Cls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Normalisation {
    Unit,
}

/// A file of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its length.
    pub bytes: u64,
    /// SHA-256, in hex.
    pub sha256: String,
}

impl Manifest {
    /// A manifest of this form, without files.
    #[must_use]
    pub fn new(name: &str, dimension: usize, pooling: Pooling, tokens_max: usize, licence: &str) -> Manifest {
        Manifest {
            format: FORMAT,
            name: name.to_owned(),
            dimension,
            pooling,
            normalisation: Normalisation::Unit,
            tokens_max,
            licence: licence.to_owned(),
            files: BTreeMap::new(),
        }
    }

    /// Reads the manifest of a folder, and which model that makes it.
    ///
    /// # Errors
    /// If there is none, or it says what cannot be.
    pub fn read(folder: &Path) -> Result<(Manifest, ModelId), Unusable> {
        let path = folder.join(MANIFEST);
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => Unusable::Missing(MANIFEST.to_owned()),
            _ => Unusable::Unreadable { file: MANIFEST.to_owned(), error: error.to_string() },
        };
        if fs::metadata(&path).map_err(failed)?.len() > MANIFEST_BYTES_MAX {
            return Err(Unusable::Manifest(format!("longer than {MANIFEST_BYTES_MAX} bytes")));
        }
        Manifest::parse(&fs::read(&path).map_err(failed)?)
    }

    /// The same, from the bytes of the file.
    ///
    /// # Errors
    /// If it says what cannot be.
    pub fn parse(bytes: &[u8]) -> Result<(Manifest, ModelId), Unusable> {
        if bytes.len() as u64 > MANIFEST_BYTES_MAX {
            return Err(Unusable::Manifest(format!("longer than {MANIFEST_BYTES_MAX} bytes")));
        }
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(|error| Unusable::Manifest(error.to_string()))?;
        manifest.check()?;
        let (name, digest) = (manifest.name.clone(), Sha256::digest(bytes).into());
        let id = ModelId { name, digest, dimension: manifest.dimension };
        Ok((manifest, id))
    }

    /// The bytes of the file.
    ///
    /// # Panics
    /// Never: it is plain data.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("plain data");
        bytes.push(b'\n');
        bytes
    }

    /// Lists a file.
    pub fn list(&mut self, name: &str, bytes: u64, sha256: &[u8; 32]) {
        let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        self.files.insert(name.to_owned(), File { bytes, sha256 });
    }

    /// Bytes of its files together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.values().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    fn check(&self) -> Result<(), Unusable> {
        let refuse = |why: String| Err(Unusable::Manifest(why));
        if self.format != FORMAT {
            return refuse(format!("its format is {}; this program knows {FORMAT}", self.format));
        }
        if !is_name(&self.name) {
            let rule = format!("letters, digits, `.`, `_` and `-`, at most {NAME_CHARS_MAX}, not `.` first");
            return refuse(format!("name `{}`: {rule}", cut(&self.name)));
        }
        if !(1..=DIMENSION_MAX).contains(&self.dimension) {
            return refuse(format!("dimension {}: 1 to {DIMENSION_MAX}", self.dimension));
        }
        if !(8..=TOKENS_MAX).contains(&self.tokens_max) {
            return refuse(format!("tokens_max {}: 8 to {TOKENS_MAX}", self.tokens_max));
        }
        if self.licence.is_empty() || self.licence.chars().count() > LICENCE_CHARS_MAX {
            return refuse(format!("licence `{}`: 1 to {LICENCE_CHARS_MAX} characters", cut(&self.licence)));
        }
        self.check_files()
    }

    /// A network with its weights, or weights and what network they are of; always a tokenizer.
    fn check_files(&self) -> Result<(), Unusable> {
        let names: Vec<_> = self.files.keys().map(String::as_str).collect();
        let lists = |name: &str| names.contains(&name);
        if !lists(TOKENIZER) {
            return Err(Unusable::Missing(TOKENIZER.to_owned()));
        }
        if names != [NETWORK, TOKENIZER] && names != [CONFIG, WEIGHTS, TOKENIZER] {
            let wanted = format!("{NETWORK} and {TOKENIZER}, or {CONFIG}, {WEIGHTS} and {TOKENIZER}");
            return Err(Unusable::Manifest(format!(
                "it lists `{}`; a model is {wanted}",
                names.join("`, `")
            )));
        }
        if self.files[TOKENIZER].bytes > TOKENIZER_BYTES_MAX {
            return Err(Unusable::Tokenizer(format!("longer than {TOKENIZER_BYTES_MAX} bytes")));
        }
        Ok(())
    }
}

/// Whether a model can be called that: it is also the name of a folder.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=NAME_CHARS_MAX).contains(&name.len()) && !name.starts_with('.') && name.chars().all(is_plain)
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
