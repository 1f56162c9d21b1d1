//! Snippets: the most telling stretch of a text, with what was looked for marked.
//!
//! Marks are ranges, not markup: whoever shows a snippet escapes its text, and nothing in the text can
//! pass for a mark.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::schema::stemmed;

/// How much of a text is looked through, in bytes: the whole of nearly every text, a bound for the rest.
const LOOKED_THROUGH_BYTES_MAX: usize = 128 * 1024;

/// Knows what one search looked for.
#[derive(Clone, Debug, Default)]
pub struct Highlighter {
    stems: Arc<HashSet<String>>,
}

/// A stretch of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The stretch, as it is in the text.
    pub text: String,
    /// What to mark: byte ranges of `text` at character boundaries, in order, apart.
    pub marks: Vec<Range<usize>>,
    /// Whether the text goes on before it.
    pub cut_before: bool,
    /// Whether the text goes on after it.
    pub cut_after: bool,
}

/// A word of a text that was looked for, and which one.
struct Found {
    at: Range<usize>,
    stem: String,
}

impl Highlighter {
    pub(super) fn new(stems: HashSet<String>) -> Highlighter {
        Highlighter { stems: Arc::new(stems) }
    }

    /// The stretch of at most `chars_max` characters that has most of what was looked for; the beginning
    /// of the text if it has none of it.
    #[must_use]
    pub fn snippet(&self, text: &str, chars_max: usize) -> Snippet {
        let found = self.found(text);
        let (start, end) = stretch(text, &found, chars_max);
        let inside = |found: &&Found| start <= found.at.start && found.at.end <= end;
        Snippet {
            text: text[start..end].to_owned(),
            marks: found
                .iter()
                .filter(inside)
                .map(|found| found.at.start - start..found.at.end - start)
                .collect(),
            cut_before: !text[..start].trim().is_empty(),
            cut_after: !text[end..].trim().is_empty(),
        }
    }

    /// The snippet of that one of several passages which has most of what was looked for.
    #[must_use]
    pub fn best<T: AsRef<str>>(&self, passages: &[T], chars_max: usize) -> Option<Snippet> {
        let snippets = passages.iter().map(|passage| {
            let snippet = self.snippet(passage.as_ref(), chars_max);
            let different: HashSet<String> =
                snippet.marks.iter().map(|mark| snippet.text[mark.clone()].to_lowercase()).collect();
            (different.len(), snippet)
        });
        // The first of equals: passages come most telling first.
        snippets.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, snippet)| snippet)
    }

    fn found(&self, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        if self.stems.is_empty() {
            return found;
        }
        let mut analyzer = stemmed();
        let text = &text[..text.floor_char_boundary(LOOKED_THROUGH_BYTES_MAX)];
        let mut stream = analyzer.token_stream(text);
        while let Some(token) = stream.next() {
            if self.stems.contains(&token.text) {
                found.push(Found { at: token.offset_from..token.offset_to, stem: token.text.clone() });
            }
        }
        found
    }
}

/// Chooses where the snippet begins and ends, in bytes.
fn stretch(text: &str, found: &[Found], chars_max: usize) -> (usize, usize) {
    let (first, last) = densest(text, found, chars_max);
    let used = text[first..last].chars().count();
    let room = chars_max.saturating_sub(used);
    let start = back(text, first, room / 3);
    let left = chars_max - text[start..first].chars().count().min(chars_max);
    let end = forward(text, first, left.max(1).min(chars_max));
    (at_word_start(text, start, first), at_word_end(text, end, last))
}

/// The run of found words that fits and has most different ones.
fn densest(text: &str, found: &[Found], chars_max: usize) -> (usize, usize) {
    let mut best = (0, 0, 0);
    for (at, first) in found.iter().enumerate() {
        let mut different = HashSet::new();
        let mut end = first.at.start;
        for next in &found[at..] {
            // Bytes are at least as many as characters: cheap, and enough to end the run.
            if next.at.end - first.at.start > chars_max * 4
                || text[first.at.start..next.at.end].chars().count() > chars_max
            {
                break;
            }
            different.insert(next.stem.as_str());
            end = next.at.end;
        }
        if different.len() > best.2 {
            best = (first.at.start, end, different.len());
        }
    }
    (best.0, best.1)
}

fn back(text: &str, from: usize, chars: usize) -> usize {
    text[..from].char_indices().rev().take(chars).last().map_or(from, |(at, _)| at)
}

fn forward(text: &str, from: usize, chars: usize) -> usize {
    text[from..].char_indices().nth(chars).map_or(text.len(), |(at, _)| from + at)
}

/// Moves on to the beginning of a word, not past `limit`.
fn at_word_start(text: &str, start: usize, limit: usize) -> usize {
    if start == 0 || text[..start].ends_with(char::is_whitespace) {
        return start;
    }
    match text[start..limit].find(char::is_whitespace) {
        Some(space) => start + space + text[start + space..].chars().next().map_or(0, char::len_utf8),
        None => limit,
    }
}

/// Moves back to the end of a word, not before `limit`.
fn at_word_end(text: &str, end: usize, limit: usize) -> usize {
    if end >= text.len() || text[end..].starts_with(char::is_whitespace) || end <= limit {
        return end.max(limit).min(text.len());
    }
    match text[limit..end].rfind(char::is_whitespace) {
        Some(space) => limit + space,
        None => end,
    }
}

#[cfg(test)]
mod tests;
