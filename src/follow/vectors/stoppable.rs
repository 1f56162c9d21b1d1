//! Ending in the middle of a text.

use std::ops::Range;
use std::sync::Arc;

use index::embed::{Encoder, ModelId};
use storage::model::Label;

use super::Shared;

/// An encoder that ends when the node does: a text with many passages is not waited for.
pub(super) struct Stoppable {
    pub(super) encoder: Arc<dyn Encoder>,
    pub(super) shared: Arc<Shared>,
}

impl Encoder for Stoppable {
    fn model(&self) -> &ModelId {
        self.encoder.model()
    }

    fn encode(&self, text: &str) -> index::Result<Vec<f32>> {
        if self.shared.is_stopping() { Err(index::Error::Stopped) } else { self.encoder.encode(text) }
    }

    fn passages(&self, text: &str) -> Vec<Range<usize>> {
        self.encoder.passages(text)
    }

    fn at_once(&self) -> usize {
        self.encoder.at_once()
    }

    fn encode_all(&self, texts: &[&str]) -> index::Result<Vec<Vec<f32>>> {
        if self.shared.is_stopping() { Err(index::Error::Stopped) } else { self.encoder.encode_all(texts) }
    }

    fn may_have(&self, label: &Label) -> bool {
        self.encoder.may_have(label)
    }
}
