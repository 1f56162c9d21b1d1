//! What a user typed, taken apart: words, phrases in quotes, and words that must not occur.
//!
//! The engine's own query language is not offered: its fields, ranges and expressions would be an
//! interface that nobody chose, and every text is a valid question here.

use super::schema::{folded, stemmed, whole, words};

/// A question, ready to be looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Question {
    /// Each different word once, phrases included.
    pub(super) words: Vec<Word>,
    /// Stems that must occur one after the other.
    pub(super) phrases: Vec<Vec<String>>,
    /// Stems that must not occur one after the other.
    pub(super) excluded: Vec<Vec<String>>,
    /// What may be an id as it stands.
    pub(super) ids: Vec<String>,
}

/// One word of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// As it was written, in lower case and without accents.
    pub(super) folded: String,
    /// What it is looked up by.
    pub(super) stem: String,
}

/// A stretch of the text.
#[derive(Debug, PartialEq, Eq)]
struct Piece<'a> {
    text: &'a str,
    excluded: bool,
    quoted: bool,
}

/// What a text asks of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing: there is no word in it.
    Nothing,
    /// Words, of which any may match.
    Words,
    /// A phrase that must be there, or a word that must not.
    Exactly,
}

/// What a text asks of a document.
#[must_use]
pub fn wanted(text: &str) -> Wanted {
    let Question { words, phrases, excluded, .. } = Question::parse(text);
    match (words.is_empty(), phrases.is_empty() && excluded.is_empty()) {
        (_, false) => Wanted::Exactly,
        (true, true) => Wanted::Nothing,
        (false, true) => Wanted::Words,
    }
}

impl Question {
    pub(super) fn parse(text: &str) -> Question {
        let mut question = Question::default();
        let (mut plain, mut whole) = (Vec::new(), whole());
        for piece in pieces(text) {
            let stems = words(&mut stemmed(), piece.text);
            match (piece.excluded, piece.quoted) {
                (true, _) if stems.is_empty() => {}
                (true, _) => question.excluded.push(stems),
                (false, true) if stems.len() > 1 => {
                    question.phrases.push(stems);
                    plain.push(piece.text);
                }
                (false, _) => {
                    plain.push(piece.text);
                    question.ids.extend(words(&mut whole, trimmed(piece.text)));
                }
            }
        }
        question.ids.extend(words(&mut whole, text.trim()));
        question.ids.sort_unstable();
        question.ids.dedup();
        question.words = without_stop_words(distinct(&plain));
        question
    }

    /// Whether nothing is looked for: everything matches, but for what is excluded.
    pub(super) fn is_open(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty()
    }
}

/// Whitespace separates, quotes hold together, a hyphen in front excludes.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let excluded = rest.starts_with('-') && rest.len() > 1;
        let from = if excluded { &rest[1..] } else { rest };
        let (piece, after) = match from.strip_prefix('"') {
            Some(quoted) => match quoted.split_once('"') {
                Some((inside, after)) => ((inside, true), after),
                // A quote that nobody closed is no quote.
                None => ((quoted, false), ""),
            },
            None => {
                let end = from.find(char::is_whitespace).unwrap_or(from.len());
                let (word, after) = from.split_at(end);
                ((word, false), after)
            }
        };
        pieces.push(Piece { text: piece.0, quoted: piece.1, excluded });
        rest = after.trim_start();
    }
    pieces
}

fn trimmed(word: &str) -> &str {
    word.trim_matches(|c: char| c.is_ascii_punctuation())
}

fn distinct(pieces: &[&str]) -> Vec<Word> {
    let text = pieces.join(" ");
    let stems = words(&mut stemmed(), &text);
    let mut distinct: Vec<Word> = Vec::new();
    for (folded, stem) in words(&mut folded(), &text).into_iter().zip(stems) {
        if !distinct.iter().any(|word| word.stem == stem) {
            distinct.push(Word { folded, stem });
        }
    }
    distinct
}

/// Words that are in every text cost the most time and tell the least; they stay if there are no others
/// (Cranfield, nDCG@10: 0.393 without them, 0.386 with).
fn without_stop_words(words: Vec<Word>) -> Vec<Word> {
    let telling: Vec<Word> = words
        .iter()
        .filter(|word| STOP_WORDS.binary_search(&word.folded.as_str()).is_err())
        .cloned()
        .collect();
    if telling.is_empty() { words } else { telling }
}

/// Sorted.
const STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to",
    "was", "will", "with",
];

#[cfg(test)]
mod tests;
