//! What a question asks of a document beside its words: what is visible, and what the reader chose.

use std::sync::Arc;

use tantivy::columnar::{ColumnValues, StrColumn};
use tantivy::{DocId, SegmentReader};

use super::schema::{RELATION, REVOKED, column};
use super::search::{Groups, Query};
use super::visible::Visible;
use crate::error::Result;

/// What a question asks of a document beside its words.
pub(super) struct Filter<'a> {
    pub(super) visible: &'a Visible<'a>,
    pub(super) things: Arc<dyn ColumnValues<u64>>,
    pub(super) times: Arc<dyn ColumnValues<i64>>,
    flags: Arc<dyn ColumnValues<u64>>,
    /// Flags that are looked at, and what they must be.
    flags_mask: u64,
    flags_wanted: u64,
    time: Option<(i64, i64)>,
    pub(super) kinds: Choice,
    pub(super) sources: Choice,
    pub(super) groups: Groups,
    /// Whether documents are counted by their time.
    pub(super) is_charted: bool,
}

/// What there is to choose by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Kind,
    Source,
    Group,
}

/// Which choices a document does not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    Nothing,
    Only(By),
    Several,
}

/// A column of words, and those of them that are asked for.
pub(super) struct Choice {
    column: Option<StrColumn>,
    /// `None`: all.
    wanted: Option<Vec<u64>>,
    unwanted: Vec<u64>,
}

impl Choice {
    fn new(segment: &SegmentReader, name: &str, wanted: &[String], unwanted: &[String]) -> Result<Choice> {
        let column = segment.fast_fields().str(name)?;
        let ord_of = |word: &String| match &column {
            Some(column) => column.dictionary().term_ord(word.as_bytes()).ok().flatten(),
            None => None,
        };
        let wanted = (!wanted.is_empty()).then(|| wanted.iter().filter_map(ord_of).collect());
        let unwanted = unwanted.iter().filter_map(ord_of).collect();
        Ok(Choice { column, wanted, unwanted })
    }

    pub(super) fn ord(&self, doc: DocId) -> Option<u64> {
        self.column.as_ref()?.ords().first(doc)
    }

    fn has(&self, doc: DocId) -> bool {
        if self.wanted.is_none() && self.unwanted.is_empty() {
            return true;
        }
        let ord = self.ord(doc);
        let is_wanted = |wanted: &Vec<u64>| ord.is_some_and(|ord| wanted.contains(&ord));
        self.wanted.as_ref().is_none_or(is_wanted) && !is_wanted(&self.unwanted)
    }

    pub(super) fn word(&self, ord: u64) -> Option<String> {
        let mut word = String::new();
        let found = self.column.as_ref()?.ord_to_str(ord, &mut word).ok()?;
        found.then_some(word)
    }
}

impl<'a> Filter<'a> {
    pub(super) fn new(
        segment: &SegmentReader,
        visible: &'a Visible<'a>,
        query: &Query,
    ) -> Result<Filter<'a>> {
        let columns = segment.fast_fields();
        let (flags_mask, flags_wanted) = flags(query);
        Ok(Filter {
            visible,
            things: columns.u64(column::THING)?.first_or_default_col(0),
            times: columns.i64(column::TIME)?.first_or_default_col(0),
            flags: columns.u64(column::FLAGS)?.first_or_default_col(0),
            flags_mask,
            flags_wanted,
            time: query.time.map(|range| (range.from_us, range.to_us)),
            kinds: Choice::new(segment, column::KIND, &query.types, &query.not_types)?,
            sources: Choice::new(segment, column::SOURCE, &query.sources, &query.not_sources)?,
            groups: query.groups.clone(),
            is_charted: query.chart,
        })
    }

    pub(super) fn has(&self, doc: DocId) -> bool {
        self.has_but_for_choices(doc)
            && self.kinds.has(doc)
            && self.sources.has(doc)
            && self.groups.has(self.visible.label(doc))
    }

    pub(super) fn has_but_for_choices(&self, doc: DocId) -> bool {
        self.visible.has(doc)
            && (self.flags_mask == 0 || self.flags.get_val(doc) & self.flags_mask == self.flags_wanted)
            && self.time.is_none_or(|(from, to)| {
                let time = self.times.get_val(doc);
                from <= time && time < to
            })
    }

    /// Which choices a document does not meet that passes everything else.
    pub(super) fn missed(&self, doc: DocId) -> Missed {
        let met = [
            (By::Kind, self.kinds.has(doc)),
            (By::Source, self.sources.has(doc)),
            (By::Group, self.groups.has(self.visible.label(doc))),
        ];
        let mut missed = met.iter().filter(|(_, is_met)| !is_met).map(|(by, _)| *by);
        match (missed.next(), missed.next()) {
            (None, _) => Missed::Nothing,
            (Some(by), None) => Missed::Only(by),
            (Some(_), Some(_)) => Missed::Several,
        }
    }
}

impl Missed {
    /// Whether a facet counts the document: its own choice does not narrow it.
    pub(super) fn counts_for(self, by: By) -> bool {
        self == Missed::Nothing || self == Missed::Only(by)
    }
}

fn flags(query: &Query) -> (u64, u64) {
    let (mut mask, mut wanted) = (0, 0);
    if !query.include_revoked {
        mask |= REVOKED;
    }
    if let Some(form) = query.form {
        mask |= RELATION;
        wanted |= if form == storage::model::Form::Relation { RELATION } else { 0 };
    }
    (mask, wanted)
}
