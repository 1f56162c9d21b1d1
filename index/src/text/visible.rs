//! Which documents of a segment exist for a reader.
//!
//! Who may see few of them is answered from these: the index lists the documents of each label, so that nobody's
//! question takes longer for what is hidden from him.

use std::cell::OnceCell;
use std::sync::Arc;

use storage::ids::LabelId;
use tantivy::columnar::ColumnValues;
use tantivy::fastfield::AliveBitSet;
use tantivy::postings::{SegmentPostings, TermInfo};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, SegmentReader, TERMINATED, Term};

use super::schema::column;
use super::search::Allowed;
use crate::error::Result;

/// The documents of a segment are listed for who may see at most one in so many of them.
const LISTED_SHARE: u32 = 16;
/// Labels whose documents are listed: finding those of one takes about half a microsecond.
const LISTED_LABELS_MAX: usize = 1_024;
/// Finding one document in the list of a word takes as long as walking over so many of them.
const SEEK_DOCS: u64 = 8;
/// Lists of words that are shorter together, in documents, are walked over: to find out what is shorter takes longer.
const WALKED_DOCS: u64 = 1_024;

/// Which documents of a segment exist for a reader.
pub(super) struct Visible<'s> {
    segment: &'s SegmentReader,
    /// Where the documents of a label are listed.
    field: Field,
    alive: Option<&'s AliveBitSet>,
    labels: Arc<dyn ColumnValues<u64>>,
    /// `None` where every label of the segment is allowed: no test then.
    allowed: Option<AllowedHere>,
}

/// How to come to what a reader may see of lists of documents.
pub(super) enum Way<'v> {
    /// By finding in the lists what exists: these documents, in order.
    These(&'v [DocId]),
    /// By walking over the lists, of which little exists.
    Few,
    /// By walking over the lists, of which anything may exist.
    Most,
}

/// The labels of a segment that are allowed, of which not all are.
struct AllowedHere {
    labels: Vec<u32>,
    /// A bit for each label.
    bits: Vec<u64>,
    /// Where the documents under them are listed, if they are few; found out when it matters.
    lists: OnceCell<Option<Lists>>,
    /// The documents that exist, in order, if they are few.
    listed: OnceCell<Vec<DocId>>,
}

struct Lists {
    lists: Vec<TermInfo>,
    docs: u64,
}

impl<'s> Visible<'s> {
    pub(super) fn new(segment: &'s SegmentReader, field: Field, allowed: &Allowed) -> Result<Visible<'s>> {
        let labels = segment.fast_fields().u64(column::LABEL)?.first_or_default_col(0);
        let allowed = allowed.between(labels.min_value(), labels.max_value()).map(AllowedHere::new);
        Ok(Visible { segment, field, alive: segment.alive_bitset(), labels, allowed })
    }

    pub(super) fn has(&self, doc: DocId) -> bool {
        self.is_alive(doc)
            && self.allowed.as_ref().is_none_or(|allowed| allowed.has(self.labels.get_val(doc)))
    }

    fn is_alive(&self, doc: DocId) -> bool {
        self.alive.is_none_or(|alive| alive.is_alive(doc))
    }

    pub(super) fn label(&self, doc: DocId) -> LabelId {
        LabelId(self.labels.get_val(doc) as u32)
    }

    /// The fastest way to what exists of lists of these lengths.
    pub(super) fn way(&self, lists: impl Iterator<Item = u32> + Clone) -> Result<Way<'_>> {
        let walked: u64 = lists.clone().map(u64::from).sum();
        let Some(allowed) = self.allowed.as_ref().filter(|_| walked >= WALKED_DOCS) else {
            return Ok(Way::Most);
        };
        let Some(few) = self.lists_of(allowed)? else { return Ok(Way::Most) };
        let found: u64 = lists.map(|docs| few.docs.min(docs.into())).sum();
        if found * SEEK_DOCS < walked { self.listed(allowed, few).map(Way::These) } else { Ok(Way::Few) }
    }

    /// Whether any of these documents exists.
    pub(super) fn has_any(&self, mut docs: SegmentPostings) -> Result<bool> {
        if let Way::These(few) = self.way(std::iter::once(docs.doc_freq()))? {
            return Ok(few.iter().any(|&doc| docs.doc() <= doc && docs.seek(doc) == doc));
        }
        while docs.doc() != TERMINATED && !self.has(docs.doc()) {
            docs.advance();
        }
        Ok(docs.doc() != TERMINATED)
    }

    fn lists_of<'a>(&self, allowed: &'a AllowedHere) -> Result<Option<&'a Lists>> {
        if allowed.lists.get().is_none() {
            let _ = allowed.lists.set(self.find_lists(&allowed.labels)?);
        }
        Ok(allowed.lists.get().and_then(Option::as_ref))
    }

    fn find_lists(&self, labels: &[u32]) -> Result<Option<Lists>> {
        if labels.len() > LISTED_LABELS_MAX {
            return Ok(None);
        }
        let docs_max = u64::from(self.segment.max_doc() / LISTED_SHARE);
        let index = self.segment.inverted_index(self.field)?;
        let mut found = Lists { lists: Vec::new(), docs: 0 };
        for &label in labels {
            if let Some(list) = index.get_term_info(&Term::from_field_u64(self.field, label.into()))? {
                found.docs += u64::from(list.doc_freq);
                found.lists.push(list);
            }
            if found.docs > docs_max {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    fn listed<'a>(&self, allowed: &'a AllowedHere, few: &Lists) -> Result<&'a [DocId]> {
        if allowed.listed.get().is_none() {
            let _ = allowed.listed.set(self.list(few)?);
        }
        Ok(allowed.listed.get().map_or(&[], Vec::as_slice))
    }

    fn list(&self, few: &Lists) -> Result<Vec<DocId>> {
        let index = self.segment.inverted_index(self.field)?;
        let mut listed = Vec::with_capacity(few.docs as usize);
        for list in &few.lists {
            let mut docs = index.read_postings_from_terminfo(list, IndexRecordOption::Basic)?;
            while docs.doc() != TERMINATED {
                listed.push(docs.doc());
                docs.advance();
            }
        }
        listed.retain(|&doc| self.is_alive(doc));
        // Sorted runs, one for each label: what a stable sort is fastest at.
        listed.sort();
        Ok(listed)
    }
}

impl AllowedHere {
    fn new(labels: Vec<u32>) -> AllowedHere {
        let mut bits = vec![0; labels.last().map_or(0, |max| *max as usize / 64 + 1)];
        for &label in &labels {
            bits[label as usize / 64] |= 1 << (label % 64);
        }
        AllowedHere { labels, bits, lists: OnceCell::new(), listed: OnceCell::new() }
    }

    fn has(&self, label: u64) -> bool {
        let word = self.bits.get((label / 64) as usize);
        word.is_some_and(|word| word & (1 << (label % 64)) != 0)
    }
}
