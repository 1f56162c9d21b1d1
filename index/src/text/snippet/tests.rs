use super::*;

fn highlighter(stems: &[&str]) -> Highlighter {
    Highlighter::new(stems.iter().map(|stem| (*stem).to_owned()).collect())
}

fn marked(snippet: &Snippet) -> Vec<&str> {
    snippet.marks.iter().map(|mark| &snippet.text[mark.clone()]).collect()
}

#[test]
fn marks_what_was_looked_for_in_any_form() {
    let snippet = highlighter(&["dump", "credenti"]).snippet("Dumping of credentials; dumps.", 100);
    assert_eq!(marked(&snippet), ["Dumping", "credentials", "dumps"]);
    assert!(!snippet.cut_before && !snippet.cut_after);
}

#[test]
fn cuts_the_stretch_that_has_most() {
    let text = format!("credentials {} dumping the credentials {}", "x ".repeat(300), "y ".repeat(300));
    let snippet = highlighter(&["dump", "credenti"]).snippet(&text, 80);
    assert_eq!(marked(&snippet), ["dumping", "credentials"]);
    assert!(snippet.cut_before && snippet.cut_after);
    assert!(snippet.text.chars().count() <= 80);
}

#[test]
fn a_text_without_any_begins_at_its_beginning() {
    let snippet = highlighter(&["dump"]).snippet("one two three four", 9);
    assert_eq!(snippet.text, "one two");
    assert!(snippet.cut_after && snippet.marks.is_empty());
}

#[test]
fn any_text_and_any_length_are_possible() {
    let texts = ["", " ", "ä", "日本語のテキスト", "a\u{301}b dump 😀😀 dump", "<b>dump</b>"];
    for text in texts {
        for chars_max in 0..12 {
            let snippet = highlighter(&["dump", "日本語のテキスト"]).snippet(text, chars_max);
            assert!(snippet.text.chars().count() <= chars_max.max(1), "{text} {chars_max}");
            for mark in &snippet.marks {
                assert!(snippet.text.get(mark.clone()).is_some());
            }
        }
    }
}

#[test]
fn the_passage_that_has_most_is_taken() {
    let passages = ["nothing here", "dump and credentials", "a dump"];
    let snippet = highlighter(&["dump", "credenti"]).best(&passages, 100).expect("passages");
    assert_eq!(snippet.text, "dump and credentials");
}
