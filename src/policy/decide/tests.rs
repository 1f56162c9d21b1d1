use std::time::Instant;

use proptest::prelude::*;
use storage::model::{Classification, LabelKind, Licence, Purpose, Purposes, Retention, Role};

use super::super::examples::{ELSEWHERE, HERE, a, any_action, any_label, any_principal, open_label};
use super::*;

#[test]
fn nothing_is_allowed_unless_permitted() {
    let nothing = Policy::load("").unwrap();
    let label = open_label();
    for &action in Action::ALL {
        for &role in Role::ALL {
            let decision = nothing.decide(&a(role), action, resource(action, &label));
            assert_eq!(decision, Decision::UNDECIDED, "{role} {action}");
        }
    }
}

#[test]
fn each_role_does_what_it_is_for() {
    const READS: &str = "entity.search entity.read relation.read ledger.read lineage.read lineage.names embedding.read \
                         entity.export";
    check_role(
        Role::Owner,
        &format!(
            "{READS} entity.write source.write import.run token.manage policy.manage node.manage ledger.export decisions.read entity.redact hold.manage flag.manage"
        ),
    );
    check_role(
        Role::Admin,
        &format!(
            "{READS} entity.write source.write import.run token.manage policy.manage ledger.export decisions.read entity.redact hold.manage flag.manage"
        ),
    );
    check_role(Role::Analyst, &format!("{READS} entity.write import.run"));
    check_role(Role::Reader, READS);
    check_role(Role::Writer, "entity.write import.run");
    check_role(Role::Auditor, "ledger.read ledger.export decisions.read");
}

fn check_role(role: Role, expected: &str) {
    let policy = Policy::built_in();
    let label = open_label();
    let allowed = |action: &&Action| policy.decide(&a(role), **action, resource(**action, &label)).allowed;
    let names: Vec<_> = Action::ALL.iter().filter(allowed).map(|action| action.as_str()).collect();
    assert_eq!(names.join(" "), expected, "{role}");
}

/// Each row changes one thing about a reader or the label, and names the rules that then decide.
#[test]
fn each_rule_holds_for_every_reader() {
    use Action::{EmbeddingRead, EntityExport, EntityRead, LineageNames, LineageRead};
    let same = |_: &mut Principal, _: &mut Label| {};
    let row = check_rule;

    row(EntityRead, same, true, "readers-read");
    row(EntityRead, |p, _| p.tenant = ELSEWHERE, false, "same-tenant-reads");

    row(EntityRead, |_, l| l.classification = Classification::Internal, true, "readers-read");
    row(EntityRead, |_, l| l.classification = Classification::Confidential, false, "clearance");
    row(EntityRead, |p, _| p.clearance = Classification::Public, true, "readers-read");

    row(EntityRead, |_, l| l.purposes = one(Purpose::ThreatIntel), true, "readers-read");
    row(EntityRead, |_, l| l.purposes = one(Purpose::Demo), false, "purpose");
    row(EntityRead, |_, l| l.purposes = Purposes::default(), false, "purpose");

    row(EntityRead, |_, l| l.compartments = vec!["alpha".into()], false, "compartments");
    row(
        EntityRead,
        |p, l| {
            join(p, "alpha");
            l.compartments = vec!["alpha".into()];
        },
        true,
        "readers-read",
    );
    row(
        EntityRead,
        |p, l| {
            join(p, "alpha");
            l.compartments = vec!["alpha".into(), "beta".into()];
        },
        false,
        "compartments",
    );

    row(EntityRead, |_, l| l.licence = Licence::RestrictedTos, true, "readers-read");
    row(EntityRead, |_, l| l.licence = Licence::Embargoed, false, "embargo");
    row(
        EntityRead,
        |p, l| {
            grant(p, "embargoed.read");
            l.licence = Licence::Embargoed;
        },
        true,
        "readers-read",
    );
    row(
        EntityRead,
        |p, l| {
            grant(p, "graphql.adhoc");
            l.licence = Licence::Embargoed;
        },
        false,
        "embargo",
    );

    row(EntityRead, |_, l| l.personal = true, true, "readers-read");
    row(
        EntityRead,
        |p, l| {
            p.purposes_in_use = one(Purpose::Demo);
            l.personal = true;
        },
        false,
        "personal",
    );
    row(
        EntityRead,
        |p, l| {
            p.clearance = Classification::Public;
            l.personal = true;
        },
        false,
        "personal",
    );

    row(EntityRead, |p, _| p.purposes_in_use = one(Purpose::Training), true, "readers-read");
    row(
        EntityRead,
        |p, l| {
            restricted(p, l);
            p.purposes_in_use = one(Purpose::Training);
        },
        false,
        "no-training-on-restricted",
    );

    row(EmbeddingRead, same, true, "readers-read");
    row(EmbeddingRead, |_, l| l.licence = Licence::MitOk, false, "embeddings-need-open-data");

    // Where data flow is followed by ids alone; names are read like everything else.
    row(LineageRead, |_, l| l.classification = Classification::Secret, true, "readers-read");
    row(LineageNames, |_, l| l.classification = Classification::Secret, false, "clearance");
    row(LineageRead, |p, _| p.tenant = ELSEWHERE, false, "same-tenant-reads");

    row(EntityExport, |_, l| l.licence = Licence::MitOk, true, "readers-read");
    row(EntityExport, same, true, "readers-read");
    row(EntityExport, |_, l| l.licence = Licence::RestrictedTos, false, "export-needs-an-open-licence");
    row(EntityExport, |_, l| l.licence = Licence::ProprietaryClient, false, "export-needs-an-open-licence");
    row(
        EntityExport,
        |p, l| {
            grant(p, "embargoed.read");
            l.licence = Licence::Embargoed;
        },
        false,
        "export-needs-an-open-licence",
    );

    row(
        EntityRead,
        |_, l| {
            l.retention = Retention::LegalHold;
            l.kind = LabelKind::Run;
        },
        true,
        "readers-read",
    );
    row(
        EntityRead,
        |p, l| {
            p.tenant = ELSEWHERE;
            l.licence = Licence::Embargoed;
        },
        false,
        "embargo same-tenant-reads",
    );
}

/// A request that names no purpose is made for several: it sees what one of them opens, and no more.
#[test]
fn each_rule_about_purposes_wants_one_that_request_and_data_share() {
    use Action::EntityRead;
    let row = check_rule;

    row(
        EntityRead,
        |p, l| {
            p.purposes_in_use = Purposes::ALL;
            l.purposes = one(Purpose::Demo);
        },
        true,
        "readers-read",
    );
    row(
        EntityRead,
        |p, l| {
            p.purposes_in_use = two(Purpose::Demo, Purpose::Training);
            l.purposes = two(Purpose::Investigation, Purpose::FraudRisk);
        },
        false,
        "purpose",
    );

    row(
        EntityRead,
        |p, l| {
            p.purposes_in_use = Purposes::ALL;
            l.personal = true;
        },
        true,
        "readers-read",
    );
    // The request has a purpose that may touch personal data, but these data do not serve it.
    row(
        EntityRead,
        |p, l| {
            p.purposes_in_use = Purposes::ALL;
            l.personal = true;
            l.purposes = two(Purpose::Demo, Purpose::Training);
        },
        false,
        "personal",
    );
    row(
        EntityRead,
        |p, l| {
            p.purposes_in_use = two(Purpose::Demo, Purpose::Benchmarking);
            l.personal = true;
        },
        false,
        "personal",
    );

    row(
        EntityRead,
        |p, l| {
            restricted(p, l);
            p.purposes_in_use = Purposes::ALL;
        },
        true,
        "readers-read",
    );
    row(
        EntityRead,
        |p, l| {
            restricted(p, l);
            p.purposes_in_use = Purposes::ALL;
            l.purposes = one(Purpose::Training);
        },
        false,
        "no-training-on-restricted",
    );
    row(
        EntityRead,
        |p, l| {
            restricted(p, l);
            p.purposes_in_use = two(Purpose::Demo, Purpose::Training);
            l.purposes = two(Purpose::Investigation, Purpose::Training);
        },
        false,
        "no-training-on-restricted",
    );
}

fn check_rule(action: Action, change: fn(&mut Principal, &mut Label), allowed: bool, policies: &str) {
    let policy = Policy::built_in();
    for role in [Role::Owner, Role::Admin, Role::Analyst, Role::Reader] {
        let (mut principal, mut label) = (a(role), open_label());
        change(&mut principal, &mut label);
        let decision = policy.decide(&principal, action, Resource::Label(HERE, &label));
        assert_eq!(decision.allowed, allowed, "{principal:?} {label:?}");
        assert_eq!(decision.policies.join(" "), policies, "{principal:?} {label:?}");
    }
}

#[test]
fn nobody_changes_another_tenant() {
    let policy = Policy::built_in();
    for &action in Action::ALL.iter().filter(|action| !action.is_read()) {
        let decision = policy.decide(&a(Role::Owner), action, Resource::Tenant(ELSEWHERE));
        assert_eq!(decision, Decision::new(false, ["same-tenant-writes"]), "{action}");
    }
}

#[test]
fn an_action_on_the_wrong_kind_of_resource_is_denied() {
    let anything = Policy::load("permit (principal, action, resource);").unwrap();
    let label = open_label();
    for &action in Action::ALL {
        let wrong = if action.is_read() { Resource::Tenant(HERE) } else { Resource::Label(HERE, &label) };
        assert!(!anything.decide(&a(Role::Owner), action, wrong).allowed, "{action}");
        assert!(anything.decide(&a(Role::Owner), action, resource(action, &label)).allowed, "{action}");
    }
}

#[test]
fn a_policy_that_fails_to_evaluate_denies() {
    let overflowing = r#"
        permit (principal, action, resource);
        @id("overflows")
        forbid (principal, action == Action::"entity.read", resource)
        when { principal.clearance * 9223372036854775807 < 0 };
    "#;
    // Such a policy is refused when it is loaded; should one come through, it opens nothing.
    let policy = Policy::of(&overflowing.parse().unwrap(), overflowing, &schema());
    let decision = policy.decide(&a(Role::Owner), Action::EntityRead, Resource::Label(HERE, &open_label()));
    assert_eq!(decision, Decision::new(false, ["policy1"]));
}

#[test]
fn a_policy_is_told_by_its_text() {
    let policy = Policy::built_in();
    assert_eq!(policy.version(), Policy::load(policy.text()).unwrap().version());
    assert_ne!(policy.version(), Policy::load("").unwrap().version());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_default_policy_is_the_reference_model(
        principal in any_principal(),
        action in any_action(),
        label in any_label(),
    ) {
        thread_local!(static POLICY: Policy = Policy::built_in());
        let decision = POLICY.with(|policy| policy.decide(&principal, action, resource(action, &label)));
        prop_assert_eq!(decision.allowed, model(&principal, action, &label), "{:?}", decision.policies);
    }

    /// What a request that names no purpose sees is what it would see for each, together: so naming one only narrows.
    #[test]
    fn several_purposes_see_what_each_sees(
        principal in any_principal(),
        action in any_action(),
        label in any_label(),
    ) {
        thread_local!(static POLICY: Policy = Policy::built_in());
        let allowed = |purposes_in_use| {
            let principal = Principal { purposes_in_use, ..principal.clone() };
            POLICY.with(|policy| policy.decide(&principal, action, resource(action, &label)).allowed)
        };
        let by_one = principal.purposes_in_use.iter().any(|purpose| allowed(one(purpose)));
        prop_assert_eq!(allowed(principal.purposes_in_use), by_one);
    }

    /// Whatever a label holds, Cedar takes it for one: nothing is denied because it could not be asked.
    #[test]
    fn every_principal_and_label_fits_the_schema(
        principal in any_principal(),
        action in any_action(),
        asked in any_label(),
    ) {
        thread_local!(static POLICY: Policy = Policy::built_in());
        POLICY.with(|policy| {
            let (user, label) = (policy.names.user(&principal).unwrap(), policy.names.label(HERE, &asked).unwrap());
            let fits = Entities::from_entities([user, label, policy.names.action(action)], Some(&schema()));
            prop_assert!(fits.is_ok(), "{}", fits.unwrap_err());
            let context = policy.names.reading(&principal, &asked).unwrap();
            let read = policy.names.action(Action::EntityRead).uid();
            prop_assert!(context.validate(&schema(), &read).is_ok());
            Ok(())
        })?;
    }
}

/// The default policy again, in plain Rust.
fn model(p: &Principal, action: Action, l: &Label) -> bool {
    use Role::{Admin, Analyst, Auditor, Owner, Reader, Writer};
    let roles: &[Role] = match action {
        Action::LedgerRead => &[Owner, Admin, Analyst, Reader, Auditor],
        _ if action.is_read() => &[Owner, Admin, Analyst, Reader],
        Action::EntityWrite | Action::ImportRun => &[Owner, Admin, Analyst, Writer],
        Action::SourceWrite
        | Action::TokenManage
        | Action::PolicyManage
        | Action::EntityRedact
        | Action::HoldManage
        | Action::FlagManage => &[Owner, Admin],
        Action::LedgerExport | Action::DecisionsRead => &[Owner, Admin, Auditor],
        _ => &[Owner],
    };
    if p.tenant != HERE || !roles.contains(&p.role) {
        return false;
    }
    !action.is_read() || model_label(p, action, l)
}

fn model_label(p: &Principal, action: Action, l: &Label) -> bool {
    (p.clearance >= l.classification || action == Action::LineageRead)
        && p.purposes_in_use.iter().any(|purpose| model_purpose(p, purpose, l))
        && l.compartments.iter().all(|name| p.compartments.contains(name))
        && (l.licence != Licence::Embargoed || p.scopes.contains("embargoed.read"))
        && (action != Action::EmbeddingRead || l.licence == Licence::OpenDataOk)
        && (action != Action::EntityExport || [Licence::MitOk, Licence::OpenDataOk].contains(&l.licence))
}

/// Whether one purpose alone is enough: several never open together what none of them opens.
fn model_purpose(p: &Principal, purpose: Purpose, l: &Label) -> bool {
    let untouchable = [Purpose::Benchmarking, Purpose::Training, Purpose::Demo];
    let personal_ok = p.clearance > Classification::Public && !untouchable.contains(&purpose);
    let trains_on_restricted = purpose == Purpose::Training && l.classification >= Classification::Restricted;
    l.purposes.contains(purpose) && (!l.personal || personal_ok) && !trains_on_restricted
}

/// An embedding of what may go anywhere but is not open data is under terms all the same; a thing itself is what it is.
#[test]
fn an_embedding_is_restricted_unless_its_source_is_open_data() {
    let policy = |action: &str| {
        let is_restricted = "resource.licence == Licence::\"Restricted-TOS\"";
        Policy::load(&format!(
            "permit (principal, action == Action::\"{action}\", resource) when {{ {is_restricted} }};"
        ))
        .unwrap()
    };
    let allowed = |action: Action| -> Vec<Licence> {
        let (policy, reader) = (policy(action.as_str()), a(Role::Reader));
        let is_allowed = |licence: &Licence| {
            let label = Label { licence: *licence, ..open_label() };
            policy.decide(&reader, action, Resource::Label(HERE, &label)).allowed
        };
        Licence::ALL.iter().copied().filter(is_allowed).collect()
    };
    let all_but_open: Vec<_> =
        Licence::ALL.iter().copied().filter(|licence| *licence != Licence::OpenDataOk).collect();
    assert_eq!(allowed(Action::EmbeddingRead), all_but_open);
    assert_eq!(allowed(Action::EntityRead), [Licence::RestrictedTos]);
}

/// By hand: `cargo test --lib decision_time -- --ignored --nocapture`.
#[test]
#[ignore = "prints timings and judges nothing; run by hand"]
fn decision_time() {
    let policy = Policy::built_in();
    let principal = a(Role::Analyst);
    let mut micros: Vec<_> = (0..20_000)
        .map(|n| {
            let label = Label { thing_type: format!("type-{n}"), ..open_label() };
            let started = Instant::now();
            let decision = policy.decide(&principal, Action::EntityRead, Resource::Label(HERE, &label));
            assert!(decision.allowed);
            started.elapsed().as_micros()
        })
        .collect();
    micros.sort_unstable();
    let (median, p99) = (micros[micros.len() / 2], micros[micros.len() * 99 / 100]);
    assert!(median < 100, "median {median} us, p99 {p99} us");
    eprintln!("{} policies: median {median} us, p99 {p99} us", policy.rules().len());
}

fn resource(action: Action, label: &Label) -> Resource<'_> {
    if action.is_read() { Resource::Label(HERE, label) } else { Resource::Tenant(HERE) }
}

fn one(purpose: Purpose) -> Purposes {
    [purpose].into_iter().collect()
}

fn two(first: Purpose, second: Purpose) -> Purposes {
    [first, second].into_iter().collect()
}

fn restricted(principal: &mut Principal, label: &mut Label) {
    principal.clearance = Classification::Secret;
    label.classification = Classification::Restricted;
}

fn join(principal: &mut Principal, compartment: &str) {
    principal.compartments.insert(compartment.to_owned());
}

fn grant(principal: &mut Principal, scope: &str) {
    principal.scopes.insert(scope.to_owned());
}
