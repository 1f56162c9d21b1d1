use std::fmt::Write as _;

use async_graphql::parser::parse_query;

use super::*;

fn refused(text: &str, what: &str) {
    let refusal = check(text).expect_err("beyond a limit");
    assert!(refusal.contains(what), "{refusal}");
}

#[test]
fn what_tools_and_people_send_passes() {
    for text in [
        "{ node { tenant } }",
        "query q($a: [String!] = [\"x\"]) { a: search(q: \"{{{{\", types: $a) @include(if: true) { ...f } } \
         fragment f on SearchConnection { lsn }",
        "# a comment with { and \"\n{ node { tenant } }",
        "\u{feff}{ node { tenant } }",
        "mutation { entityDelete(id: \"\"\"a \\\"\"\" b\"\"\") { lsn } }",
        "{ suggest(prefix: \"\", limit: -1) { id } }",
        include_str!("introspection.graphql"),
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
        parse_query(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

/// 855 bytes took 12.5 s, and each level doubles it.
#[test]
fn fragments_that_multiply_are_counted_and_not_written_out() {
    for levels in [12, 26, 31] {
        let mut text = "{ ...f0 }".to_owned();
        for level in 0..levels {
            let _ = write!(text, " fragment f{level} on Query {{ ...f{0} ...f{0} }}", level + 1);
        }
        let _ = write!(text, " fragment f{levels} on Query {{ node {{ tenant }} }}");
        refused(&text, "fragment");
    }
    refused("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "never end");
    refused("fragment a on Query { ...a } { ...a }", "never end");
}

#[test]
fn each_limit_is_a_limit() {
    let many = |count: usize, text: &str| text.repeat(count);
    refused(&format!("{{ a(b: {}1{}) }}", many(600, "["), many(600, "]")), "brackets");
    refused(&format!("{{ a(b: {}1{}) }}", many(31, "["), many(31, "]")), "brackets");
    refused(&many(40, "{ a "), "brackets");
    refused(&format!("{{ a(b: {}1{}) }}", many(40, "{ c: "), many(40, "}")), "brackets");
    refused(&format!("{{ {} }}", many(51, "a: node { tenant } ")), "aliases");
    refused(&format!("{{ node {} {{ tenant }} }}", many(33, "@skip(if: false) ")), "directives");
    refused(&format!("{{ {} }}", many(65, "...f ")), "spread");
    refused(&many(33, "fragment f on Query { a } "), "fragments");
    refused(&many(17, "query q { a } "), "operations");
    refused(&format!("{{ {} }}", many(5000, "a ")), "words");
    refused(&format!("{{ {} }}", many(129, "a")), "name");
    refused(&many(40_000, " "), "bytes");
    refused("{ a(b: \"x\ny\") }", "string");
    refused("{ a(b: \"\"\"x) }", "string");
}

#[test]
fn arguments_and_objects_are_no_aliases() {
    let arguments = "a(b: 1, c: {d: 2, e: [{f: 3}]}) ".repeat(20);
    assert_eq!(check(&format!("query q($x: Int = 1, $y: I = {{z: 1}}) {{ {arguments} }}")), Ok(()));
}

/// The tests' own fuzzing: whatever passes must be parsed within the stack of a thread.
#[test]
fn noise_never_panics() {
    let signs = [
        "{", "}", "(", ")", "[", "]", "...", "\"", "\\", "#", "\n", ":", "@", "$", "a", "on", "fragment",
        "🏊", "-", "1",
    ];
    let mut state: u32 = 1;
    for _ in 0..3000 {
        let mut text = String::new();
        for _ in 0..60 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(signs[(state >> 16) as usize % signs.len()]);
            text.push(' ');
        }
        if check(&text).is_ok() {
            let _ = parse_query(&text);
        }
    }
}
