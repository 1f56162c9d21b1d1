//! Text becomes vectors: a model is a folder of files, loaded from the disk and never from elsewhere.
//!
//! ```text
//! manifest.json      the model's name and form, and the length and SHA-256 of every other file ([`Manifest`])
//! tokenizer.json     how text is cut into tokens
//! model.onnx         the network, with its weights; or
//! model.safetensors  weights alone, with config.json: a BERT or an MPNet, whose network is written here
//! ```
//!
//! Files are held against their digests before anything else looks at them. What runs them may still panic on what is
//! damaged in spite of that, or was never sound: no panic gets out of [`Model`].

mod manifest;
mod model;
mod network;
mod passages;
mod unusable;
#[cfg(feature = "conformance")]
pub mod words;

use std::ops::Range;

use storage::model::Embedding;

use crate::error::Result;

pub use manifest::{File, MANIFEST, Manifest, NAME_CHARS_MAX, Pooling};
pub use model::Model;
pub use unusable::Unusable;

/// A query is cut after so many tokens: its vector is made while somebody waits.
pub const QUERY_TOKENS_MAX: usize = 64;
/// No model is given more tokens at once.
pub const TOKENS_MAX: usize = 512;

/// Text becomes a vector of unit length.
pub trait Encoder: Send + Sync {
    /// Which model it is.
    fn model(&self) -> &ModelId;

    /// The vector of a text; what is longer than the model takes is cut. [`Encoder::passages`] says where to cut what
    /// should count whole.
    ///
    /// # Errors
    /// `Invalid` if there is nothing in the text that the model knows as a token, `Model` if the model fails.
    fn encode(&self, text: &str) -> Result<Vec<f32>>;

    /// Where a text is cut, in bytes, so that the model takes each passage whole: between sentences where possible. They
    /// lie side by side and cover the text; there are none if nothing in it is a token.
    fn passages(&self, text: &str) -> Vec<Range<usize>>;
}

/// Which model made a vector. Vectors of different models cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelId {
    /// Its name, for people.
    pub name: String,
    /// SHA-256 of its manifest, which holds the digests of its files.
    pub digest: [u8; 32],
    /// Components of a vector.
    pub dimension: usize,
}

impl ModelId {
    /// Whether a vector that came with the data is one of this model: by its name, since whoever made it elsewhere knows no
    /// digest of ours.
    ///
    /// # Errors
    /// What sets it apart, `other_model` or `other_dimension`.
    pub fn takes(&self, embedding: &Embedding) -> Result<(), &'static str> {
        if embedding.model != self.name {
            return Err("other_model");
        }
        if embedding.vector.len() == self.dimension { Ok(()) } else { Err("other_dimension") }
    }
}

/// Brings a vector to unit length; false if it has none, or a component is not a number.
#[must_use]
pub fn normalise(vector: &mut [f32]) -> bool {
    let length = vector.iter().map(|component| f64::from(*component).powi(2)).sum::<f64>().sqrt();
    if !length.is_finite() || length < f64::from(f32::MIN_POSITIVE) {
        return false;
    }
    vector.iter_mut().for_each(|component| *component = (f64::from(*component) / length) as f32);
    true
}
