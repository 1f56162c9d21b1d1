//! An encoder without a model, for tests: texts that share words are near each other.

use std::ops::Range;

use sha2::{Digest as _, Sha256};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Encoder, ModelId, normalise, passages};
use crate::error::{Error, Result};

/// Words of a passage.
const WORDS_MAX: usize = 64;

/// Each word adds a direction of its own, the same in every process.
#[derive(Clone, Debug)]
pub struct Words(ModelId);

impl Words {
    /// An encoder of that name: another name is another model, and makes other vectors.
    #[must_use]
    pub fn new(name: &str, dimension: usize) -> Words {
        Words(ModelId { name: name.to_owned(), digest: Sha256::digest(name).into(), dimension })
    }

    fn add(&self, word: &str, vector: &mut [f32]) {
        for (block, components) in vector.chunks_mut(32).enumerate() {
            let digest = Sha256::new()
                .chain_update(self.0.digest)
                .chain_update((block as u64).to_le_bytes())
                .chain_update(word.to_lowercase())
                .finalize();
            for (component, byte) in components.iter_mut().zip(digest) {
                *component += f32::from(byte) - 127.5;
            }
        }
    }
}

impl Encoder for Words {
    fn model(&self) -> &ModelId {
        &self.0
    }

    fn encode(&self, text: &str) -> Result<Vec<f32>> {
        let mut vector = vec![0.0; self.0.dimension];
        text.unicode_words().take(WORDS_MAX).for_each(|word| self.add(word, &mut vector));
        match normalise(&mut vector) {
            true => Ok(vector),
            false => Err(Error::invalid("nothing to encode", "", "a text needs a word at least".to_owned())),
        }
    }

    fn passages(&self, text: &str) -> Vec<Range<usize>> {
        let ends =
            |piece: &str| Some(piece.unicode_word_indices().map(|(at, word)| at + word.len()).collect());
        passages::cut(text, WORDS_MAX, &ends)
    }
}
