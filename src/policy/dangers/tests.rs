use super::*;

#[test]
fn the_built_in_policy_has_no_danger() {
    assert_eq!(dangers(&Policy::built_in(), &any_officers(), &[]), []);
}

#[test]
fn a_policy_that_permits_everything_is_told_with_policy_line_and_reason() {
    let text = "@id(\"fine\")\npermit (principal, action == Action::\"policy.manage\", resource);\n\n@id(\"all\")\npermit (principal, action, resource);\n";
    let found = told_of(text, &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    for (problem, part) in
        found.iter().zip(["of another tenant do `entity.search`", "whose clearance is `public`"])
    {
        assert_eq!((problem.line, problem.policy.as_deref()), (4, Some("all")), "{problem}");
        assert!(problem.message.contains(part), "{problem}");
    }
    assert_eq!(told_of(text, &[Danger::CrossTenant]).len(), 1);
    assert_eq!(told_of(text, &[Danger::CrossTenant, Danger::AboveClearance]), []);
}

/// Each opens a corner only, which words and vocabularies must lead to.
#[test]
fn a_hole_is_found_however_small() {
    for hole in [
        "resource.type like \"mal*\" && resource.source == \"feed\"",
        "resource.kind == Kind::\"run\" && resource.retention == Retention::\"legal-hold\"",
        "resource.licence == Licence::\"Embargoed\" && resource.personal && resource.classification == 5",
        "resource.compartments.contains(\"alpha\")",
        "context.purposes == [Purpose::\"demo\"]",
        "principal.role == Role::\"auditor\" && (if resource.personal then resource else resource).source == \"x\"",
    ] {
        let tenant = "permit (principal, action in Action::\"read\", resource) when { principal.tenant == resource.tenant && ";
        let text = format!("{OFFICERS}\n{tenant}({hole}) }};");
        let found = told_of(&text, &[]);
        assert_eq!(found.len(), 1, "{hole}: {found:?}");
        assert!(found[0].message.ends_with("confirm `above-clearance`"), "{hole}: {found:?}");
    }
    let scoped = format!(
        "{OFFICERS}\npermit (principal, action == Action::\"embedding.read\", resource) when {{ principal.scopes.contains(\"everywhere\") && principal.clearance >= resource.classification }};"
    );
    let found = told_of(&scoped, &[]);
    assert!(found.len() == 1 && found[0].message.ends_with("confirm `cross-tenant`"), "{found:?}");
}

#[test]
fn a_policy_that_shuts_its_officers_out_is_told() {
    assert!(told_of("", &[])[0].message.contains("shuts out everybody"));
    let forbidden = format!(
        "{OFFICERS}\n@id(\"never\")\nforbid (principal, action == Action::\"policy.manage\", resource);"
    );
    let found = told_of(&forbidden, &[]);
    assert_eq!((found[0].line, found[0].policy.as_deref()), (2, Some("never")), "{found:?}");
    assert_eq!(told_of(&forbidden, &[Danger::LockOut]), []);
    // Officers are those that there are: the rule is met if one of them may.
    let scoped = "permit (principal, action == Action::\"policy.manage\", resource) when { principal.scopes.contains(\"officer\") };";
    let policy = Policy::load(scoped).unwrap();
    let mut officer = any_officers().remove(1);
    assert_eq!(dangers(&policy, std::slice::from_ref(&officer), &[]).len(), 1);
    officer.scopes.insert("officer".to_owned());
    assert_eq!(dangers(&policy, &[officer], &[]), []);
}

#[test]
fn a_policy_with_too_many_words_to_try_is_told() {
    let words: Vec<_> = (0..200).map(|n| format!("\"w{n}\"")).collect();
    let words = words.join(", ");
    let text = format!(
        "{OFFICERS}\nforbid (principal, action in Action::\"read\", resource) when {{ [{words}].contains(resource.type) && [{words}].contains(resource.source) }};"
    );
    let found = told_of(&text, &[]);
    assert!(found.iter().all(|problem| problem.message.contains("confirm `unchecked`")), "{found:?}");
    assert_eq!(told_of(&text, &[Danger::Unchecked]), []);
}

const OFFICERS: &str = "permit (principal, action == Action::\"policy.manage\", resource) when { principal.role == Role::\"owner\" };";

fn told_of(text: &str, confirmed: &[Danger]) -> Vec<PolicyProblem> {
    dangers(&Policy::load(text).unwrap(), &any_officers(), confirmed)
}
