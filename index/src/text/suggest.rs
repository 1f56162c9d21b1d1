//! Suggestions: things whose title begins like what is being typed.

use std::collections::HashSet;

use storage::ids::{LabelId, ThingId};
use tantivy::columnar::ColumnValues;
use tantivy::query::{BooleanQuery, EnableScoring, Occur, Query as EngineQuery, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, SegmentReader, TERMINATED, Term};

use super::schema::{column, folded, whole, words};
use super::search::{Allowed, Pinned};
use super::terms;
use super::visible::Visible;
use crate::error::Result;

/// Titles that are looked at in one segment.
const TITLES_LOOKED_AT_MAX: usize = 5_000;
/// Words that what is being typed may grow into.
const WORDS_GROWN_MAX: usize = 64;

/// A thing that the user may mean. Its title is what the assertion under this label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Suggestion {
    /// The thing.
    pub thing: ThingId,
    /// The label of the title that matched.
    pub label: LabelId,
}

impl Pinned {
    /// Up to `limit` visible things: first those whose title begins so, in order of title, then those with
    /// a word in their title that does. Upper and lower case and accents do not matter.
    ///
    /// # Errors
    /// `Damaged` or `Io` if the files fail.
    pub fn suggest(&self, prefix: &str, limit: usize, allowed: &Allowed) -> Result<Vec<Suggestion>> {
        let mut suggestions = Suggestions::new(limit);
        let visible = self.visible(allowed)?;
        if let Some(head) = words(&mut whole(), prefix.trim_start()).pop().filter(|head| !head.is_empty()) {
            self.suggest_heads(&head, &visible, &mut suggestions)?;
            self.suggest_words(&words(&mut folded(), prefix), &visible, &mut suggestions)?;
        }
        Ok(suggestions.found)
    }

    fn suggest_heads(
        &self,
        head: &str,
        visible: &[Visible<'_>],
        suggestions: &mut Suggestions,
    ) -> Result<()> {
        let mut titles = Vec::new();
        for (segment, visible) in self.searcher.segment_readers().iter().zip(visible) {
            heads(segment, self.fields.head, head, visible, suggestions.limit, &mut titles)?;
        }
        titles.sort_unstable();
        titles.into_iter().for_each(|(_, suggestion)| suggestions.add(suggestion));
        Ok(())
    }

    fn suggest_words(
        &self,
        words: &[String],
        visible: &[Visible<'_>],
        suggestions: &mut Suggestions,
    ) -> Result<()> {
        let Some((last, whole)) = words.split_last().filter(|_| !suggestions.is_full()) else {
            return Ok(());
        };
        let field = self.fields.name;
        let grown = terms::beginning_with(&self.searcher, field, last)?;
        let grown =
            grown.into_iter().take(WORDS_GROWN_MAX).map(|known| Term::from_field_text(field, &known.word));
        let mut clauses: Vec<(Occur, Box<dyn EngineQuery>)> =
            vec![(Occur::Must, Box::new(TermSetQuery::new(grown)))];
        for word in whole {
            let term = TermQuery::new(Term::from_field_text(field, word), IndexRecordOption::Basic);
            clauses.push((Occur::Must, Box::new(term)));
        }
        let weight =
            BooleanQuery::new(clauses).weight(EnableScoring::disabled_from_searcher(&self.searcher))?;
        for (segment, visible) in self.searcher.segment_readers().iter().zip(visible) {
            let columns = Columns::new(segment)?;
            let mut docs = weight.scorer(segment, 1.0)?;
            while docs.doc() != TERMINATED && !suggestions.is_full() {
                if visible.has(docs.doc()) {
                    suggestions.add(columns.suggestion(docs.doc()));
                }
                docs.advance();
            }
        }
        Ok(())
    }
}

/// Things by title, in order, until `limit` of them in this segment.
fn heads(
    segment: &SegmentReader,
    field: Field,
    head: &str,
    visible: &Visible<'_>,
    limit: usize,
    titles: &mut Vec<(String, Suggestion)>,
) -> Result<()> {
    let columns = Columns::new(segment)?;
    let index = segment.inverted_index(field)?;
    let mut stream = index.terms().range().ge(head).into_stream()?;
    let (mut looked_at, mut found) = (0, 0);
    while let Some((bytes, info)) = stream.next() {
        if !bytes.starts_with(head.as_bytes()) || looked_at == TITLES_LOOKED_AT_MAX || found >= limit {
            break;
        }
        looked_at += 1;
        let mut docs = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        while docs.doc() != TERMINATED && found < limit {
            if visible.has(docs.doc()) {
                titles.push((String::from_utf8_lossy(bytes).into_owned(), columns.suggestion(docs.doc())));
                found += 1;
            }
            docs.advance();
        }
    }
    Ok(())
}

struct Columns {
    things: std::sync::Arc<dyn ColumnValues<u64>>,
    labels: std::sync::Arc<dyn ColumnValues<u64>>,
}

impl Columns {
    fn new(segment: &SegmentReader) -> Result<Columns> {
        let columns = segment.fast_fields();
        Ok(Columns {
            things: columns.u64(column::THING)?.first_or_default_col(0),
            labels: columns.u64(column::LABEL)?.first_or_default_col(0),
        })
    }

    fn suggestion(&self, doc: u32) -> Suggestion {
        Suggestion {
            thing: ThingId(self.things.get_val(doc)),
            label: LabelId(self.labels.get_val(doc) as u32),
        }
    }
}

/// No thing twice.
struct Suggestions {
    limit: usize,
    found: Vec<Suggestion>,
    things: HashSet<ThingId>,
}

impl Suggestions {
    fn new(limit: usize) -> Suggestions {
        Suggestions { limit, found: Vec::new(), things: HashSet::new() }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.limit
    }

    fn add(&mut self, suggestion: Suggestion) {
        if !self.is_full() && self.things.insert(suggestion.thing) {
            self.found.push(suggestion);
        }
    }
}
