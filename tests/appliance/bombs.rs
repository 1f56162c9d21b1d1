//! Documents and bodies that are made to hurt a GraphQL server: generated, of every kind, in many sizes.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::seed::Seeded;

/// A request that somebody sends in bad faith.
pub(crate) struct Bomb {
    pub(crate) kind: &'static str,
    /// The body of the request, as it is sent.
    pub(crate) body: Vec<u8>,
}

/// Makes a bomb of a size.
type Make = fn(&mut Seeded, usize) -> Value;

/// How a kind is made, and its largest size.
const KINDS: &[(&str, Make, usize)] = &[
    ("fragments that multiply", fragments, 31),
    ("fragments in a circle", circle, 40),
    (
        "lists in lists",
        |_, size| query(format!("{{ suggest(prefix: {}1{}) {{ id }} }}", "[".repeat(size), "]".repeat(size))),
        6000,
    ),
    (
        "objects in objects",
        |_, size| {
            query(format!("{{ suggest(prefix: {}1{}) {{ id }} }}", "{a:".repeat(size), "}".repeat(size)))
        },
        4000,
    ),
    (
        "brackets that never close",
        |random, size| query(["{", "(", "[", "{a("][random.below(4)].repeat(size)),
        6000,
    ),
    ("fields in fields", |_, size| query(format!("{}{}", "{ node ".repeat(size), "}".repeat(size))), 3000),
    (
        "fragments in place",
        |_, size| query(format!("{{ {} node {{ tenant }} {} }}", "... { ".repeat(size), "}".repeat(size))),
        3000,
    ),
    ("aliases", |_, size| query(each(size, |n| format!("a{n}: node {{ tenant }} "))), 10_000),
    (
        "expensive aliases",
        |_, size| {
            query(each(size, |n| {
                format!("a{n}: relations(id: \"x\", first: 1000) {{ edges {{ node {{ id }} }} }} ")
            }))
        },
        100,
    ),
    ("one field again and again", |_, size| query(each(size, |_| "node { tenant } ".to_owned())), 10_000),
    (
        "fields that do not agree",
        |_, size| query(each(size, |n| format!("suggest(prefix: \"{n}\") {{ id }} "))),
        3000,
    ),
    (
        "directives",
        |_, size| query(format!("{{ node {} {{ tenant }} }}", "@skip(if: false) ".repeat(size))),
        5000,
    ),
    (
        "unknown directives",
        |_, size| query(format!("{{ node {} {{ tenant }} }}", each_bare(size, |n| format!("@d{n} ")))),
        5000,
    ),
    ("long names", |_, size| query(format!("{{ {} }}", "a".repeat(size * 10))), 20_000),
    (
        "long strings",
        |_, size| query(format!("{{ suggest(prefix: \"{}\") {{ id }} }}", "ß\\u0000".repeat(size))),
        40_000,
    ),
    (
        "block strings",
        |_, size| {
            query(format!("{{ suggest(prefix: \"\"\"{}\"\"\") {{ id }} }}", "\\\"\"\" \n".repeat(size)))
        },
        4000,
    ),
    (
        "strings that never end",
        |_, size| query(format!("{{ suggest(prefix: \"{}", "\\\"".repeat(size))),
        10_000,
    ),
    (
        "numbers",
        |_, size| query(format!("{{ runs(first: {}) {{ edges {{ cursor }} }} }}", "9".repeat(size))),
        20_000,
    ),
    ("comments", |_, size| query(format!("{}{{ node {{ tenant }} }}", "# {{{{[[[\n".repeat(size))), 10_000),
    ("commas", |_, size| query(format!("{{{} node {{ tenant }} }}", ",\u{feff}".repeat(size))), 20_000),
    (
        "operations",
        |_, size| query(each_bare(size, |n| format!("query q{n} {{ node {{ tenant }} }} "))),
        3000,
    ),
    (
        "many fragments",
        |_, size| {
            query(format!(
                "{{ node {{ tenant }} }} {}",
                each_bare(size, |n| format!("fragment f{n} on Node {{ tenant }} "))
            ))
        },
        3000,
    ),
    ("spreads of nothing", |_, size| query(each(size, |n| format!("...f{n} "))), 5000),
    (
        "types of variables",
        |_, size| {
            query(format!("query q($a: {}Int{}) {{ node {{ tenant }} }}", "[".repeat(size), "]".repeat(size)))
        },
        5000,
    ),
    (
        "many variables",
        |_, size| {
            query(format!("query q({}) {{ node {{ tenant }} }}", each_bare(size, |n| format!("$v{n}: Int "))))
        },
        3000,
    ),
    (
        "the schema in circles",
        |_, size| {
            query(format!(
                "{{ __schema {{ types {{ {} name {} }} }} }}",
                "fields { type { ".repeat(size),
                "} }".repeat(size)
            ))
        },
        12,
    ),
    (
        "the schema many times",
        |_, size| {
            query(each(size, |n| format!("a{n}: __schema {{ types {{ fields {{ args {{ name }} }} }} }} ")))
        },
        60,
    ),
    ("definitions of types", |_, size| query(each_bare(size, |n| format!("type T{n} {{ a: Int }} "))), 2000),
    ("subscriptions", |_, size| query(format!("subscription {{ {} }}", "node ".repeat(size))), 100),
    ("noise", noise, 2000),
    ("deep variables", |_, size| json!({"id": "search:v2", "variables": {"q": nested(size)}}), 100),
    (
        "many values",
        |_, size| json!({"id": "search:v2", "variables": {"q": "x", "types": vec!["x"; size]}}),
        100_000,
    ),
    ("long variables", |_, size| json!({"id": "search:v2", "variables": {"q": "🏊".repeat(size)}}), 100_000),
    (
        "many names of variables",
        |_, size| json!({"id": "search:v2", "variables": (0..size).map(|n| (format!("v{n}"), json!(n))).collect::<serde_json::Map<_, _>>()}),
        20_000,
    ),
    (
        "times that are none",
        |_, size| json!({"id": "entity:v1", "variables": {"id": "x", "asOf": "9".repeat(size)}}),
        50_000,
    ),
    ("ids that are none", |_, size| json!({"id": "é".repeat(size)}), 50_000),
    ("lists of requests", |_, size| json!(vec![json!({"id": "node:v1"}); size]), 5000),
];

/// Bombs that no kind makes, since they are no JSON or no text.
const RAW: &[&[u8]] = &[
    b"",
    b"\0\0\0\0",
    b"{",
    b"{\"query\":\"\\ud800\"}",
    b"{\"query\":\"{ node { tenant } }\",\"query\":\"{ node { tenant } }\"}",
    b"{\"id\":\"node:v1\",\"variables\":{\"a\":1e999999}}",
    b"{\"id\":\"node:v1\",\"variables\":{\"a\":-0,\"a\":1}}",
    b"\xff\xfe{\"id\":\"node:v1\"}",
    b"{\"query\":\"{ node { tenant } }\xff\"}",
    b"{\"id\":null,\"documentId\":null,\"query\":null}",
];

/// So many bombs: every kind in turn, in sizes up to its largest, the largest first.
pub(crate) fn bombs(seed: u64, count: usize) -> Vec<Bomb> {
    let mut random = Seeded::new(seed, 1);
    let raw = RAW.iter().map(|body| Bomb { kind: "raw", body: body.to_vec() });
    let made = (0..count.saturating_sub(RAW.len())).map(|number| {
        let (kind, make, largest) = KINDS[number % KINDS.len()];
        let size = if number < KINDS.len() { largest } else { 1 + random.below(largest) };
        Bomb { kind, body: serialized(&make(&mut random, size)) }
    });
    raw.take(count).chain(made).collect()
}

/// JSON by hand: what is in it may be deeper than the library's own way out of it.
fn serialized(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("JSON")
}

fn query(document: String) -> Value {
    json!({"query": document})
}

fn each(size: usize, one: impl Fn(usize) -> String) -> String {
    format!("{{ {} }}", each_bare(size, one))
}

fn each_bare(size: usize, one: impl Fn(usize) -> String) -> String {
    (0..size).map(one).collect()
}

fn fragments(random: &mut Seeded, levels: usize) -> Value {
    let spread = 2 + random.below(2);
    let mut document = "{ ...f0 }".to_owned();
    for level in 0..levels {
        let next = format!("...f{} ", level + 1).repeat(spread);
        let _ = write!(document, " fragment f{level} on Query {{ {next} }}");
    }
    let _ = write!(document, " fragment f{levels} on Query {{ node {{ tenant }} }}");
    query(document)
}

fn circle(_: &mut Seeded, size: usize) -> Value {
    let one = |n| format!("fragment f{n} on Query {{ node {{ tenant }} ...f{} }} ", (n + 1) % size);
    query(format!("{{ ...f0 }} {}", each_bare(size, one)))
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!("x"), |value, _| json!([value]))
}

fn noise(random: &mut Seeded, size: usize) -> Value {
    const SIGNS: [&str; 24] = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "...",
        "\"",
        "\"\"\"",
        "\\",
        "#",
        "\n",
        ":",
        "@skip(if: true)",
        "$v",
        "node",
        "on",
        "fragment",
        "query",
        "🏊",
        "-1",
        "\u{202e}",
        "\0",
        "!",
    ];
    query((0..size).map(|_| format!("{} ", SIGNS[random.below(SIGNS.len())])).collect())
}
