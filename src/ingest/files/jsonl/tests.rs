use storage::model::{EMBEDDING_COMPONENTS_MAX, Retention};

use super::super::Format;
use super::super::tests::{Read, read};
use super::*;

fn one(line: &str) -> Said {
    let mut read = read(Format::Jsonl, line.as_bytes());
    assert_eq!(read.rejects, []);
    read.said.pop().expect("one line")
}

fn refused(line: &str) -> (&'static str, String) {
    let read: Read = read(Format::Jsonl, format!("\n{line}\n{{\"id\":\"x\",\"type\":\"t\"}}").as_bytes());
    assert_eq!(read.said.len(), 1, "the next line is taken");
    let reject = read.rejects.into_iter().next().expect("a reject");
    assert_eq!(reject.line, 2);
    (reject.code, reject.value)
}

#[test]
fn an_entity_line() {
    let said = one(
        r#"{"id":"h-1","type":"host","labels":["dmz"],"attributes":{"name":"gate","cpu":{"n": 4.0}},"texts":[{"text":"Stands outside."}],"observed_at":"2024-01-01T00:00:00Z"}"#,
    );
    assert_eq!((said.id.as_str(), said.form, said.thing_type.as_str()), ("h-1", Form::Entity, "host"));
    assert_eq!(said.tags, ["dmz"]);
    assert_eq!((said.observed_at_us, said.version_us), (Some(1_704_067_200_000_000), None));
    let part = &said.parts[0];
    let claims: Vec<_> = part.claims.iter().map(|claim| (claim.name.as_str(), claim.json.as_str())).collect();
    assert_eq!(claims, [("name", "\"gate\""), ("cpu", r#"{"n":4.0}"#)]);
    let text = Text { text: "Stands outside.".into(), of_claim: String::new() };
    assert_eq!((part.texts.as_slice(), said.parts.len()), ([text].as_slice(), 1));
    assert_eq!(part.label.classification, Classification::Internal);
}

#[test]
fn a_relation_line() {
    let said = one(
        r#"{"relation":"talks-to","from":"h-1","to":"h-2","weight":0.5,"since":"2024-01-01T00:00:00Z","until":"2025-01-01T00:00:00+02:00","attributes":{"port":443}}"#,
    );
    assert_eq!((said.form, said.thing_type.as_str(), said.weight), (Form::Relation, "talks-to", Some(0.5)));
    let edge = EdgeSaid { kind: "talks-to".into(), from: "h-1".into(), to: "h-2".into() };
    assert_eq!(said.edges, [edge]);
    assert_eq!(said.since, Some(("2024-01-01T00:00:00Z".into(), 1_704_067_200_000_000)));
    assert_eq!(said.until, Some(("2025-01-01T00:00:00+02:00".into(), 1_735_682_400_000_000)));
    assert_eq!(said.parts[0].claims[0].name, "port");
    assert_eq!(said.parts[0].label.kind, LabelKind::Relation);
}

#[test]
fn a_relation_without_an_id_gets_the_same_again() {
    let id = |line| one(line).id;
    let plain = id(r#"{"relation":"r","from":"a","to":"b"}"#);
    // Fixed for ever: imports of last year must meet this year's.
    assert_eq!(plain, "relation--437736d06355292a764a438b81b76015");
    assert_eq!(id(r#"{"to":"b","relation":"r","from":"a","weight":3}"#), plain);
    assert_ne!(id(r#"{"relation":"r","from":"a","to":"b","since":"2024-01-01T00:00:00Z"}"#), plain);
    assert_ne!(
        id(r#"{"relation":"ra","from":"a","to":"b"}"#),
        id(r#"{"relation":"r","from":"aa","to":"b"}"#)
    );
    assert_eq!(id(r#"{"relation":"r","from":"a","to":"b","id":"mine"}"#), "mine");
}

#[test]
fn texts_with_terms_of_their_own_have_parts_of_their_own() {
    let said = one(
        r#"{"id":"p","type":"person","texts":[{"text":"a"},{"text":"b","classification":"secret"},{"text":"c","personal":true},{"text":"d","classification":"secret"},{"text":"e","classification":"internal","personal":false}]}"#,
    );
    let parts: Vec<_> = said
        .parts
        .iter()
        .map(|part| {
            let texts: String = part.texts.iter().map(|text| text.text.as_str()).collect();
            (part.label.kind, part.label.classification, part.label.personal, texts)
        })
        .collect();
    use Classification::{Internal, Secret};
    assert_eq!(
        parts,
        [
            (LabelKind::Entity, Internal, false, "ae".into()),
            (LabelKind::Text, Secret, false, "bd".into()),
            (LabelKind::Text, Internal, true, "c".into()),
        ]
    );
    assert_eq!(said.parts[2].label.retention, Retention::Short30d);
}

#[test]
fn a_line_has_terms_of_its_own() {
    let said =
        one(r#"{"id":"p","type":"person","classification":"public","personal":true,"texts":[{"text":"a"}]}"#);
    assert_eq!(said.parts.len(), 1);
    let label = &said.parts[0].label;
    assert_eq!((label.classification, label.personal), (Classification::Public, true));
    assert_eq!(label.retention, Retention::Short30d);
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    for (line, code, value) in [
        (r#"{"type":"t"}"#, "missing_property", "id"),
        (r#"{"id":"a"}"#, "missing_property", "type"),
        (r#"{"relation":"r","to":"b"}"#, "missing_property", "from"),
        (r#"{"relation":"r","from":"b"}"#, "missing_property", "to"),
        (r#"{"relation":"r","from":"","to":"b"}"#, "bad_id", ""),
        (r#"{"relation":"r","from":"a","to":""}"#, "bad_id", ""),
        (r#"{"relation":"","from":"a","to":"b"}"#, "bad_type", ""),
        (r#"{"id":"","type":"t"}"#, "bad_id", ""),
        (r#"{"id":"a\u0000","type":"t"}"#, "bad_id", "a\u{0}"),
        (r#"{"id":7,"type":"t"}"#, "bad_property", "7"),
        (r#"{"id":"a","type":"t","colour":1}"#, "unknown_property", "colour"),
        (r#"{"id":"a","type":"t","from":"b"}"#, "unknown_property", "from"),
        (r#"{"relation":"r","from":"a","to":"b","type":"t"}"#, "unknown_property", "type"),
        (r#"{"relation":"r","from":"a","to":"b","weight":"1"}"#, "bad_weight", "\"1\""),
        (r#"{"relation":"r","from":"a","to":"b","weight":1e999}"#, "bad_weight", "1e999"),
        (r#"{"relation":"r","from":"a","to":"b","since":"now"}"#, "bad_timestamp", "\"now\""),
        (r#"{"id":"a","type":"t","observed_at":5}"#, "bad_timestamp", "5"),
        (r#"{"id":"a","type":"t","classification":"cosmic"}"#, "bad_classification", "cosmic"),
        (r#"{"id":"a","type":"t","personal":"yes"}"#, "bad_property", "\"yes\""),
        (r#"{"id":"a","type":"t","attributes":[1]}"#, "bad_property", "[1]"),
        (r#"{"id":"a","type":"t","attributes":{"x":1,"x":2}}"#, "duplicate_key", "x"),
        (r#"{"id":"a","type":"t","attributes":{"":1}}"#, "bad_property_name", ""),
        (r#"{"id":"a","type":"t","texts":"x"}"#, "bad_property", "\"x\""),
        (r#"{"id":"a","type":"t","texts":["x"]}"#, "not_an_object", "\"x\""),
        (r#"{"id":"a","type":"t","texts":[{}]}"#, "missing_property", "text"),
        (r#"{"id":"a","type":"t","texts":[{"text":"x","lang":"de"}]}"#, "unknown_property", "lang"),
        (r#"[1]"#, "not_an_object", "[1]"),
        (r#"{"id":"a","type":"t"}}"#, "bad_json", r#"{"id":"a","type":"t"}}"#),
    ] {
        assert_eq!(refused(line), (code, value.into()), "{line}");
    }
}

#[test]
fn a_null_is_as_good_as_nothing() {
    let said =
        one(r#"{"id":"a","type":"t","labels":null,"attributes":null,"texts":null,"observed_at":null}"#);
    assert_eq!(said.parts.len(), 1);
    assert_eq!(said.parts[0].claims, []);
}

#[test]
fn nesting_counts_from_the_line() {
    let line = |levels: usize| {
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"id":"a","type":"t","attributes":{{"x":{nested}}}}}"#)
    };
    assert_eq!(one(&line(126)).parts[0].claims.len(), 1);
    assert_eq!(refused(&line(127)).0, "too_deep");
}

#[test]
fn a_line_brings_its_vector_under_its_own_label() {
    let said = one(
        r#"{"id":"a","type":"t","texts":[{"text":"x","classification":"secret"}],"embedding":{"model":"m","vector":[0.5, -2e0,0]}}"#,
    );
    let embedding = said.parts[0].embedding.as_ref().expect("a vector");
    assert_eq!((embedding.model.as_str(), embedding.vector.as_slice()), ("m", &[0.5, -2.0, 0.0][..]));
    assert_eq!((said.parts.len(), &said.parts[1].embedding), (2, &None));
    assert_eq!(one(r#"{"id":"a","type":"t","embedding":null}"#).parts[0].embedding, None);
}

/// What is refused is named by its place or its kind: no sound component is shown.
#[test]
fn a_vector_that_is_none_is_refused_without_its_components() {
    let with = |embedding: &str| refused(&format!(r#"{{"id":"a","type":"t","embedding":{embedding}}}"#));
    let of = |vector: &str| with(&format!(r#"{{"model":"m","vector":{vector}}}"#));
    let many = format!("[{}]", vec!["7.25"; EMBEDDING_COMPONENTS_MAX + 1].join(","));
    for (told, value) in [
        (of("[0,0.0,-0]"), "3 zeros"),
        (of("[1e-60]"), "1 zeros"),
        (of("[7.25,1e39]"), "1e39"),
        (of("[7.25,-1e999]"), "-1e999"),
        (of("[7.25,\"7.25\"]"), "a text"),
        (of("[7.25,null]"), "nothing"),
        (of("[]"), "0"),
        (of(&many), "4097"),
        (of("\"7.25\""), "a text"),
        (of("7.25"), "a number"),
        (with("[7.25]"), "a list"),
        (with("{\"model\":\"m\"}"), "nothing"),
        (with("{\"model\":[7.25],\"vector\":[7.25]}"), "a list"),
        (with("{\"model\":\"\",\"vector\":[7.25]}"), ""),
    ] {
        assert_eq!(told, ("bad_embedding", value.to_owned()));
    }
    assert_eq!(with("{\"model\":\"m\",\"vector\":[7.25],\"x\":7.25}"), ("unknown_property", "x".to_owned()));
    assert_eq!(of("[7.25,NaN]"), ("bad_json", String::new()));
    let relation = r#"{"relation":"r","from":"a","to":"b","embedding":{"model":"m","vector":[7.25]}}"#;
    assert_eq!(refused(relation), ("unknown_property", "embedding".to_owned()));
}
