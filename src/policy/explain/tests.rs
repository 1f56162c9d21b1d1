use storage::model::{Classification, Label, Licence, Role};

use super::super::examples::{HERE, a, open_label};
use super::*;

#[test]
fn a_denial_names_the_rule_and_what_it_found() {
    let label = Label { classification: Classification::Secret, ..open_label() };
    let why = explained(&Policy::built_in(), Role::Reader, Action::EntityRead, Resource::Label(HERE, &label));
    assert_eq!((why.allowed, why.summary.as_str()), (false, "denied: `clearance` forbids it"));
    let [reason] = &why.reasons[..] else { panic!("{why:?}") };
    assert!(reason.applied && reason.rule.forbids, "{reason:?}");
    let line = Policy::built_in().text().lines().nth(reason.rule.line - 1).unwrap_or_default().to_owned();
    assert_eq!(line, "@id(\"clearance\")");
    assert!(reason.rule.text.contains("principal.clearance >= resource.classification"), "{reason:?}");
    let found: Vec<_> = reason.found.iter().map(|(name, value)| format!("{name} is {value}")).collect();
    assert_eq!(found, ["principal.clearance is internal (2)", "resource.classification is secret (5)"]);
}

#[test]
fn a_permission_names_the_rule_that_gives_it() {
    let label = open_label();
    let why = explained(&Policy::built_in(), Role::Reader, Action::EntityRead, Resource::Label(HERE, &label));
    assert_eq!(why.summary, "allowed: `readers-read` permits it, and nothing forbids it");
    assert_eq!(why.reasons[0].found, [("principal.role".to_owned(), "reader".to_owned())]);
}

#[test]
fn where_nothing_permits_the_rules_that_would_are_told() {
    let why = explained(&Policy::built_in(), Role::Reader, Action::PolicyManage, Resource::Tenant(HERE));
    assert_eq!(why.summary, "denied: nothing permits it; `admins-manage-the-tenant` would, to others");
    assert!(why.reasons.iter().all(|reason| !reason.applied), "{why:?}");
    let why =
        explained(&Policy::load("").unwrap(), Role::Owner, Action::PolicyManage, Resource::Tenant(HERE));
    assert_eq!((why.summary.as_str(), why.reasons), ("denied: no policy permits this to anybody", vec![]));
}

#[test]
fn an_embedding_is_explained_by_the_licence_that_it_carries() {
    let label = Label { licence: Licence::MitOk, ..open_label() };
    let asked = Resource::Label(HERE, &label);
    let why = explained(&Policy::built_in(), Role::Reader, Action::EmbeddingRead, asked);
    assert_eq!(why.summary, "denied: `embeddings-need-open-data` forbids it");
    assert_eq!(why.reasons[0].found, [("resource.licence".to_owned(), "Restricted-TOS".to_owned())]);
}

#[test]
fn purposes_in_common_are_told() {
    let label = Label { purposes: Purposes::default(), ..open_label() };
    let why = explained(&Policy::built_in(), Role::Reader, Action::EntityRead, Resource::Label(HERE, &label));
    assert_eq!(why.reasons[0].found, [("context.purposes".to_owned(), "nothing".to_owned())]);
}

fn explained(policy: &Policy, role: Role, action: Action, resource: Resource<'_>) -> Explanation {
    explain(policy, &a(role), action, resource)
}
