//! The words of an index, as far as a reader may see them.

use std::collections::{BTreeMap, HashSet};

use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, Searcher, TERMINATED, Term};

use super::collect::Visible;
use crate::error::Result;

/// Words in one dictionary that are looked at for one mistyped word or beginning.
const TERMS_LOOKED_AT_MAX: usize = 2_000;

/// Whether any document that the reader may see has the word. Without this, a correction that fails to
/// come would tell that a hidden text has the word as it was typed.
pub(super) fn is_seen(searcher: &Searcher, visible: &[Visible], term: &Term) -> Result<bool> {
    for (segment, visible) in searcher.segment_readers().iter().zip(visible) {
        let index = segment.inverted_index(term.field())?;
        let Some(mut postings) = index.read_postings(term, IndexRecordOption::Basic)? else {
            continue;
        };
        while postings.doc() != TERMINATED {
            if visible.has(postings.doc()) {
                return Ok(true);
            }
            postings.advance();
        }
    }
    Ok(false)
}

/// Words at an edit distance of 1 or 2 (a transposition counts 1), those in most documents first.
pub(super) fn near(searcher: &Searcher, field: Field, word: &str, distance: u8) -> Result<Vec<String>> {
    let query = FuzzyTermQuery::new(Term::from_field_text(field, word), distance, true);
    let mut found = BTreeMap::new();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut stream = index.terms().search(query.automaton()?).into_stream()?;
        let mut looked_at = 0;
        while let Some((bytes, info)) = stream.next() {
            note(&mut found, bytes, info.doc_freq);
            looked_at += 1;
            if looked_at == TERMS_LOOKED_AT_MAX {
                break;
            }
        }
    }
    Ok(most_frequent(found))
}

/// Words that begin like this one, those in most documents first.
pub(super) fn beginning_with(searcher: &Searcher, field: Field, prefix: &str) -> Result<Vec<String>> {
    let mut found = BTreeMap::new();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut stream = index.terms().range().ge(prefix).into_stream()?;
        let mut looked_at = 0;
        while let Some((bytes, info)) = stream.next() {
            if !bytes.starts_with(prefix.as_bytes()) || looked_at == TERMS_LOOKED_AT_MAX {
                break;
            }
            note(&mut found, bytes, info.doc_freq);
            looked_at += 1;
        }
    }
    Ok(most_frequent(found))
}

/// The first `limit` of `words` that some visible document has.
pub(super) fn seen_of(
    searcher: &Searcher,
    visible: &[Visible],
    field: Field,
    words: Vec<String>,
    limit: usize,
) -> Result<Vec<String>> {
    let (mut seen, mut known) = (Vec::new(), HashSet::new());
    for word in words {
        if seen.len() == limit {
            break;
        }
        if known.insert(word.clone()) && is_seen(searcher, visible, &Term::from_field_text(field, &word))? {
            seen.push(word);
        }
    }
    Ok(seen)
}

fn note(found: &mut BTreeMap<String, u32>, bytes: &[u8], documents: u32) {
    if let Ok(word) = std::str::from_utf8(bytes) {
        *found.entry(word.to_owned()).or_default() += documents;
    }
}

fn most_frequent(found: BTreeMap<String, u32>) -> Vec<String> {
    let mut words: Vec<(String, u32)> = found.into_iter().collect();
    words.sort_by(|(a, a_documents), (b, b_documents)| b_documents.cmp(a_documents).then(a.cmp(b)));
    words.into_iter().map(|(word, _)| word).collect()
}
