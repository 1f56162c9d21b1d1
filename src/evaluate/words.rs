//! What a query of a collection is asked as: its words and nothing else. `-word` and quotes stand for something in a question,
//! and for nothing in a text that was written for readers.

use std::collections::HashSet;

use index::text::{QUERY_BYTES_MAX, WORDS_MAX};

/// The words of a text as a question, and whether it had to be cut to what one question may be.
#[must_use]
pub fn words(text: &str) -> (String, bool) {
    let unquoted = text.replace(['"', '\0'], " ");
    let (mut question, mut seen) = (String::new(), HashSet::new());
    for word in unquoted.split_whitespace().map(|word| word.trim_start_matches('-')) {
        seen.extend(word.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase));
        // The empty word between two signs is in the set, too, and makes up for nothing.
        if seen.len() > WORDS_MAX || question.len() + word.len() + 1 > QUERY_BYTES_MAX {
            return (question, true);
        }
        if !word.is_empty() {
            question.extend((!question.is_empty()).then_some(' '));
            question.push_str(word);
        }
    }
    (question, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_query_is_an_operator() {
        let asked = |text| words(text).0;
        assert_eq!(asked("flow at  -40 degrees"), "flow at 40 degrees");
        assert_eq!(asked("what is \"slip\" -- flow"), "what is slip flow");
        assert_eq!(asked("a\"-b\"c"), "a b c");
        assert_eq!(asked("high-speed"), "high-speed");
    }

    #[test]
    fn a_long_query_is_cut_between_words() {
        let long = (0..1000).map(|number| format!("w{number} ")).collect::<String>();
        let (asked, cut) = words(&long);
        assert!(cut);
        assert_eq!(asked.split(' ').count(), WORDS_MAX);
        assert!(words(&"long ".repeat(10_000)).0.len() <= QUERY_BYTES_MAX);
        assert!(!words("short").1);
    }
}
