//! Text becomes vectors.

use std::ops::Range;

use crate::error::Result;

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
