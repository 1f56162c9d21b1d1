use super::*;

fn fields(text: &str) -> Fields<'_> {
    fields::parse(text).expect("an object")
}

fn level(text: &str) -> Option<Classification> {
    defined_level(&fields(text)).expect("readable")
}

#[test]
fn a_definition_of_tlp_is_known_in_every_dress() {
    use Classification::*;
    for (text, expected) in [
        (r#"{"definition_type":"tlp","definition":{"tlp":"white"}}"#, Some(Public)),
        (r#"{"definition_type":"tlp","definition":{"tlp":"amber"},"name":"TLP:RED"}"#, Some(Confidential)),
        (r#"{"definition_type":"TLP","definition":{"TLP":"TLP:AMBER+STRICT"}}"#, Some(Restricted)),
        (r#"{"name":"TLP:GREEN"}"#, Some(Internal)),
        (r#"{"name":"tlp:clear"}"#, Some(Public)),
        (
            r#"{"extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"tlp_2_0":"amber+strict"}}}"#,
            Some(Restricted),
        ),
        (r#"{"definition_type":"statement","definition":{"statement":"TLP:RED"}}"#, None),
        (r#"{"definition_type":"iep","name":"No sharing"}"#, None),
        // What nobody knows is taken for the strictest.
        (r#"{"definition_type":"tlp","definition":{"tlp":"purple"}}"#, Some(Secret)),
        (r#"{"definition_type":"tlp"}"#, Some(Secret)),
    ] {
        assert_eq!(level(text), expected, "{text}");
    }
}

#[test]
fn well_known_ids_need_no_definition_and_cannot_be_redefined() {
    let red = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
    let mut markings = Markings::default();
    markings.learn(red, &fields(r#"{"name":"TLP:CLEAR"}"#)).expect("read");
    let marked = r#"{"object_marking_refs":["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]}"#;
    let marked = markings.of(&fields(marked), Classification::Public, |_| false).expect("read");
    assert_eq!(marked.object, Classification::Secret);
}

#[test]
fn there_is_a_limit_on_definitions() {
    let mut markings = Markings::default();
    let learned = (0..=DEFINITIONS_MAX)
        .map(|i| markings.learn(&format!("m{i}"), &fields(r#"{"name":"TLP:RED"}"#)))
        .find_map(Result::err);
    assert_eq!(learned.map(|reject| reject.code), Some("too_many_markings"));
}

#[test]
fn a_definition_given_twice_does_not_become_laxer() {
    let mut markings = Markings::default();
    for name in ["TLP:AMBER", "TLP:RED", "TLP:CLEAR"] {
        let text = format!(r#"{{"name":"{name}"}}"#);
        markings.learn("m", &fields(&text)).expect("read");
    }
    assert_eq!(markings.level("m"), Some(Classification::Secret));
}
