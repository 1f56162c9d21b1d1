use super::super::Policy;
use super::*;

#[test]
fn an_unknown_attribute_is_refused_with_its_line() {
    refused(
        "@id(\"open\")\npermit (principal, action, resource);\n\n@id(\"budget\")\nforbid (principal, action in Action::\"read\", resource)\nwhen { resource.owner == \"me\" };\n",
        &[(6, Some("budget"), "attribute `owner`")],
    );
}

#[test]
fn broken_syntax_is_refused_with_its_line() {
    refused(
        "permit (principal, action, resource);\npermit (principal, action resource);\n",
        &[(2, None, "unexpected token `resource`")],
    );
    refused(
        "permit (principal, action, resource);\n\nforbid (principal",
        &[(3, None, "unexpected end of input")],
    );
}

#[test]
fn a_word_outside_its_vocabulary_is_refused() {
    refused(
        "forbid (principal, action in Action::\"read\", resource)\nwhen { resource.licence == Licence::\"Embargo\" };",
        &[(2, Some("policy0"), "Licence::\"Embargo\"")],
    );
    refused(
        "permit (principal, action == Action::\"entity.reed\", resource);",
        &[(1, Some("policy0"), "entity.reed")],
    );
}

#[test]
fn an_attribute_that_only_some_resources_have_is_refused() {
    refused(
        "forbid (principal, action, resource) when { resource.personal };",
        &[(1, Some("policy0"), "`personal`")],
    );
}

#[test]
fn a_policy_that_never_applies_is_refused() {
    refused(
        "forbid (principal, action == Action::\"entity.read\", resource is Tenant);",
        &[(1, Some("policy0"), "")],
    );
}

#[test]
fn a_policy_about_one_user_or_one_thing_is_refused() {
    refused(
        "permit (principal, action, resource);\nforbid (principal == User::\"mallory\", action, resource);",
        &[(2, Some("policy1"), "User::\"mallory\"")],
    );
    refused(
        "permit (principal, action in Action::\"read\", resource == Label::\"3\");",
        &[(1, Some("policy0"), "Label::\"3\"")],
    );
}

#[test]
fn two_policies_of_one_id_are_refused() {
    let twice = "@id(\"a\")\npermit (principal, action, resource);\n@id(\"a\")\npermit (principal, action, resource);";
    refused(twice, &[(3, Some("a"), "taken by an earlier policy")]);
}

#[test]
fn a_template_is_refused() {
    refused(
        "\npermit (principal == ?principal, action, resource);",
        &[(2, None, "a template never applies")],
    );
}

#[test]
fn every_problem_is_told_in_order() {
    refused(
        "@id(\"a\") forbid (principal, action, resource) when { principal.age > 3 };\n@id(\"b\") forbid (principal, action, resource) when { principal.clearance };",
        &[(1, Some("a"), "attribute `age`"), (2, Some("b"), "Bool")],
    );
}

#[test]
fn a_policy_that_could_fail_to_evaluate_is_refused() {
    for (condition, part) in [
        ("principal.clearance * 9223372036854775807 < 0", "`*` can overflow"),
        ("principal.clearance + 9223372036854775803 > 0", "`+` can overflow"),
        ("(if principal.clearance > 2 then 1 else 9223372036854775807) + 1 > 0", "`+` can overflow"),
        ("-(0 - 9223372036854775807 - 1) > 0", "`neg` can overflow"),
        ("principal.clearance > 0 && ip(\"10.0.0.1\").isLoopback()", "can fail"),
    ] {
        let text = format!(
            "@id(\"sum\")\nforbid (principal, action in Action::\"read\", resource)\nwhen {{ {condition} }};"
        );
        refused(&text, &[(1, Some("sum"), part)]);
    }
}

#[test]
fn sums_of_levels_are_taken() {
    for condition in [
        "principal.clearance + 1 >= resource.classification",
        "principal.clearance * 2 - resource.classification > -5",
        "-(principal.clearance) < 0 && resource.source like \"a*b\" && resource has personal",
        "(if resource.personal then 2 else 1) + principal.clearance > 3",
        "principal.clearance + 9223372036854775802 > 0",
    ] {
        let text =
            format!("forbid (principal, action in Action::\"read\", resource) when {{ {condition} }};");
        assert!(Policy::load(&text).is_ok(), "{condition}: {:?}", Policy::load(&text));
    }
}

/// Each of `expected` (line, policy, a part of the message) is told, in that order.
fn refused(text: &str, expected: &[(usize, Option<&str>, &str)]) {
    let PolicyProblems(problems) = Policy::load(text).unwrap_err();
    let mut told = problems.iter();
    for &(line, policy, part) in expected {
        let is_it = |problem: &PolicyProblem| {
            problem.line == line && problem.policy.as_deref() == policy && problem.message.contains(part)
        };
        assert!(told.any(is_it), "{expected:?} in {problems:?}");
    }
}
