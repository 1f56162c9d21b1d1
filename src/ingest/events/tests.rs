use serde_json::{Value, json};
use storage::model::{Classification, Licence, Purpose, Purposes, Retention};

use super::*;

fn source() -> SourceSpec {
    SourceSpec {
        name: "feed".to_owned(),
        purposes: Purposes::from_iter([Purpose::ThreatIntel]),
        licence: Licence::OpenDataOk,
        retention: Retention::Standard365d,
        classification: Classification::Internal,
        personal: false,
    }
}

fn event(data: &Value) -> Value {
    json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "seen", "data": data})
}

fn structured(event: &Value) -> Result<Vec<Event>, String> {
    let body = event.to_string();
    let envelopes = read(Mode::Structured, &[], body.as_bytes()).map_err(|error| match error {
        Unreadable::Rejected(rejects) => rejects[0].reject.reason.clone(),
        other => other.to_string(),
    })?;
    said(&envelopes, &source()).map_err(|rejects| rejects[0].reject.reason.clone())
}

#[test]
fn the_content_type_tells_the_mode() {
    for (content_type, has_headers, mode) in [
        ("application/cloudevents+json", false, Some(Mode::Structured)),
        ("Application/CloudEvents+JSON; charset=UTF-8", true, Some(Mode::Structured)),
        ("application/cloudevents-batch+json", false, Some(Mode::Batched)),
        ("application/json", true, Some(Mode::Binary)),
        ("application/json", false, None),
        ("", false, None),
    ] {
        assert_eq!(Mode::of(content_type, has_headers), mode, "{content_type}");
    }
}

#[test]
fn data_are_one_object_or_a_list_and_the_events_time_is_when_it_was_seen() {
    let host = json!({"id": "h", "type": "host"});
    let said = structured(&event(&host)).expect("valid");
    assert_eq!((said[0].origin.as_str(), said[0].id.as_str(), said[0].said.len()), ("/s", "1", 1));
    assert_eq!(said[0].said[0].observed_at_us, None);
    let mut timed = event(&json!([host, {"id": "i", "type": "host", "observed_at": "1970-01-01T00:00:01Z"}]));
    timed["time"] = json!("1970-01-01T00:00:02Z");
    let said = &structured(&timed).expect("valid")[0].said;
    assert_eq!(
        said.iter().map(|said| said.observed_at_us).collect::<Vec<_>>(),
        [Some(2_000_000), Some(1_000_000)]
    );
    let mut pretty = serde_json::to_string_pretty(&event(&host)).expect("JSON");
    pretty.insert(0, '\n');
    let envelopes = read(Mode::Structured, &[], pretty.as_bytes()).expect("valid");
    assert_eq!(
        super::said(&envelopes, &source()).expect("valid")[0].said.len(),
        1,
        "white space is no line end"
    );
    let mut encoded = event(&Value::Null);
    encoded["data_base64"] = json!("eyJpZCI6ImgiLCJ0eXBlIjoiaG9zdCJ9");
    assert_eq!(structured(&encoded).expect("valid")[0].said[0].id, "h");
}

#[test]
fn what_breaks_a_rule_is_told() {
    let with = |name: &str, value: Value| {
        let mut event = event(&json!({"id": "h", "type": "host"}));
        event[name] = value;
        event
    };
    for (event, told) in [
        (with("specversion", json!("0.3")), "1.0"),
        (with("id", json!("")), "no `id`"),
        (with("id", json!(7)), "string"),
        (with("source", Value::Null), "no `source`"),
        (with("type", Value::Null), "no `type`"),
        (with("id", json!("x".repeat(2000))), "1024"),
        (with("time", json!("yesterday")), "time"),
        (with("datacontenttype", json!("text/xml")), "JSON"),
        (with("Upper", json!("x")), "lower-case"),
        (with("data_base64", json!("eyJ9")), "one of them"),
        (event(&json!([])), "nothing"),
        (event(&json!("text")), "object"),
        (event(&json!({"id": "h"})), "type"),
        (event(&json!({"id": "h", "type": "host", "color": 1})), "color"),
    ] {
        let reason = structured(&event).expect_err("refused");
        assert!(reason.contains(told), "{event}: {reason}");
    }
    let twice = r#"{"specversion":"1.0","id":"1","id":"2","source":"/s","type":"t","data":{}}"#;
    assert!(read(Mode::Structured, &[], twice.as_bytes()).is_err());
    assert!(matches!(read(Mode::Structured, &[], b"\xff{}"), Err(Unreadable::Body(_))));
}

#[test]
fn a_batch_tells_of_every_event_that_is_none() {
    let good = event(&json!({"id": "h", "type": "host"}));
    let body = json!([good, 7, {"specversion": "1.0"}]).to_string();
    let Err(Unreadable::Rejected(rejects)) = read(Mode::Batched, &[], body.as_bytes()) else {
        panic!("refused")
    };
    assert_eq!(rejects.iter().map(|reject| reject.index).collect::<Vec<_>>(), [1, 2]);
    let many = Value::from(vec![good.clone(); EVENTS_MAX + 1]).to_string();
    assert!(matches!(
        read(Mode::Batched, &[], many.as_bytes()),
        Err(Unreadable::TooMany { count: 1001, max: 1000 })
    ));
    assert!(matches!(read(Mode::Batched, &[], b"{}"), Err(Unreadable::Body(_))));
    let bad = event(&json!([{"id": "a", "type": "host"}, {"id": "b"}, {"id": ""}]));
    let body = json!([good, bad]).to_string();
    let envelopes = read(Mode::Batched, &[], body.as_bytes()).expect("events");
    let rejects = said(&envelopes, &source()).expect_err("refused");
    let places: Vec<_> = rejects.iter().map(|reject| (reject.index, reject.reject.line)).collect();
    assert_eq!(places, [(1, 2), (1, 3)]);
}

#[test]
fn headers_make_an_event_of_a_body() {
    let headers = |id: &str| {
        [
            ("ce-specversion", "1.0"),
            ("ce-id", id),
            ("ce-source", "/s"),
            ("ce-type", "seen"),
            ("content-type", "application/json"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let body = br#"{"id":"h","type":"host"}"#;
    let envelopes = read(Mode::Binary, &headers("Gr%C3%BC%C3%9Fe%20%F0%9F%98%80"), body).expect("an event");
    assert_eq!(envelopes[0].id, "Gr\u{fc}\u{df}e \u{1f600}");
    assert!(read(Mode::Binary, &headers("%zz"), body).is_err());
    assert!(read(Mode::Binary, &headers("%e"), body).is_err());
    assert!(read(Mode::Binary, &headers("1"), b"\xff").is_err());
    let mut text = headers("1");
    text[4].1 = "text/plain".to_owned();
    assert!(read(Mode::Binary, &text, body).is_err());
}
