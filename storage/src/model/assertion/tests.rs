use super::*;
use crate::model::{Classification, Licence, Purposes, Retention};

fn said() -> Said {
    let label = Label {
        kind: LabelKind::Relation,
        thing_type: "uses".to_owned(),
        classification: Classification::Internal,
        licence: Licence::OpenDataOk,
        purposes: Purposes::ALL,
        retention: Retention::Standard365d,
        personal: false,
        source: "attack".to_owned(),
        compartments: vec![],
    };
    Said {
        id: "uses--1".to_owned(),
        form: Form::Relation,
        thing_type: "uses".to_owned(),
        base: Some(Base::Claim),
        tags: vec!["a".to_owned(), String::new()],
        status: Status::Revoked,
        observed_at_us: Some(0),
        version_us: Some(-7),
        edges: vec![EdgeSaid { kind: "uses".to_owned(), from: String::new(), to: "b".to_owned() }],
        weight: Some(0.0),
        since: Some((String::new(), 0)),
        until: Some(("2026".to_owned(), 1)),
        parts: vec![Part {
            label: Arc::new(label),
            claims: vec![Claim { name: "name".to_owned(), json: "\"x\"".to_owned() }],
            texts: vec![Text::default()],
            embedding: Some(Embedding { model: "m".to_owned(), vector: vec![0.5, -1.0] }),
        }],
    }
}

#[test]
fn encoded_in_place_or_copied_first_the_bytes_are_the_same() {
    let full = said();
    let empty = Said {
        id: String::new(),
        form: Form::Entity,
        thing_type: String::new(),
        base: None,
        tags: vec![],
        status: Status::Active,
        observed_at_us: None,
        version_us: None,
        edges: vec![],
        weight: None,
        since: None,
        until: None,
        parts: vec![Part { claims: vec![], texts: vec![], embedding: None, ..full.parts[0].clone() }],
    };
    for said in [full, empty] {
        let part = &said.parts[0];
        assert_eq!(said.encode(part), said.assertion(part).encode_to_vec());
    }
}

#[test]
fn control_characters_are_found_in_and_beyond_ascii() {
    for text in ["a\nb", "\0", "\u{7f}", "\u{85}", "é\u{9f}"] {
        assert!(has_control(text), "{text:?}");
    }
    for text in ["", "plain ~", "Grüße", "\u{a0}", "日本"] {
        assert!(!has_control(text), "{text:?}");
    }
}
