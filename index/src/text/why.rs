//! What the score of a hit is made of.

use tantivy::{DocAddress, DocSet as _, Searcher};

use super::collect::coordination;
use super::plan::Plan;
use crate::error::Result;

/// What a score is made of: the sum of its shares, times a factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// What each word adds, most first.
    pub shares: Vec<Share>,
    /// Less than 1 if not all words of a short question are there.
    pub factor: f64,
}

/// What one word adds by being in one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The word as it was asked for; none for an id.
    pub word: Option<String>,
    /// What is there: its stem, or that of what it may have been meant to be.
    pub found: String,
    /// Where.
    pub place: Where,
    /// How much.
    pub score: f32,
}

/// Where a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// In a name.
    Title,
    /// In a text or a claim.
    Body,
    /// It is the id.
    Id,
}

impl Plan {
    /// Why a document has its score.
    pub(super) fn why(&self, searcher: &Searcher, at: DocAddress) -> Result<Why> {
        let segment = searcher.segment_reader(at.segment_ord);
        let (mut shares, mut matched) = (Vec::new(), 0u128);
        for leaf in &self.leaves {
            let mut docs = leaf.weight.scorer(segment, 1.0)?;
            if docs.doc() > at.doc_id || docs.seek(at.doc_id) != at.doc_id {
                continue;
            }
            matched |= leaf.word.map_or(0, |word| 1 << word);
            let word = leaf.word.and_then(|word| self.asked.get(word)).cloned();
            shares.push(Share { word, found: leaf.found.clone(), place: leaf.place, score: docs.score() });
        }
        shares.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(Why { shares, factor: coordination(matched.count_ones() as usize, self.words) })
    }
}
