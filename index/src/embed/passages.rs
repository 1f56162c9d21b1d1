//! Cutting a text into passages, each of which a model takes whole.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

/// No more is cut into tokens at once, whatever the sentences are.
const PIECE_BYTES_MAX: usize = 4096;
/// A token has about so many bytes of a word.
const TOKEN_BYTES: usize = 4;

/// Sentences are put together while there is room for their tokens. `ends` says where the tokens of a text end, or
/// nothing if it cannot be cut into tokens.
pub(super) fn cut(text: &str, room: usize, ends: &dyn Fn(&str) -> Option<Vec<usize>>) -> Vec<Range<usize>> {
    let mut passages: Vec<Range<usize>> = Vec::new();
    // The last passage, as far as it is known: where it began, and its tokens.
    let (mut begin, mut tokens) = (0, 0);
    let mut known = 0;
    for piece in pieces(text) {
        for (end, count) in within(piece.clone(), room, ends(&text[piece])) {
            let end = text.ceil_char_boundary(end);
            if tokens > 0 && tokens + count > room {
                passages.push(begin..known);
                (begin, tokens) = (known, 0);
            }
            (known, tokens) = (end, tokens + count);
        }
    }
    if tokens > 0 {
        passages.push(begin..text.len());
    } else if let Some(last) = passages.last_mut() {
        last.end = text.len();
    }
    passages
}

/// The passages for a model whose tokens nobody here knows: a word is a token for every four bytes of it, which is more than it
/// has in most models.
#[must_use]
pub fn estimated(text: &str, tokens_max: usize) -> Vec<Range<usize>> {
    let ends = |piece: &str| {
        let words = piece.unicode_word_indices();
        let ends = words.flat_map(|(at, word)| {
            let tokens = word.len().div_ceil(TOKEN_BYTES);
            (1..=tokens).map(move |token| at + word.len().min(token * TOKEN_BYTES))
        });
        Some(ends.collect())
    };
    cut(text, tokens_max, &ends)
}

/// Sentences, and parts of those that are long.
fn pieces(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.split_sentence_bound_indices().flat_map(move |(begin, sentence)| {
        let (mut at, end) = (begin, begin + sentence.len());
        std::iter::from_fn(move || {
            let begin = at;
            at = if end - begin <= PIECE_BYTES_MAX { end } else { part(text, begin) };
            (begin < end).then_some(begin..at)
        })
    })
}

/// Where a part of a long sentence ends: behind its last blank, if it has one.
fn part(text: &str, begin: usize) -> usize {
    let end = text.floor_char_boundary(begin + PIECE_BYTES_MAX);
    let blank = text[begin..end].rfind(' ').map(|blank| begin + blank + 1);
    blank.unwrap_or(end)
}

/// Where a piece is cut because it holds more tokens than there is room for, each with the tokens up to it.
fn within(piece: Range<usize>, room: usize, ends: Option<Vec<usize>>) -> Vec<(usize, usize)> {
    let Some(ends) = ends else { return vec![(piece.end, room)] };
    let mut cuts: Vec<(usize, usize)> =
        ends.chunks(room).map(|chunk| (piece.start + chunk[chunk.len() - 1], chunk.len())).collect();
    match cuts.last_mut() {
        Some(last) => last.0 = piece.end,
        None => cuts.push((piece.end, 0)),
    }
    cuts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A token is a word, as far as this model knows.
    fn words(text: &str) -> Option<Vec<usize>> {
        Some(text.unicode_word_indices().map(|(at, word)| at + word.len()).collect())
    }

    fn tokens(text: &str) -> usize {
        words(text).unwrap_or_default().len()
    }

    #[test]
    fn a_text_is_cut_between_sentences() {
        let text = "One two three. Four five. Six seven eight nine. Ten.";
        let passages: Vec<_> = cut(text, 5, &words).into_iter().map(|range| &text[range]).collect();
        assert_eq!(passages, ["One two three. Four five. ", "Six seven eight nine. Ten."]);
    }

    #[test]
    fn a_long_sentence_is_cut_between_tokens() {
        let text = "one two three four five six seven";
        let passages: Vec<_> = cut(text, 3, &words).into_iter().map(|range| &text[range]).collect();
        assert_eq!(passages, ["one two three", " four five six", " seven"]);
    }

    #[test]
    fn what_holds_no_token_is_no_passage() {
        assert!(cut("", 3, &words).is_empty());
        assert!(cut(" \n ... ", 3, &words).is_empty());
        assert_eq!(cut("one.  \n\n ...", 3, &words), vec![0..12]);
    }

    #[test]
    fn megabytes_without_an_end_are_cut_all_the_same() {
        for text in ["é".repeat(1 << 20), " ".repeat(1 << 20), "word ".repeat(1 << 18)] {
            let passages = cut(&text, 100, &words);
            assert!(passages.iter().all(|range| tokens(&text[range.clone()]) <= 100));
        }
    }

    #[test]
    fn a_long_word_is_many_tokens_where_they_are_estimated() {
        let digests = "0123456789abcdef ".repeat(10);
        let passages = estimated(&digests, 8);
        assert_eq!(passages.len(), 5, "{passages:?}");
        assert_eq!(passages.iter().map(ExactSizeIterator::len).sum::<usize>(), digests.len());
        assert_eq!(estimated("péage ".repeat(3).trim(), 1).len(), 6, "cut inside of words, between letters");
        assert!(estimated(" - \n", 8).is_empty());
    }

    proptest! {
        #[test]
        fn passages_cover_the_text_and_each_fits(text in "([a-zé]{1,6}[ .!?\n]{0,3}){0,200}", room in 1_usize..20) {
            let passages = cut(&text, room, &words);
            let joined: String = passages.iter().map(|range| &text[range.clone()]).collect();
            prop_assert!(joined == text || tokens(&text) == 0);
            for passage in &passages {
                let count = tokens(&text[passage.clone()]);
                prop_assert!(count > 0 && count <= room, "{} tokens, room for {}", count, room);
            }
        }
    }
}
