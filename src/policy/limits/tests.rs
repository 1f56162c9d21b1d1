use super::super::Policy;
use super::super::examples::{HERE, a, open_label};
use super::super::{Action, Resource};
use super::*;
use storage::model::Role;

/// What a policy of [`expression`] has left for its expression.
const AT_THE_LIMIT: usize = POLICY_STEPS_MAX - 8;

/// A name, what an expression is deepened by (before, inside, after), and the steps that each time takes.
const FORMS: &[(&str, &str, &str, &str, usize)] = &[
    ("brackets", "(", "true", ")", 1),
    ("sets", "[", "1", "]", 1),
    ("records", "{a: ", "1", "}", 1),
    ("conditions", "if true then ", "true", " else true", 1),
    ("alternatives", "if true then true else ", "true", "", 1),
    ("tests", "if ", "true", " then true else true", 1),
    ("negations", "!", "true", "", 1),
    ("minus", "-", "1", "", 1),
    ("calls", "[1].contains(", "1", ")", 3),
    ("attributes", "", "principal", ".a", 1),
    ("indexes", "", "principal", "[\"a\"]", 1),
    ("chained calls", "", "[1]", ".contains(1)", 2),
    ("sums", "", "1", " + 1", 1),
    ("products", "", "1", " * 1", 1),
    ("ands", "", "true", " && true", 2),
    ("ors", "", "false", " || true", 2),
];

/// What the validator finds at the surface it finds at the limit: it does not give up silently.
#[test]
fn validation_is_the_same_at_the_limit() {
    for &(name, before, inside, after, steps) in FORMS {
        let few = expression(before, inside, after, 3);
        let many = expression(before, inside, after, AT_THE_LIMIT / steps);
        let (few, many) = (Policy::load(&few), Policy::load(&many));
        let unary = ["negations", "minus"].contains(&name);
        assert!(unary || few.is_ok() == many.is_ok(), "{name}: {few:?}, {many:?}");
    }
}

#[test]
fn what_is_loaded_can_be_decided_on_any_thread() {
    // The second has just enough not to be given a larger stack.
    for stack_kib in [256, 1_100, 2_048] {
        let thread = std::thread::Builder::new().stack_size(stack_kib * 1024);
        thread.spawn(decide_at_the_limit).unwrap().join().unwrap();
    }
}

fn decide_at_the_limit() {
    for &(name, before, inside, after, steps) in FORMS {
        let times = AT_THE_LIMIT / steps;
        let Ok(policy) = Policy::load(&expression(before, inside, after, times)) else {
            continue;
        };
        let label = open_label();
        let resource = Resource::Label(HERE, &label);
        let decision = policy.decide(&a(Role::Reader), Action::EntityRead, resource);
        assert!(decision.allowed, "{name}");
    }
}

#[test]
fn a_policy_over_the_limit_is_refused_unread() {
    for &(name, before, inside, after, _) in FORMS {
        for times in [POLICY_STEPS_MAX + 1, 10_000] {
            let text = format!("\n{}", expression(before, inside, after, times));
            let problems = Policy::load(&text).unwrap_err().0;
            assert_eq!(problems.len(), 1, "{name}");
            assert_eq!(problems[0].line, 2, "{name}");
            assert!(problems[0].message.starts_with("more than 200"), "{name}: {problems:?}");
        }
    }
}

#[test]
fn long_texts_and_many_policies_are_refused() {
    let long = "/".repeat(POLICY_BYTES_MAX + 1);
    assert_eq!(exceeded(&long).unwrap().message, "text of 262145 bytes; at most 262144");
    let policy = "permit (principal, action, resource);\n";
    assert_eq!(exceeded(&policy.repeat(POLICIES_MAX)), None);
    let many = exceeded(&policy.repeat(POLICIES_MAX + 1)).unwrap();
    assert_eq!((many.line, many.message.as_str()), (257, "more than 256 policies; join some"));
}

#[test]
fn strings_and_comments_end_where_cedar_ends_them() {
    check(r#"a "(\"(" ( b"#, "a|(|b");
    check(r#""\\" ( "x"#, "(");
    check("// \" (\n( // (\r( /", "(|(|/");
    check(r#""// " ( "é" ;"#, "(|;");
    check("if iffy _if if2", "if|iffy|_if|if2");
}

fn check(text: &str, expected: &str) {
    let tokens: Vec<_> = Tokens(text).filter(|token| !token.trim().is_empty()).collect();
    assert_eq!(tokens.join("|"), expected, "{text}");
}

fn expression(before: &str, inside: &str, after: &str, times: usize) -> String {
    let (before, after) = (before.repeat(times), after.repeat(times));
    let anything = "permit (principal, action, resource)";
    format!("{anything}; {anything} when {{ {before}{inside}{after} }};")
}
