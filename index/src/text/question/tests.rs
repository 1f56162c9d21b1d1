use super::*;

fn stems(text: &str) -> Vec<String> {
    Question::parse(text).words.into_iter().map(|word| word.stem).collect()
}

#[test]
fn words_are_stemmed_folded_and_taken_once() {
    assert_eq!(stems("Dumping the DUMPS, naïve"), ["dump", "naiv"]);
    assert_eq!(stems("the of"), ["the", "of"], "nothing else is asked for");
}

#[test]
fn quotes_make_phrases_and_hyphens_exclude() {
    let question =
        Question::parse(r#"lazarus "command and control" -windows -"spear phishing" pass-the-hash"#);
    assert_eq!(question.phrases, [["command", "and", "control"]]);
    assert_eq!(question.excluded, [vec!["window"], vec!["spear", "phish"]]);
    assert_eq!(stems(r#"x "open quote"#), ["x", "open", "quot"]);
    assert!(question.words.iter().any(|word| word.stem == "hash"));
}

#[test]
fn any_text_is_a_question() {
    for text in ["", "-", "\"", "-\"", "\"\"", "a:b AND (c OR", "[* TO *]", "-\"\" --x", "\u{0}", "語"] {
        let _ = Question::parse(text);
    }
    assert!(Question::parse(" - ").is_open());
    assert!(Question::parse("-word").is_open());
}

#[test]
fn an_id_is_kept_whole() {
    assert!(Question::parse("(T1003.001)").ids.contains(&"t1003.001".to_owned()));
    assert!(Question::parse("cafe 1 -x").ids.contains(&"cafe".to_owned()));
}
