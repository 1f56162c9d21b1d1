use proptest::collection::vec;
use proptest::prelude::*;
use storage::model::{Classification, Role};

use super::super::examples::{HERE, a, any_label, any_principal, open_label};
use super::*;

/// What may not be read any more: one label, one purpose.
const NARROWER: &str = r#"
@id("no-demo")
forbid (principal, action == Action::"entity.read", resource)
when { resource.source == "feed" && principal.purposes == [Purpose::"demo"] };
"#;

#[test]
fn what_would_change_is_told_in_words() {
    let (old, new) =
        (Policy::built_in(), Policy::load(&format!("{}{NARROWER}", Policy::built_in().text())).unwrap());
    let tokens = tokens(&[("t1", Role::Reader), ("t2", Role::Reader), ("t3", Role::Writer)]);
    let labels = labels(vec![open_label(), Label { source: "wiki".to_owned(), ..open_label() }]);
    let scenario = Scenario { old: &old, new: &new, ..scenario(&old, &tokens, &labels) };
    let found = simulate(&scenario).unwrap();
    assert_eq!((found.gains.len(), found.losses.len()), (0, 1), "{found:?}");
    let lost = &found.losses[0];
    assert_eq!(lost.principal(), "reader, clearance internal, for demo (token t1, t2)");
    assert_eq!(lost.action, Action::EntityRead);
    assert_eq!(
        lost.label(),
        format!(
            "malware entity of feed: public, Open-Data-OK, for {}, standard-365d",
            wording::purposes(Purposes::ALL)
        )
    );
    // The other way round it is gained.
    let back = simulate(&Scenario { old: &new, new: &old, ..scenario }).unwrap();
    assert_eq!((back.gains, back.losses), (found.losses, vec![]));
}

#[test]
fn what_changes_for_the_tenant_is_told_too() {
    let (old, new) = (Policy::built_in(), Policy::load("").unwrap());
    let tokens = tokens(&[("t1", Role::Writer)]);
    let labels = labels(vec![open_label()]);
    let found = simulate(&Scenario { new: &new, ..scenario(&old, &tokens, &labels) }).unwrap();
    let lost: Vec<_> = found.losses.iter().map(|change| (change.action, change.label())).collect();
    let tenant = || "the tenant".to_owned();
    assert_eq!(lost, [(Action::EntityWrite, tenant()), (Action::ImportRun, tenant())]);
    assert_eq!(found.losses[0].principal(), "writer, clearance internal (token t1)");
}

#[test]
fn too_much_to_compare_is_refused() {
    let policy = Policy::built_in();
    let different = |n: usize| {
        let scopes = [format!("scope-{n}")].into_iter().collect();
        (format!("t{n}"), Attributes { scopes, ..a(Role::Reader).attributes() })
    };
    let tokens: Vec<_> = (0..200).map(different).collect();
    let labels =
        labels((0..1000).map(|n| Label { thing_type: format!("type-{n}"), ..open_label() }).collect());
    let refused = simulate(&scenario(&policy, &tokens, &labels)).unwrap_err();
    assert!(refused.to_string().contains("at most 500000"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// Whatever the policies: what is told changes, and what is not told does not.
    #[test]
    fn nothing_is_missed_and_nothing_made_up(
        principals in vec(any_principal(), 1..4),
        labels in vec(any_label(), 1..6),
        narrower in any::<bool>(),
    ) {
        let text = if narrower { format!("{}{NARROWER}", Policy::built_in().text()) } else { LOOSER.to_owned() };
        let (old, new) = (Policy::built_in(), Policy::load(&text).unwrap());
        let tokens: Vec<_> =
            principals.iter().enumerate().map(|(n, who)| (format!("t{n}"), who.attributes())).collect();
        let labels = self::labels(labels);
        let found = simulate(&Scenario { new: &new, ..scenario(&old, &tokens, &labels) }).unwrap();
        for (id, attributes) in &tokens {
            for request in requests(attributes) {
                let who = request.asking(HERE);
                for &action in Action::ALL.iter().filter(|action| action.is_read()) {
                    for label in &labels {
                        let resource = Resource::Label(HERE, &label.1);
                        let told = |changes: &[Change<'_>]| changes.iter().any(|change| {
                            change.action == action && change.on == Some(label)
                                && change.tokens.contains(&id.as_str()) && change.requests.contains(&request)
                        });
                        let before = old.decide(&who, action, resource).allowed;
                        let after = new.decide(&who, action, resource).allowed;
                        prop_assert_eq!(told(&found.gains), !before && after);
                        prop_assert_eq!(told(&found.losses), before && !after);
                    }
                }
            }
        }
    }
}

const LOOSER: &str = r#"
permit (principal, action in Action::"read", resource)
when { principal.clearance >= resource.classification && principal.role != Role::"auditor" };
"#;

fn scenario<'a>(
    policy: &'a Policy,
    tokens: &'a [(String, Attributes)],
    labels: &'a [(LabelId, Label)],
) -> Scenario<'a> {
    Scenario { old: policy, new: policy, tenant: HERE, tokens, labels, actions: Action::ALL }
}

fn tokens(of: &[(&str, Role)]) -> Vec<(String, Attributes)> {
    let all = |role| Attributes {
        purposes_in_use: Purposes::ALL,
        clearance: Classification::Internal,
        ..a(role).attributes()
    };
    of.iter().map(|(id, role)| ((*id).to_owned(), all(*role))).collect()
}

fn labels(labels: Vec<Label>) -> Vec<(LabelId, Label)> {
    (1..).map(LabelId).zip(labels).collect()
}
