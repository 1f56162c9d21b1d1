use std::ops::ControlFlow;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::super::tests::source;
use super::super::{Format, Import, Item, Reject};
use super::*;
use crate::export::jsonl;

/// What a file says, as lines of JSONL, and what is refused of it.
fn read(name: &str, text: impl AsRef<[u8]>, mapping: Option<&str>) -> (Vec<Value>, Vec<Reject>) {
    try_read(name, text, mapping).expect("it is read to its end")
}

fn try_read(
    name: &str,
    text: impl AsRef<[u8]>,
    mapping: Option<&str>,
) -> Result<(Vec<Value>, Vec<Reject>), Fatal> {
    let mut import = Import::new(source());
    import.mapping = mapping.map(|text| Declared::parse(text).expect("a mapping"));
    let (mut said, mut rejects) = (Vec::new(), Vec::new());
    import.read(Format::Csv, name, &mut text.as_ref(), &mut |item| {
        match item {
            Item::Said { said: of, .. } => {
                let mut line: Value = serde_json::from_str(&jsonl::line(&of)).expect("JSON");
                line.as_object_mut().expect("an object").remove("classification");
                said.push(line);
            }
            Item::Reject(reject) => rejects.push(reject),
        }
        ControlFlow::Continue(())
    })?;
    Ok((said, rejects))
}

fn inferred(text: &str) -> Mapping {
    let sample = Sample { bytes: text.into(), is_whole: true };
    Known::of(&sample, None, "hosts.csv").expect("CSV").declared.mapping
}

fn refused(text: &str) -> String {
    Declared::parse(text).expect_err("no mapping").to_string()
}

#[test]
fn what_a_table_holds_is_looked_up_and_loses_nothing() {
    let text = "id,name,cores,load,up,seen,zip,serial,zone\n\
        h-1,gate,4,0.5,true,2024-01-31T12:00:00Z,01234,9007199254740993,dmz\n\
        h-2,\"vault, the\",16,1.25,false,2024-02-01,80331,12,dmz\n\
        h-3,,8,2.0,true,2024-02-02,00001,13,dmz\n\
        h-4,x,8,2.0,true,2024-02-02,00001,13,lan\n";
    let text = text.to_owned()
        + &(5..12).map(|n| format!("h-{n},n,1,0.1,true,2024-01-01,00001,1,lan\n")).collect::<String>();
    let (said, rejects) = read("hosts.csv", &text, None);
    assert!(rejects.is_empty(), "{rejects:?}");
    assert_eq!(
        said[0],
        json!({"id": "h-1", "type": "hosts", "attributes": {
            "name": "gate", "cores": 4, "load": 0.5, "up": true, "seen": "2024-01-31T12:00:00Z", "zip": "01234",
            "serial": "9007199254740993", "zone": "dmz",
        }})
    );
    assert_eq!(said[1]["attributes"]["name"], "vault, the");
    assert!(said[2]["attributes"].get("name").is_none(), "an empty cell says nothing: {}", said[2]);
    let kinds: Vec<_> = inferred(&text).columns.iter().map(|column| column.kind).collect();
    use Kind::{Boolean, Enumeration, Integer, Number, Time};
    let wanted =
        [None, None, Some(Integer), Some(Number), Some(Boolean), Some(Time), None, None, Some(Enumeration)];
    assert_eq!(kinds, wanted);
}

#[test]
fn a_cell_beyond_the_sample_that_is_otherwise_stays_text() {
    let mut text = String::from("id,cores\n");
    while text.len() < SAMPLE_BYTES + 1000 {
        text += &format!("host-{},7\n", text.len());
    }
    text += "last,many\n";
    let (said, rejects) = read("hosts.csv", &text, None);
    assert!(rejects.is_empty());
    assert_eq!(said.last().expect("rows")["attributes"]["cores"], "many");
    assert_eq!(said[0]["attributes"]["cores"], 7);
}

#[test]
fn numbers_are_numbers_only_if_nothing_is_lost() {
    use cell::{is_integer, is_number, time_us};
    for good in ["0", "7", "-7", "9007199254740991"] {
        assert!(is_integer(good) && is_number(good), "{good}");
    }
    for bad in ["", "-", "+7", "007", "-0", "1.0", "9007199254740992", "1e3", " 7", "7 ", "0x1F", "٣"] {
        assert!(!is_integer(bad), "{bad}");
    }
    for good in ["0.5", "-1.25", "1.5e-7", "123456789.123456"] {
        assert!(is_number(good), "{good}");
    }
    for bad in [
        "",
        ".5",
        "5.",
        "01.5",
        "1e5",
        "1.5e",
        "1.5e9999",
        "1,5",
        "NaN",
        "inf",
        "1.234567890123456789",
        "1.2.3",
    ] {
        assert!(!is_number(bad), "{bad}");
    }
    let day = time_us("2024-01-31").expect("a day");
    assert_eq!(time_us("2024-01-31T00:00:00Z"), Some(day));
    assert_eq!(time_us("2024-01-31 01:00:00"), Some(day + 3_600_000_000));
    assert_eq!(time_us("2024-01-31T01:00:00+01:00"), Some(day));
    for bad in ["", "2024", "20240131", "31.01.2024", "2024-13-01", "2024-01-32", "yesterday"] {
        assert_eq!(time_us(bad), None, "{bad}");
    }
}

#[test]
fn delimiters_quotes_and_marks_are_found() {
    for (text, delimiter, quote) in [
        ("a,b\n1,2\n", b',', b'"'),
        ("a;b\n1,5;2,5\n", b';', b'"'),
        ("a\tb c\n1\t2, 3\n", b'\t', b'"'),
        ("a|b\n1|2\n", b'|', b'"'),
        ("a\nb\n", b',', b'"'),
        ("a,b\n'x, y',2\n'z',3\n", b',', b'\''),
        ("a,b\n\"it's\",'tis\n", b',', b'"'),
    ] {
        let found = Dialect::detect(text.as_bytes(), None, None);
        assert_eq!(
            (found.delimiter as char, found.quote as char),
            (delimiter as char, quote as char),
            "{text}"
        );
    }
    let (said, _) = read("x.csv", "\u{feff}id;name\r\n1;a\r\n", None);
    assert_eq!(said[0], json!({"id": "1", "type": "x", "attributes": {"name": "a"}}));
    let (said, _) = read("x.csv", "id,name\r1,a\r2,b", None);
    assert_eq!(said.len(), 2, "lines may end with a carriage return alone");
}

#[test]
fn ragged_rows_are_refused_by_their_line_and_never_padded() {
    let text = "id,name\nh-1,a\n\nh-2\nh-3,\"b\nc\"\nh-4,d,e\nh-5,f\n";
    let (said, rejects) = read("x.csv", text, None);
    let lines: Vec<_> = rejects.iter().map(|reject| (reject.line, reject.code)).collect();
    assert_eq!(lines, [(4, "ragged_row"), (7, "ragged_row")]);
    assert_eq!(said.len(), 3);
    assert_eq!(said[1]["attributes"]["name"], "b\nc");
}

#[test]
fn a_quote_that_never_closes_costs_its_row_and_no_memory() {
    let (said, rejects) = read("x.csv", "id,name\nh-1,a\nh-2,\"b\nh-3,c\n", None);
    assert_eq!((said.len(), rejects.len()), (1, 1));
    assert_eq!((rejects[0].line, rejects[0].code), (3, "open_quote"));
    let huge = format!("id,name\nh-1,a\nh-2,\"{}\n", "x\n".repeat(6 << 20));
    let (said, rejects) = read("x.csv", huge, None);
    assert_eq!((said.len(), rejects.len()), (1, 1));
    assert_eq!((rejects[0].line, rejects[0].code), (3, "open_quote"));
    let closed = format!("id,name\nh-2,\"{}\"\nh-3,c\n", "x\n".repeat(6 << 20));
    let (said, rejects) = read(
        "x.csv",
        closed,
        Some("format=1\ntype='t'\ncolumn=[{name='id',as='id'},{name='name',as='attribute'}]"),
    );
    assert_eq!((said.len(), rejects[0].code, rejects[0].line), (1, "record_too_large", 2));
}

#[test]
fn cells_and_columns_have_limits_and_a_bad_byte_costs_its_row() {
    let long = format!("id,name\nh-1,{}\nh-2,b\n", "x".repeat((1 << 20) + 1));
    let (said, rejects) = read("x.csv", long, None);
    assert_eq!(
        (said.len(), rejects[0].code, rejects[0].column.as_deref()),
        (1, "cell_too_large", Some("name"))
    );
    let wide = "x,".repeat(COLUMNS_MAX + 5);
    let (_, rejects) = read("x.csv", format!("id,name\nh-1,a\n{wide}\nh-2,b\n"), None);
    assert_eq!((rejects.len(), rejects[0].code, rejects[0].line), (1, "too_many_columns", 3));
    let (said, rejects) = read("x.csv", b"id,name\nh-1,\xe4\nh-2,b\n\xc3,\xa9\n", None);
    assert_eq!((said.len(), rejects.len(), rejects[0].code, rejects[1].line), (1, 2, "not_utf8", 4));
    assert!(matches!(try_read("x.csv", b"\xff\xfei\x00d\x00", None), Err(Fatal::NotCsv { .. })));
    assert!(matches!(try_read("x.csv", "", None), Err(Fatal::NotCsv { .. })));
    let twice = try_read("x.csv", "id,id\n1,2\n", None);
    assert!(twice.expect_err("two of a name").to_string().contains("`id`"));
}

const DECLARED: &str = r#"
format = 1
type = "host"

[[column]]
name = "nr"
as = "id"
prefix = "h-"

[[column]]
name = "cores"
as = "attribute"
to = "cpu_cores"
type = "integer"

[[column]]
name = "notes"
as = "text"

[[column]]
name = "owner"
as = "relation"
to = "owned-by"
prefix = "p-"
separator = ";"

[[column]]
name = "tags"
as = "label"
separator = ";"

[[column]]
name = "level"
as = "classification"

[[column]]
name = "at"
as = "observed_at"

[[column]]
name = "junk"
as = "ignore"
"#;

#[test]
fn a_declared_mapping_says_what_each_column_is() {
    let text = "nr,cores,notes,owner,tags,level,at,junk\n\
        7,4,Patched in May.,1; 2,dmz;old,secret,2024-01-31,x\n\
        8,many,,,,,,\n\
        9,,,,,classified,,\n\
        ,1,,,,,,\n";
    let (said, rejects) = read("whatever", text, Some(DECLARED));
    let entity = json!({
        "id": "h-7", "type": "host", "labels": ["dmz", "old"],
        "attributes": {"cpu_cores": 4, "notes": "Patched in May."}, "observed_at": "2024-01-31T00:00:00Z",
    });
    assert_eq!(said[0], entity);
    for (place, owner) in [(1, "p-1"), (2, "p-2")] {
        let id = &said[place]["id"];
        assert_eq!(said[place], json!({"relation": "owned-by", "from": "h-7", "to": owner, "id": id}));
    }
    assert_eq!(said.len(), 3);
    let told: Vec<_> =
        rejects.iter().map(|of| (of.line, of.column.as_deref(), of.code, of.value.as_str())).collect();
    assert_eq!(
        told,
        [
            (3, Some("cores"), "bad_integer", "many"),
            (4, Some("level"), "bad_classification", "classified"),
            (5, Some("nr"), "missing_property", "")
        ]
    );
}

#[test]
fn a_mapping_and_a_file_must_have_the_same_columns() {
    for (text, word) in [
        ("nr,cores\n1,2\n", "notes"),
        (&format!("{}\n", "nr,cores,notes,owner,tags,level,at,junk,more"), "more"),
    ] {
        let error = try_read("x", text, Some(DECLARED)).expect_err("other columns").to_string();
        assert!(error.contains(&format!("`{word}`")), "{error}");
    }
}

#[test]
fn rows_can_be_relations_and_a_file_can_be_without_header() {
    let (said, rejects) =
        read("x.csv", "from,to,kind,since,weight\na,b,knows,2024-01-01,0.5\nb,c,uses,,\n", None);
    assert!(rejects.is_empty(), "{rejects:?}");
    assert_eq!(
        (&said[0]["relation"], &said[0]["from"], &said[0]["to"]),
        (&json!("knows"), &json!("a"), &json!("b"))
    );
    assert_eq!((&said[0]["weight"], &said[0]["since"]), (&json!(0.5), &json!("2024-01-01T00:00:00Z")));
    let (said, _) = read("parts.csv", "7,left\n8,right\n", None);
    assert_eq!(said[0], json!({"id": "7", "type": "parts", "attributes": {"2": "left"}}));
}

proptest! {
    /// Rows and lines of any bytes: each row is a thing or a reject, its line is in the file, and nothing panics.
    #[test]
    fn no_bytes_make_it_fail(bytes in vec(select(&b"ab,\"';\t|01.-+eT:\n\r \xc3\xa9"[..]), 0..300)) {
        let lines = bytes.iter().filter(|byte| b"\n\r".contains(byte)).count() as u64 + 1;
        if let Ok((said, rejects)) = try_read("x.csv", &bytes, None) {
            prop_assert!((said.len() + rejects.len()) as u64 <= lines);
            prop_assert!(rejects.iter().all(|reject| (1..=lines).contains(&reject.line)));
        }
    }
}

#[test]
fn long_prose_is_searched_too() {
    let long = "word ".repeat(5000);
    let mapping =
        "format=1\ntype='t'\ncolumn=[{name='id',as='id'},{name='a',as='text'},{name='b',as='attribute'}]";
    let mut import = Import::new(source());
    import.mapping = Some(Declared::parse(mapping).expect("a mapping"));
    let mut texts = Vec::new();
    let text = format!("id,a,b\n1,{long},{long}\n2,short,short\n");
    import
        .read(Format::Csv, "x", &mut text.as_bytes(), &mut |item| {
            if let Item::Said { said, .. } = item {
                texts.push(said.parts[0].texts.iter().map(|text| text.of_claim.clone()).collect::<Vec<_>>());
            }
            ControlFlow::Continue(())
        })
        .expect("it is read");
    assert_eq!(texts, [vec!["a".to_owned()], Vec::new()]);
}

#[test]
fn rows_that_nothing_tells_apart_are_known_by_their_cells() {
    let text = "colour,size\nred,1\nblue,1\nred,1\n";
    let (said, _) = read("x.csv", text, None);
    assert_eq!(said[0]["id"], said[2]["id"]);
    assert_ne!(said[0]["id"], said[1]["id"]);
    let (again, _) = read("y.csv", text, None);
    assert_eq!(said[0]["id"], again[0]["id"], "by nothing but their cells and the source");
}

#[test]
fn the_mapping_that_is_shown_reads_the_file_as_no_mapping_does() {
    let text = "id,name,cores,notes,tags\nh-1,a,4,\"A long text, in which somebody says a great deal about very little.\",x;y\nh-2,b,5,,\n";
    let mapping = inferred(text);
    let parsed = Declared::parse(&mapping.to_string()).expect("what is printed is read").mapping;
    assert_eq!(parsed, mapping);
    assert_eq!(read("hosts.csv", text, Some(&mapping.to_string())).0, read("hosts.csv", text, None).0);
    let json = serde_json::to_string(&mapping).expect("JSON");
    assert_eq!(Declared::parse(&json).expect("JSON is read too").mapping, mapping);
}

#[test]
fn a_mapping_that_contradicts_itself_is_refused_with_what_is_wrong() {
    let column = |text: &str| format!("format=1\ntype='t'\ncolumn=[{{name='id',as='id'}},{text}]");
    for (text, words) in [
        ("format=2\ntype='t'\ncolumn=[]".to_owned(), "`format` is 1"),
        ("format=1\ncolumn=[]".to_owned(), "id"),
        ("format=1\ncolumn=[{name='a',as='id'}]".to_owned(), "type"),
        ("format=1\ntype='t'\nids='digest'\ncolumn=[{name='a',as='id'}]".to_owned(), "digest"),
        (column("{name='b',as='colour'}"), "colour"),
        (column("{name='b',as='attribute',typ='integer'}"), "typ"),
        (column("{name='b',as='attribute',type='enumeration'}"), "values"),
        (column("{name='b',as='text',type='integer'}"), "`type`"),
        (column("{name='b',as='from'}"), "both"),
        (column("{name='b',as='weight'}"), "relations"),
        (column("{name='b',as='attribute',to='c'},{name='c',as='attribute'}"), "one attribute"),
        (column("{name='id',as='ignore'}"), "twice"),
        (column("{name='b',as='id'}"), "at most"),
        ("{\"format\":1".to_owned(), "EOF"),
    ] {
        let said = refused(&text);
        assert!(said.contains(words), "{text}: {said}");
    }
}
