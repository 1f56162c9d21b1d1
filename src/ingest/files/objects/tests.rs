use std::io::{self, Read};

use proptest::prelude::*;
use storage::model::RECORD_BYTES_MAX;

use super::*;

/// A reader that hands out the given numbers of bytes, over and over.
struct Chunks<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        if size == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let n = size.min(buffer.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(n);
        buffer[..n].copy_from_slice(now);
        self.bytes = later;
        Ok(n)
    }
}

/// Everything that comes out of a file: objects as (line, offset, text), rejects as (line, code, value), and its end.
type Split = (Vec<(u64, u64, String)>, Vec<(u64, &'static str, String)>, Result<u64, String>);

fn split(reader: impl Read, shape: Shape) -> Split {
    let mut objects = Objects::new(reader, shape);
    let (mut pieces, mut rejects) = (Vec::new(), Vec::new());
    loop {
        match objects.next() {
            Ok(Some(Found::Object(piece))) => {
                pieces.push((piece.line, piece.offset, piece.text.to_owned()));
            }
            Ok(Some(Found::Rejected(reject))) => {
                rejects.push((reject.line, reject.code, reject.value));
            }
            Ok(None) => return (pieces, rejects, Ok(objects.offset())),
            Err(error) => return (pieces, rejects, Err(error.to_string())),
        }
    }
}

fn bundle(objects: &str) -> String {
    format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{objects}]}}"#)
}

fn texts(split: &Split) -> Vec<&str> {
    split.0.iter().map(|(_, _, text)| text.as_str()).collect()
}

fn codes(split: &Split) -> Vec<(u64, &str)> {
    split.1.iter().map(|(line, code, _)| (*line, *code)).collect()
}

fn fatal(text: impl AsRef<[u8]>) -> Fatal {
    let mut objects = Objects::new(text.as_ref(), Shape::Bundle);
    loop {
        match objects.next() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the file was read to its end"),
            Err(error) => return error,
        }
    }
}

#[test]
fn keys_of_a_bundle_come_in_any_order() {
    for text in [
        r#"{"type":"bundle","id":"b","objects":[{"a":1},{"b":2}]}"#,
        r#"{"objects":[{"a":1},{"b":2}],"id":"b","type":"bundle"}"#,
        r#" { "x" : {"objects":[{"no":0}]} , "y":[1,[2]],"z":-1.5e3,"objects" : [ {"a":1} , {"b":2} ] ,"type":"bundle" } "#,
        "\u{feff}{\"type\":\"bundle\",\"obj\\u0065cts\":[{\"a\":1},{\"b\":2}]}\r\n",
    ] {
        let split = split(text.as_bytes(), Shape::Bundle);
        assert_eq!(texts(&split), [r#"{"a":1}"#, r#"{"b":2}"#], "{text}");
        assert_eq!(split.2, Ok(text.len() as u64));
    }
}

#[test]
fn a_bundle_may_be_empty() {
    for text in [bundle(""), bundle(" \n "), r#"{"type":"bundle","id":"b"}"#.into()] {
        let split = split(text.as_bytes(), Shape::Bundle);
        assert_eq!((split.0.len(), split.1.len()), (0, 0));
        assert!(split.2.is_ok());
    }
}

#[test]
fn what_is_no_bundle_is_said_to_be_none() {
    for (text, found) in [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ("[{}]", "the file is a list"),
        ("id,name\n1,x", "the file starts with `id,name`"),
        (r#"{"type":"indicator"}"#, r#"its type is "indicator""#),
        ("{}", "it has no `type`"),
        (r#"{"objects":[{}]}"#, "it has no `type`"),
    ] {
        match fatal(text) {
            Fatal::NotABundle { found: is } => assert_eq!(is, found, "{text}"),
            other => panic!("{text}: {other}"),
        }
    }
    assert!(fatal(b"\xff\xfe{\0").to_string().contains("UTF-16"));
}

#[test]
fn stix_2_0_is_named() {
    let text = r#"{"type":"bundle","spec_version":"2.0","objects":[]}"#;
    let error = fatal(text);
    assert_eq!(error.code(), "stix_2_0");
    assert!(error.to_string().contains("stix2-elevator"), "{error}");
}

#[test]
fn a_truncated_bundle_yields_what_came_before() {
    let whole = bundle("\n{\"a\":\"}\"},\n{\"b\":{\"c\":[1,2]}}\n");
    for end in 1..whole.len() {
        let split = split(&whole.as_bytes()[..end], Shape::Bundle);
        let complete = [r#"{"a":"}"}"#, r#"{"b":{"c":[1,2]}}"#];
        assert_eq!(texts(&split), complete[..split.0.len()]);
        let error = split.2.expect_err("it is cut off");
        assert!(error.contains(&format!("cut off at offset {end}, ")), "{error}");
    }
    let in_second = whole.find("\"c\"").expect("it is there");
    let error = split(&whole.as_bytes()[..in_second], Shape::Bundle).2;
    let error = error.expect_err("it is cut off");
    assert!(error.contains("the object that starts on line 3 does not end"), "{error}");
}

#[test]
fn what_follows_the_bundle_is_an_error() {
    let error = fatal(bundle("{}") + "\n{\"type\":\"bundle\"}");
    assert_eq!(error.code(), "broken_bundle");
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[test]
fn a_broken_frame_is_an_error() {
    for text in [
        r#"{"type" "bundle"}"#,
        r#"{type:"bundle"}"#,
        r#"{"type":"bundle","objects":{}}"#,
        r#"{"type":"bundle","objects":[],"objects":[]}"#,
        r#"{"type":"bundle"]"#,
    ] {
        assert_eq!(fatal(text).code(), "broken_bundle", "{text}");
    }
}

#[test]
fn elements_that_are_no_objects_are_left_out() {
    let text = bundle("\n1,\nnull,\n\"{\",\n[{\"x\":[1]}],\n{\"a\":1}}\n,\n{\"b\":2}");
    let split = split(text.as_bytes(), Shape::Bundle);
    assert_eq!(texts(&split), [r#"{"a":1}"#, r#"{"b":2}"#]);
    let not = "not_an_object";
    assert_eq!(codes(&split), [(2, not), (3, not), (4, not), (5, not), (6, not)]);
    assert_eq!(split.1[3].2, r#"[{"x":[1]}]"#);
    assert!(split.2.is_ok());
}

#[test]
fn a_broken_object_costs_itself_only() {
    // Missing square brackets do not reach the next object; what is wrong inside is for the parser to say.
    let broken = [r#"{"a":[1,2}"#, r#"{"a":NaN}"#, r#"{"a" 1}"#, "{\"a\":\"x\ny\"}", r#"{"a":]}"#];
    for broken in broken {
        let text = bundle(&format!("{broken},{{\"b\":2}}"));
        let split = split(text.as_bytes(), Shape::Bundle);
        assert_eq!(texts(&split), [broken, r#"{"b":2}"#]);
        assert!(split.2.is_ok());
    }
}

#[test]
fn text_that_is_not_utf8_is_left_out_and_shown() {
    let mut text = bundle("{\"a\":1},\n{\"b\":\"grim?s\"},\n{\"c\":3}").into_bytes();
    let at = text.iter().position(|byte| *byte == b'?').expect("it is there");
    text[at] = 0xE9;
    let split = split(text.as_slice(), Shape::Bundle);
    assert_eq!(texts(&split), [r#"{"a":1}"#, r#"{"c":3}"#]);
    assert_eq!(codes(&split), [(2, "not_utf8")]);
    assert_eq!(split.1[0].2, "{\"b\":\"grim\u{fffd}s\"}");
}

#[test]
fn an_object_over_the_limit_is_passed_over_in_bounded_memory() {
    let largest = format!(r#"{{"a":"{}"}}"#, "x".repeat(RECORD_BYTES_MAX - 8));
    assert_eq!(largest.len(), RECORD_BYTES_MAX);
    let larger = largest.replacen("{\"a\"", "{\"aa\"", 1);
    let huge = format!(r#"{{"a":"{}"}}"#, "y".repeat(5 * RECORD_BYTES_MAX));
    let text = bundle(&format!("{huge},\n{largest},\n{larger},\n{{\"b\":2}}"));
    let mut objects = Objects::new(text.as_bytes(), Shape::Bundle);
    let (mut sizes, mut reasons) = (Vec::new(), Vec::new());
    while let Some(found) = objects.next().expect("the frame is whole") {
        match found {
            Found::Object(piece) => sizes.push((piece.line, piece.text.len())),
            Found::Rejected(reject) => reasons.push((reject.line, reject.reason)),
        }
    }
    assert_eq!(sizes, [(2, RECORD_BYTES_MAX), (4, 7)]);
    let reason = |bytes: usize| format!("object of {bytes} bytes, at most {RECORD_BYTES_MAX}");
    assert_eq!(reasons, [(1, reason(huge.len())), (3, reason(larger.len()))]);
    assert!(objects.window.capacity() <= 2 * RECORD_BYTES_MAX);
}

#[test]
fn lines_are_split_at_line_breaks_only() {
    let text = "\u{feff}{\"a\":1}\r\n\n  \n{\"b\": \"}{\"}\nnot json\n{\"c\":3}";
    let split = split(text.as_bytes(), Shape::Lines);
    let lines: Vec<_> = split.0.iter().map(|(line, _, text)| (*line, text.trim())).collect();
    let expected = [(1, r#"{"a":1}"#), (4, r#"{"b": "}{"}"#), (5, "not json"), (6, r#"{"c":3}"#)];
    assert_eq!(lines, expected);
    assert_eq!(split.2, Ok(text.len() as u64));
}

#[test]
fn a_file_without_lines_is_empty() {
    for text in ["", "\n", "\u{feff}", " \r\n\t\n"] {
        assert_eq!(split(text.as_bytes(), Shape::Lines), (vec![], vec![], Ok(text.len() as u64)));
    }
}

#[test]
fn a_line_over_the_limit_is_passed_over() {
    for end in ["", "\n", "\n{\"b\":2}\n"] {
        let text = format!("{{\"a\":1}}\n{}{end}", "x".repeat(3 * RECORD_BYTES_MAX));
        let split = split(text.as_bytes(), Shape::Lines);
        assert_eq!(codes(&split), [(2, "record_too_large")]);
        assert_eq!(split.0.len(), if end.len() > 1 { 2 } else { 1 });
        assert!(split.2.is_ok());
    }
}

#[test]
fn a_reader_that_fails_is_an_error() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let text = b"{\"a\":1}\n{\"b\"".as_slice();
    let split = split(text.chain(Failing), Shape::Lines);
    assert_eq!(split.2, Err("cannot read the file: the disk is gone".into()));
}

/// Text that is nearly JSON: every byte that the splitter cares about, often.
fn nearly_json() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        8 => prop::sample::select(vec!["{", "}", "[", "]", "\"", "\\", ",", ":", "\n", " ", "\u{e9}"]),
        4 => prop::sample::select(vec!["{\"a\":1}", "{\"b\":{\"c\":\"\\\"}\"}}", "1.5", "null", "\r\n"]),
        1 => Just("\"objects\":["),
    ];
    prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn chunks_make_no_difference(
        inner in nearly_json(),
        framed: bool,
        sizes in prop::collection::vec(0_usize..9, 1..6).prop_filter("some must give", |s| s.iter().any(|n| *n > 0)),
    ) {
        let text = if framed { bundle(&inner) } else { inner };
        for shape in [Shape::Bundle, Shape::Lines] {
            let whole = split(text.as_bytes(), shape);
            let chunks = Chunks { bytes: text.as_bytes(), sizes: sizes.clone(), turn: 0 };
            prop_assert_eq!(split(chunks, shape), whole);
        }
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for shape in [Shape::Bundle, Shape::Lines] {
            let _ = split(bytes.as_slice(), shape);
        }
    }

    #[test]
    fn well_formed_objects_come_out_as_they_went_in(
        values in prop::collection::vec(("[a-z]{1,5}", ".{0,20}", any::<i32>()), 0..20),
        pretty: bool,
    ) {
        let objects: Vec<_> = values.iter().map(|(key, text, number)| serde_json::json!({key: [text, {"n": number}]})).collect();
        let bundle = serde_json::json!({"type": "bundle", "objects": objects, "id": "b"});
        let text = if pretty { serde_json::to_string_pretty(&bundle) } else { serde_json::to_string(&bundle) }.expect("JSON");
        let split = split(text.as_bytes(), Shape::Bundle);
        let parsed: Vec<serde_json::Value> = texts(&split).iter().map(|text| serde_json::from_str(text).expect("JSON")).collect();
        prop_assert_eq!(parsed, objects);
        for (line, offset, piece) in &split.0 {
            let offset = *offset as usize;
            prop_assert!(text[offset..].starts_with(piece.as_str()));
            prop_assert_eq!(*line as usize, text[..offset].matches('\n').count() + 1);
        }
    }
}
