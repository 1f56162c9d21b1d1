//! The words of an index, as far as a reader may see them.

use std::collections::BTreeMap;

use tantivy::postings::TermInfo;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::visible::Visible;
use crate::error::Result;

/// Words in one dictionary that are looked at for one mistyped word or beginning.
const TERMS_LOOKED_AT_MAX: usize = 2_000;

/// A word that somebody's documents have.
pub(super) struct Known {
    pub(super) word: String,
    documents: u32,
    /// The segments that have it, and where its documents are listed there.
    places: Vec<(usize, TermInfo)>,
}

/// Words by what they are.
type Found = BTreeMap<String, Known>;

/// Whether any document that the reader may see has the word. Without this, a correction that fails to
/// come would tell that a hidden text has the word as it was typed.
pub(super) fn is_seen(searcher: &Searcher, visible: &[Visible<'_>], term: &Term) -> Result<bool> {
    for (segment, visible) in searcher.segment_readers().iter().zip(visible) {
        let index = segment.inverted_index(term.field())?;
        let docs = index.read_postings(term, IndexRecordOption::Basic)?;
        if docs.map_or(Ok(false), |docs| visible.has_any(docs))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Words at an edit distance of 1 or 2 (a transposition counts 1), those in most documents first. Two errors are looked for
/// behind the first letter alone, which people get right: that passes over most of a dictionary.
pub(super) fn near(searcher: &Searcher, field: Field, word: &str, distance: u8) -> Result<Vec<Known>> {
    let near = FuzzyTermQuery::new(Term::from_field_text(field, word), distance, true).automaton()?;
    let first = word.chars().next().filter(|_| distance > 1).map(String::from).unwrap_or_default();
    let mut found = Found::new();
    for (place, segment) in searcher.segment_readers().iter().enumerate() {
        let index = segment.inverted_index(field)?;
        let mut among = index.terms().search(&near).ge(&first);
        if let Some(end) = behind(&first) {
            among = among.lt(end);
        }
        let mut stream = among.into_stream()?;
        let mut looked_at = 0;
        while let Some((bytes, info)) = stream.next() {
            note(&mut found, bytes, place, info);
            looked_at += 1;
            if looked_at == TERMS_LOOKED_AT_MAX {
                break;
            }
        }
    }
    Ok(most_frequent(found))
}

/// Words that begin like this one, those in most documents first.
pub(super) fn beginning_with(searcher: &Searcher, field: Field, prefix: &str) -> Result<Vec<Known>> {
    let mut found = Found::new();
    for (place, segment) in searcher.segment_readers().iter().enumerate() {
        let index = segment.inverted_index(field)?;
        let mut stream = index.terms().range().ge(prefix).into_stream()?;
        let mut looked_at = 0;
        while let Some((bytes, info)) = stream.next() {
            if !bytes.starts_with(prefix.as_bytes()) || looked_at == TERMS_LOOKED_AT_MAX {
                break;
            }
            note(&mut found, bytes, place, info);
            looked_at += 1;
        }
    }
    Ok(most_frequent(found))
}

/// The first `limit` of `words` that some visible document has.
pub(super) fn seen_of(
    searcher: &Searcher,
    visible: &[Visible<'_>],
    field: Field,
    words: Vec<Known>,
    limit: usize,
) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    for known in words {
        if seen.len() == limit {
            break;
        }
        if known.is_seen(searcher, visible, field)? {
            seen.push(known.word);
        }
    }
    Ok(seen)
}

impl Known {
    fn is_seen(&self, searcher: &Searcher, visible: &[Visible<'_>], field: Field) -> Result<bool> {
        for (place, info) in &self.places {
            let index = searcher.segment_readers()[*place].inverted_index(field)?;
            let docs = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
            if visible[*place].has_any(docs)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn note(found: &mut Found, bytes: &[u8], place: usize, info: &TermInfo) {
    let Ok(word) = std::str::from_utf8(bytes) else { return };
    let new = || Known { word: word.to_owned(), documents: 0, places: Vec::new() };
    let known = found.entry(word.to_owned()).or_insert_with(new);
    known.documents += info.doc_freq;
    known.places.push((place, info.clone()));
}

/// Where words that begin so end; nowhere if every word does.
fn behind(beginning: &str) -> Option<Vec<u8>> {
    let mut end = beginning.as_bytes().to_vec();
    // No byte of a letter is the last one.
    *end.last_mut()? += 1;
    Some(end)
}

fn most_frequent(found: Found) -> Vec<Known> {
    let mut words: Vec<Known> = found.into_values().collect();
    words.sort_by(|a, b| b.documents.cmp(&a.documents).then_with(|| a.word.cmp(&b.word)));
    words
}
