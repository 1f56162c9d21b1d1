use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn code(text: &str) -> &'static str {
    parse(text).expect_err("it is refused").code
}

#[test]
fn properties_keep_their_order_and_their_text() {
    let text = r#" {"b": 1.0 ,"a\u0062" : {"x": [1, 2]} ,"c":"d\n"} "#;
    let fields = parse(text).expect("an object");
    let pairs: Vec<_> = fields.iter().map(|field| (field.name.as_ref(), field.raw)).collect();
    assert_eq!(pairs, [("b", "1.0"), ("ab", r#"{"x": [1, 2]}"#), ("c", r#""d\n""#)]);
    assert_eq!(fields.string("c").expect("a string").as_deref(), Some("d\n"));
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        r#"{"a":NaN}"#,
        r#"{"a":Infinity}"#,
        r#"{"a":-Infinity}"#,
        r#"{"a":01}"#,
        r#"{"a":[1,2}"#,
        r#"{"a" 1}"#,
        r#"{"a":1,}"#,
        r#"{'a':1}"#,
        "{\"a\":\"x\ny\"}",
        r#"{"a":"\x"}"#,
        r#"{"a":1} {"b":2}"#,
        r#"{"a":"#,
    ] {
        assert_eq!(code(text), "bad_json", "{text}");
    }
    for text in ["", "[1]", "1", "null", "\"x\""] {
        assert_eq!(code(text), "not_an_object", "{text}");
    }
}

#[test]
fn the_text_around_the_mistake_is_shown() {
    let text = format!("{{\"a\":\"{}\",\n \"n\": NaN, \"z\":\"{}\"}}", "é".repeat(100), "x".repeat(500));
    let reject = parse(&text).expect_err("NaN is no JSON");
    assert!(reject.value.contains("\"n\": NaN"), "{}", reject.value);
    assert!(reject.reason.contains("at byte 216 "), "{}", reject.reason);
    assert_eq!(reject.value.chars().count(), 200);
}

#[test]
fn a_property_stands_once() {
    assert_eq!(code(r#"{"a":1,"b":2,"a":1}"#), "duplicate_key");
    assert_eq!(code(r#"{"a":1,"\u0061":1}"#), "duplicate_key");
    let many: Vec<_> = (0..1000).map(|i| format!("\"k{i}\":{i}")).collect();
    assert!(parse(&format!("{{{}}}", many.join(","))).is_ok());
    assert_eq!(code(&format!("{{{},\"k7\":0}}", many.join(","))), "duplicate_key");
}

#[test]
fn half_a_character_is_refused() {
    assert_eq!(code(r#"{"a":"\ud83d"}"#), "bad_json");
    assert_eq!(code(r#"{"a":["\uDE00"]}"#), "bad_json");
    assert!(parse(r#"{"a":"\ud83d\ude00 \\ud83d"}"#).is_ok());
}

#[test]
fn only_white_space_between_tokens_goes() {
    for (raw, expected) in [
        ("[ 1.0 , 1e2,\t-0.50 ]", "[1.0,1e2,-0.50]"),
        ("{ \"a b\" : \" c \\\" d \" , \"e\" : [ ] }", r#"{"a b":" c \" d ","e":[]}"#),
        ("\"x  y\"", "\"x  y\""),
        ("12345678901234567890.10", "12345678901234567890.10"),
        ("true", "true"),
        ("{\r\n}", "{}"),
    ] {
        assert_eq!(minified(raw, 1).expect("JSON"), expected);
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(minified(&nested(127), 1).is_ok());
    let reject = minified(&nested(128), 1).expect_err("too deep");
    assert_eq!(reject.code, "too_deep");
    // What is accepted can be read back.
    assert!(serde_json::from_str::<Value>(&nested(127)).is_ok());
    // Far too deep is no crash.
    assert!(minified(&nested(1_000_000), 1).is_err());
    assert!(parse(&format!("{{\"a\":{}}}", nested(1_000_000))).is_ok());
}

#[test]
fn numbers_that_nobody_can_read_are_refused() {
    let long = "9".repeat(400);
    for number in ["1e999", "-1E400", long.as_str()] {
        for raw in [number.to_owned(), format!("[1,{number}]")] {
            let reject = minified(&raw, 1).expect_err("out of range");
            assert_eq!(reject.code, "number_out_of_range");
        }
    }
    assert!(minified("[1e-999,1e308,true,false]", 1).is_ok());
}

#[test]
fn times_are_rfc_3339() {
    let fields = parse(
        r#"{"z":"2024-02-29T12:00:00.123456Z","o":"1969-12-31T23:59:59+00:00","d":"2024-02-30T00:00:00Z",
            "n":5,"e":"","x":null,"l":"2024-01-31T12:00:00"}"#,
    )
    .expect("an object");
    let us = |name| fields.time(name).map(|time| time.map(|(_, us)| us));
    assert_eq!(us("z"), Ok(Some(1_709_208_000_123_456)));
    assert_eq!(us("o"), Ok(Some(-1_000_000)));
    assert_eq!((us("x"), us("absent")), (Ok(None), Ok(None)));
    for name in ["d", "n", "e", "l"] {
        assert_eq!(us(name).expect_err("no time").code, "bad_timestamp");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn minified_is_what_serde_would_write(value in any_json()) {
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        prop_assert_eq!(minified(&pretty, 0).expect("JSON"), value.to_string());
    }

    #[test]
    fn any_text_is_taken_or_refused(text in ".{0,60}") {
        if let Ok(fields) = parse(&format!("{{{text}}}")) {
            for field in fields.iter() {
                let _ = minified(field.raw, 1);
            }
        }
    }
}
