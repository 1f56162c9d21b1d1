//! What given things score for a question: the words' part of hits that were found in another way.

use std::collections::HashMap;

use storage::ids::{LabelId, ThingId};
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocId, DocSet as _, Searcher, SegmentReader, TERMINATED};

use super::collect::Scores;
use super::filter::Filter;
use super::plan::Plan;
use super::search::{Allowed, Pinned, Query};
use super::why::Why;
use crate::error::Result;

/// What the words of a question are worth in one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The label of its best document.
    pub label: LabelId,
    /// BM25, exactly as a search has it; 0 if it has none of the words.
    pub score: f32,
    /// The share of the question's words that are there, rare words counting more; from 0 to 1.
    pub coverage: f64,
    /// What the score is made of, if that was asked for.
    pub why: Option<Why>,
}

/// The best document of a thing so far.
#[derive(Clone, Copy)]
struct Best {
    at: DocAddress,
    label: LabelId,
    score: f32,
    matched: u128,
}

impl Pinned {
    /// What each of some things scores by the best of its documents that pass; `None` for a thing of which none does.
    /// Finds the documents by their things and does not search again: conditions of the question are not looked at.
    ///
    /// # Errors
    /// As for [`Pinned::search`].
    pub fn scores(&self, query: &Query, allowed: &Allowed, things: &[ThingId]) -> Result<Vec<Option<Given>>> {
        let visible = self.visible(allowed)?;
        let plan = self.plan(query, &visible, false)?;
        let mut best = vec![None; things.len()];
        for ((number, segment), visible) in (0..).zip(self.searcher.segment_readers()).zip(&visible) {
            let filter = Filter::new(segment, visible, query)?;
            let mut scores = Scores::new(segment, &plan)?;
            for (doc, place) in self.documents_of(segment, things, &filter)? {
                let (score, matched) = scores.with_words(doc);
                let slot: &mut Option<Best> = &mut best[place];
                if slot.is_none_or(|best| score > best.score) {
                    let at = DocAddress::new(number, doc);
                    *slot = Some(Best { at, label: visible.label(doc), score, matched });
                }
            }
        }
        let worths = worths(&self.searcher, &plan);
        best.into_iter()
            .map(|best| best.map(|best| self.given(query, &plan, &worths, best)).transpose())
            .collect()
    }

    fn given(&self, query: &Query, plan: &Plan, worths: &[f64], best: Best) -> Result<Given> {
        let why = query.explain.then(|| plan.why(&self.searcher, best.at)).transpose()?;
        let has = |(word, worth): (usize, &f64)| if best.matched & (1 << word) == 0 { 0.0 } else { *worth };
        let (all, there) = (worths.iter().sum::<f64>(), worths.iter().enumerate().map(has).sum::<f64>());
        let coverage = if all > 0.0 { there / all } else { 1.0 };
        Ok(Given { label: best.label, score: best.score, coverage, why })
    }

    /// The documents of some things in a segment, in order, each with the place of its thing; only those that pass.
    fn documents_of(
        &self,
        segment: &SegmentReader,
        things: &[ThingId],
        filter: &Filter<'_>,
    ) -> Result<Vec<(DocId, usize)>> {
        let index = segment.inverted_index(self.fields.key)?;
        let mut found: Vec<(TermInfo, usize)> = Vec::new();
        for (place, thing) in things.iter().enumerate() {
            let (from, to) = (thing.0.to_be_bytes(), (thing.0 + 1).to_be_bytes());
            let mut keys = index.terms().range().ge(from).lt(to).into_stream()?;
            while let Some((_, info)) = keys.next() {
                found.push((info.clone(), place));
            }
        }
        let mut documents = Vec::new();
        for (info, place) in found {
            let mut docs = index.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
            while docs.doc() != TERMINATED {
                if filter.has(docs.doc()) {
                    documents.push((docs.doc(), place));
                }
                docs.advance();
            }
        }
        documents.sort_unstable();
        Ok(documents)
    }
}

/// What each word of a question is worth: the rarer, the more, and most if nobody visible has it.
fn worths(searcher: &Searcher, plan: &Plan) -> Vec<f64> {
    let mut in_docs = HashMap::new();
    for leaf in &plan.leaves {
        if let Some(word) = leaf.word {
            let docs: &mut u64 = in_docs.entry(word).or_default();
            *docs = leaf.docs.max(*docs);
        }
    }
    let all = searcher.num_docs() as f64;
    let worth = |word| {
        let docs = in_docs.get(&word).map_or(0.0, |docs| *docs as f64);
        (1.0 + (all - docs + 0.5).max(0.0) / (docs + 0.5)).ln()
    };
    (0..plan.words).map(worth).collect()
}
