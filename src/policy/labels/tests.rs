use proptest::collection::vec;
use proptest::prelude::*;

use super::super::examples::{HERE, a, any_action, any_label, any_principal, open_label};
use super::*;
use storage::model::{Classification, Purpose, Role};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn allowed_is_the_decision_on_each_label(
        principal in any_principal(),
        action in any_action(),
        labels in vec(any_label(), 0..20),
        first in 0_usize..20,
    ) {
        let (policy, cache) = (Policy::built_in(), AllowedCache::default());
        let labels = numbered(labels);
        // In two steps, as labels appear.
        let _ = cache.allowed(&policy, &principal, action, known(&labels[..first.min(labels.len())]));
        let allowed = cache.allowed(&policy, &principal, action, known(&labels));
        for (id, label) in &labels {
            let decision = policy.decide(&principal, action, Resource::Label(HERE, label));
            prop_assert_eq!(allowed.contains(*id), decision.allowed, "{}", id);
            prop_assert_eq!(allowed.decision(*id).map(|known| &**known), Some(&decision));
        }
        prop_assert_eq!(allowed.all(labels.len()), labels.iter().all(|(id, _)| allowed.contains(*id)));
    }
}

#[test]
fn a_label_is_decided_once() {
    let (policy, cache) = (Policy::built_in(), AllowedCache::default());
    let labels = numbered(vec![open_label(), open_label()]);
    let first = cache.allowed(&policy, &a(Role::Reader), Action::EntityRead, known(&labels));
    let again = cache.allowed(&policy, &a(Role::Reader), Action::EntityRead, known(&labels));
    assert!(Arc::ptr_eq(&first, &again));
    // A request that knows fewer labels is served too.
    let fewer = cache.allowed(&policy, &a(Role::Reader), Action::EntityRead, known(&labels[..1]));
    assert!(Arc::ptr_eq(&first, &fewer));
}

#[test]
fn a_new_label_is_hidden_until_it_is_decided() {
    let (policy, cache) = (Policy::built_in(), AllowedCache::default());
    let labels = numbered(vec![open_label(), open_label()]);
    let before = cache.allowed(&policy, &a(Role::Reader), Action::EntityRead, known(&labels[..1]));
    assert!(before.all(1));
    assert!(!before.all(2) && !before.contains(labels[1].0));
    let after = cache.allowed(&policy, &a(Role::Reader), Action::EntityRead, known(&labels));
    assert!(after.all(2));
}

#[test]
fn whatever_a_decision_depends_on_is_told_apart() {
    let (policy, cache) = (Policy::built_in(), AllowedCache::default());
    let labels = numbered(vec![open_label()]);
    let reader = a(Role::Reader);
    let mut others = vec![reader.clone(); 6];
    others[0].role = Role::Admin;
    others[1].clearance = Classification::Secret;
    others[2].purposes_in_use = [Purpose::Demo].into_iter().collect();
    others[3].scopes.insert("embargoed.read".to_owned());
    others[4].compartments.insert("alpha".to_owned());
    others[5].tenant = TenantId(2);
    for principal in others.iter().chain([&reader]) {
        let _ = cache.allowed(&policy, principal, Action::EntityRead, known(&labels));
    }
    let _ = cache.allowed(&policy, &reader, Action::EntitySearch, known(&labels));
    let _ = cache.allowed(&policy, &reader, Action::EntityRead, KnownLabels { version: 1, ..known(&labels) });
    let _ = cache.allowed(
        &policy,
        &reader,
        Action::EntityRead,
        KnownLabels { tenant: TenantId(2), ..known(&labels) },
    );
    let nothing = Policy::load("").unwrap();
    let none = cache.allowed(&nothing, &reader, Action::EntityRead, known(&labels));
    assert!(none.is_empty() && !none.all(1));
    assert_eq!(cache.entries().len(), 11);
}

#[test]
fn it_stays_below_its_limit() {
    let (policy, cache) = (Policy::built_in(), AllowedCache::default());
    let labels = numbered(vec![open_label()]);
    let with_version = |version| KnownLabels { version, ..known(&labels) };
    for version in 0..=ALLOWED_ENTRIES_MAX as u64 {
        let allowed = cache.allowed(&policy, &a(Role::Reader), Action::EntityRead, with_version(version));
        assert!(allowed.all(1));
        assert!(cache.entries().len() <= ALLOWED_ENTRIES_MAX);
    }
    assert_eq!(cache.entries().len(), 1);
}

#[test]
fn an_answer_that_covers_more_is_not_replaced() {
    let (policy, cache) = (Policy::built_in(), AllowedCache::default());
    let labels = numbered(vec![open_label(), open_label()]);
    let wide = cache.allowed(&policy, &a(Role::Reader), Action::EntityRead, known(&labels));
    let key = Key::of(&policy, &a(Role::Reader), Action::EntityRead, known(&labels));
    let slower = Arc::new(Allowed { labels: [1].into(), decided: 1, ..Allowed::default() });
    assert!(Arc::ptr_eq(&cache.keep(key, slower), &wide));
}

fn numbered(labels: Vec<Label>) -> Vec<(LabelId, Label)> {
    (1..).map(LabelId).zip(labels).collect()
}

fn known(labels: &[(LabelId, Label)]) -> KnownLabels<'_> {
    KnownLabels { tenant: HERE, version: 0, labels }
}
