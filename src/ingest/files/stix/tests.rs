use serde_json::{Value, json};
use storage::model::Retention;

use super::super::tests::{Read, object, read, read_into, source};
use super::super::{Format, Import};
use super::*;

const A: &str = "malware--00000000-0000-4000-8000-00000000000a";
const B: &str = "tool--00000000-0000-4000-8000-00000000000b";
const WHITE: &str = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
const AMBER_STRICT: &str = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const OWN: &str = "marking-definition--00000000-0000-4000-8000-00000000000c";

fn bundle(objects: &[Value]) -> Vec<u8> {
    json!({"type": "bundle", "id": "bundle--1", "objects": objects}).to_string().into_bytes()
}

/// An object with what every object needs, and `more`.
fn stix(id: &str, more: Value) -> Value {
    let stix_type = id.split("--").next().expect("a type");
    let mut object = json!({
        "type": stix_type, "spec_version": "2.1", "id": id,
        "created": "2024-01-01T00:00:00Z", "modified": "2024-01-02T00:00:00Z",
    });
    let all = object.as_object_mut().expect("an object");
    for (name, value) in more.as_object().expect("an object") {
        all.insert(name.clone(), value.clone());
    }
    all.retain(|_, value| !value.is_null());
    object
}

fn read_all(objects: &[Value]) -> Read {
    read(Format::Stix, &bundle(objects))
}

fn one(object: Value) -> Said {
    let mut read = read_all(&[object]);
    assert_eq!(read.rejects, []);
    read.said.pop().expect("one object")
}

fn refused(object: Value) -> Reject {
    let mut read = read_all(&[object, stix(B, json!({}))]);
    assert_eq!(read.said.len(), 1, "the next object is taken");
    read.rejects.pop().expect("a reject")
}

fn classifications(said: &Said) -> Vec<Classification> {
    said.parts.iter().map(|part| part.label.classification).collect()
}

fn claim_names(part: &Part) -> Vec<&str> {
    part.claims.iter().map(|claim| claim.name.as_str()).collect()
}

#[test]
fn an_object_becomes_an_entity_with_a_claim_for_each_property() {
    let given =
        stix(A, json!({"name": "Frost", "is_family": true, "labels": ["x", "y"], "n": [1, {"a": 1.50}]}));
    let said = one(given.clone());
    assert_eq!((said.form, said.thing_type.as_str()), (Form::Entity, "malware"));
    assert_eq!(said.tags, ["x", "y"]);
    assert_eq!(said.version_us, Some(1_704_153_600_000_000));
    assert_eq!(said.observed_at_us, said.version_us);
    assert_eq!(object(&said, "malware"), given);
    let label = &said.parts[0].label;
    assert_eq!((label.kind, label.thing_type.as_str()), (LabelKind::Entity, "malware"));
    assert_eq!(label.retention, Retention::Standard365d);
    assert!(said.edges.is_empty());
}

#[test]
fn values_are_kept_byte_for_byte() {
    let text = format!(
        r#"{{"type":"bundle","objects":[{{"type":"malware","spec_version":"2.1","id":"{A}","created":"2024-01-01T00:00:00.000Z","x":[ 1.0, 1E2, "\u00e9\/" ]}}]}}"#
    );
    let read = read(Format::Stix, text.as_bytes());
    let claims = &read.said[0].parts[0].claims;
    let json: Vec<_> = claims.iter().map(|claim| claim.json.as_str()).collect();
    assert_eq!(json, [r#""2.1""#, r#""2024-01-01T00:00:00.000Z""#, r#"[1.0,1E2,"\u00e9\/"]"#]);
}

#[test]
fn prose_and_other_names_are_texts() {
    let said = one(stix(
        A,
        json!({
            "name": "Frost", "description": "Steals \"ice\".", "x_mitre_aliases": ["Frost", "Rime"],
            "external_references": [{"source_name": "mitre-attack", "external_id": "S0001"}, {"source_name": "blog"}],
        }),
    ));
    let texts: Vec<_> =
        said.parts[0].texts.iter().map(|text| (text.of_claim.as_str(), text.text.as_str())).collect();
    assert_eq!(texts, [("description", "Steals \"ice\"."), ("aliases", "Frost, Rime, S0001")]);
    let without = one(stix(A, json!({"description": "", "aliases": 5, "external_references": {"a": 1}})));
    assert_eq!(without.parts[0].texts, []);
}

#[test]
fn a_relationship_is_one_edge() {
    let id = "relationship--00000000-0000-4000-8000-00000000000d";
    let given = stix(
        id,
        json!({
            "relationship_type": "uses", "source_ref": A, "target_ref": B, "description": "at night",
            "start_time": "2020-01-01T00:00:00Z", "stop_time": "2021-01-01T00:00:00Z",
        }),
    );
    let said = one(given.clone());
    assert_eq!((said.form, said.thing_type.as_str()), (Form::Relation, "uses"));
    let edge = EdgeSaid { kind: "uses".into(), from: A.into(), to: B.into() };
    assert_eq!(said.edges, [edge]);
    assert_eq!(said.since, Some(("2020-01-01T00:00:00Z".into(), 1_577_836_800_000_000)));
    assert_eq!(said.until.as_ref().map(|(text, _)| text.as_str()), Some("2021-01-01T00:00:00Z"));
    let label = &said.parts[0].label;
    assert_eq!((label.kind, label.thing_type.as_str()), (LabelKind::Relation, "uses"));
    assert_eq!(object(&said, "relationship"), given);
}

#[test]
fn a_sighting_is_a_thing_with_edges() {
    let id = "sighting--00000000-0000-4000-8000-00000000000d";
    let given = stix(
        id,
        json!({
            "sighting_of_ref": A, "where_sighted_refs": ["identity--1", "location--2"], "observed_data_refs": ["observed-data--3"],
            "first_seen": "2020-01-01T00:00:00Z", "count": 7,
        }),
    );
    let said = one(given.clone());
    assert_eq!((said.form, said.thing_type.as_str(), said.weight), (Form::Relation, "sighting", None));
    let edges: Vec<_> =
        said.edges.iter().map(|e| (e.kind.as_str(), e.from.as_str(), e.to.as_str())).collect();
    assert_eq!(
        edges,
        [
            ("sighting-of", "", A),
            ("where-sighted", "", "identity--1"),
            ("where-sighted", "", "location--2"),
            ("observed-data", "", "observed-data--3"),
        ]
    );
    assert!(said.since.is_some() && said.until.is_none());
    assert_eq!(object(&said, "sighting"), given);
}

#[test]
fn revoked_weighs_more_than_deprecated() {
    let status = |more| one(stix(A, more)).status;
    assert_eq!(status(json!({})), Status::Active);
    assert_eq!(status(json!({"revoked": false, "x_mitre_deprecated": false})), Status::Active);
    assert_eq!(status(json!({"x_mitre_deprecated": true})), Status::Deprecated);
    assert_eq!(status(json!({"revoked": true, "x_mitre_deprecated": true})), Status::Revoked);
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let relationship = "relationship--00000000-0000-4000-8000-00000000000d";
    let sighting = "sighting--00000000-0000-4000-8000-00000000000d";
    for (object, code, value) in [
        (stix(A, json!({"type": null})), "missing_property", "type"),
        (stix(A, json!({"id": null})), "missing_property", "id"),
        (stix(relationship, json!({})), "missing_property", "relationship_type"),
        (stix(relationship, json!({"relationship_type": "uses"})), "missing_property", "source_ref"),
        (
            stix(relationship, json!({"relationship_type": "uses", "source_ref": A})),
            "missing_property",
            "target_ref",
        ),
        (stix(sighting, json!({})), "missing_property", "sighting_of_ref"),
        (stix(A, json!({"type": "tool"})), "bad_id", A),
        (stix("malware--1", json!({})), "bad_id", "malware--1"),
        (stix(A, json!({"id": 5})), "bad_property", "5"),
        (stix(A, json!({"modified": "yesterday"})), "bad_timestamp", "\"yesterday\""),
        (stix(A, json!({"created": "2024-13-01T00:00:00Z"})), "bad_timestamp", "\"2024-13-01T00:00:00Z\""),
        (stix(A, json!({"revoked": "true"})), "bad_property", "\"true\""),
        (stix(A, json!({"labels": "x"})), "bad_property", "\"x\""),
        (stix(A, json!({"object_marking_refs": "x"})), "bad_property", "\"x\""),
        (stix(A, json!({"granular_markings": 1})), "bad_property", "1"),
        (stix(A, json!({"spec_version": "3.0"})), "unsupported_version", "3.0"),
    ] {
        let reject = refused(object);
        assert_eq!((reject.code, reject.value.as_str()), (code, value), "{}", reject.reason);
        assert_eq!(reject.line, 1);
    }
}

#[test]
fn limits_are_rejects_with_length_and_limit() {
    let reject = refused(stix(A, json!({"description": "x".repeat(1024 * 1024 + 1)})));
    assert_eq!(reject.code, "text_too_large");
    assert!(reject.reason.contains("1048577 bytes, at most 1048576"), "{}", reject.reason);
    assert_eq!(refused(stix(A, json!({"k".repeat(257): 1}))).code, "bad_property_name");
    let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
    let text = String::from_utf8(bundle(&[stix(A, json!({"x": 1})), stix(B, json!({}))])).expect("UTF-8");
    let read = read(Format::Stix, text.replace("\"x\":1", &format!("\"x\":{deep}")).as_bytes());
    assert_eq!((read.codes(), read.said.len()), (vec!["too_deep"], 1));
}

#[test]
fn a_file_of_stix_2_0_is_refused_whole() {
    for objects in [
        [stix(A, json!({"spec_version": null})), stix(B, json!({}))],
        [stix(A, json!({"spec_version": "2.0"})), stix(B, json!({}))],
    ] {
        let read = read_all(&objects);
        assert_eq!((read.said.len(), read.rejects.len()), (0, 0));
        assert_eq!(read.fatal().code(), "stix_2_0");
    }
    // Among objects of 2.1 one of 2.0 is left out.
    let read = read_all(&[stix(A, json!({})), stix(B, json!({"spec_version": null})), stix(A, json!({}))]);
    assert_eq!((read.codes(), read.said.len()), (vec!["stix_2_0"], 2));
}

#[test]
fn an_observable_needs_neither_version_nor_time() {
    let said = one(
        json!({"type": "ipv4-addr", "id": "ipv4-addr--00000000-0000-4000-8000-00000000000d", "value": "10.0.0.1"}),
    );
    assert_eq!((said.version_us, said.observed_at_us), (None, None));
    assert_eq!(said.parts[0].texts[0].text, "10.0.0.1");
    let bare = one(json!({"type": "process", "id": "process--00000000-0000-4000-8000-00000000000d"}));
    assert_eq!(bare.parts.len(), 1);
}

#[test]
fn markings_beat_the_default_and_the_strictest_wins() {
    let level = |refs: &[&str]| classifications(&one(stix(A, json!({"object_marking_refs": refs}))));
    assert_eq!(level(&[]), [Classification::Internal]);
    assert_eq!(level(&[WHITE]), [Classification::Public]);
    assert_eq!(level(&[AMBER_STRICT, WHITE]), [Classification::Restricted]);
    assert_eq!(level(&[WHITE, RED]), [Classification::Secret]);
    assert_eq!(level(&[OWN]), [Classification::Internal]);
}

#[test]
fn a_granular_marking_labels_the_claim_and_its_text() {
    let given = stix(
        A,
        json!({
            "name": "Frost", "description": "secret plan", "aliases": ["Rime"], "x": {"y": [1, 2]},
            "granular_markings": [
                {"marking_ref": RED, "selectors": ["description", "x.y.[1]"]},
                {"marking_ref": AMBER_STRICT, "selectors": ["description"]},
                {"marking_ref": WHITE, "selectors": ["aliases", "x"]},
                {"lang": "de", "selectors": ["name"]},
            ],
        }),
    );
    let said = one(given.clone());
    let expected = [Classification::Internal, Classification::Secret, Classification::Public];
    assert_eq!(classifications(&said), expected);
    assert_eq!(
        claim_names(&said.parts[0]),
        ["spec_version", "created", "modified", "name", "granular_markings"]
    );
    assert_eq!(claim_names(&said.parts[1]), ["description", "x"]);
    assert_eq!(said.parts[1].texts[0].text, "secret plan");
    assert_eq!(claim_names(&said.parts[2]), ["aliases"]);
    assert_eq!(said.parts[2].texts[0].text, "Rime");
    assert_eq!(said.parts[0].texts, []);
    let (mut rebuilt, mut given) = (object(&said, "malware"), given);
    rebuilt.sort_all_objects();
    given.sort_all_objects();
    assert_eq!(rebuilt, given);
}

#[test]
fn a_granular_marking_of_what_cannot_be_hidden_alone_raises_the_object() {
    let id = "relationship--00000000-0000-4000-8000-00000000000d";
    let said = one(stix(
        id,
        json!({
            "relationship_type": "uses", "source_ref": A, "target_ref": B,
            "granular_markings": [{"marking_ref": RED, "selectors": ["target_ref"]}],
        }),
    ));
    assert_eq!(classifications(&said), [Classification::Secret]);
}

#[test]
fn definitions_of_ones_own_hold_from_where_they_stand() {
    let definition = json!({
        "type": "marking-definition", "spec_version": "2.1", "id": OWN, "created": "2024-01-01T00:00:00Z",
        "definition_type": "tlp", "definition": {"tlp": "red"},
    });
    let marked = |id| stix(id, json!({"object_marking_refs": [OWN]}));
    let file = bundle(&[marked(A), definition, marked(B)]);
    let mut import = Import::new(source());
    let first = read_into(&mut import, Format::Stix, &file);
    let levels = |read: &Read| read.said.iter().flat_map(classifications).collect::<Vec<_>>();
    use Classification::{Internal, Secret};
    assert_eq!(levels(&first), [Internal, Internal, Secret]);
    assert_eq!(first.end.expect("whole").late_markings, [OWN]);
    // Read again, everything is known.
    let again = read_into(&mut import, Format::Stix, &file);
    assert_eq!(levels(&again), [Secret, Internal, Secret]);
    assert_eq!(again.end.expect("whole").late_markings, [] as [String; 0]);
}

#[test]
fn a_person_is_personal_data() {
    let identity = |class| {
        let id = "identity--00000000-0000-4000-8000-00000000000d";
        let label = one(stix(id, json!({"name": "N", "identity_class": class}))).parts[0].label.clone();
        (label.personal, label.retention)
    };
    assert_eq!(identity("individual"), (true, Retention::Short30d));
    assert_eq!(identity("organization"), (false, Retention::Standard365d));
}

#[test]
fn broken_objects_leave_the_rest_alone() {
    let good = |id| stix(id, json!({})).to_string();
    let text = format!(
        "{{\"type\":\"bundle\",\"objects\":[\n{},\n{{\"type\":\"malware\",\"x\":NaN}},\n{{\"type\":\"tool\",\"a\":[1,2}},\n{{\"a\":1,\"a\":2}},\n{}\n]}}",
        good(A),
        good(B)
    );
    let read = read(Format::Stix, text.as_bytes());
    let rejects: Vec<_> = read.rejects.iter().map(|reject| (reject.line, reject.code)).collect();
    assert_eq!(rejects, [(3, "bad_json"), (4, "bad_json"), (5, "duplicate_key")]);
    assert_eq!(read.said.len(), 2);
    let summary = read.end.expect("whole");
    assert_eq!((summary.said, summary.rejected, summary.bytes), (2, 3, text.len() as u64));
}

#[test]
fn hostile_lists_cost_no_more_than_their_length() {
    let names: Vec<_> = (0..200_000).map(|i| format!("n{i}")).collect();
    let many: Vec<_> = names.iter().map(|name| format!("\"{name}\":1")).collect();
    let markings = json!([{"marking_ref": RED, "selectors": names}]);
    let text = format!(
        r#"{{"type":"bundle","objects":[{{"type":"malware","spec_version":"2.1","id":"{A}","aliases":{},{}}},
            {{"type":"malware","spec_version":"2.1","id":"{A}","granular_markings":{markings},{}}}]}}"#,
        json!(names[..90_000]),
        many[..1000].join(","),
        many.join(","),
    );
    let begun = std::time::Instant::now();
    let read = read(Format::Stix, text.as_bytes());
    assert_eq!((read.said.len(), read.rejects.len()), (2, 0));
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
