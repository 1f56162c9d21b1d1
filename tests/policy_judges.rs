//! Decisions before an outside judge: Cedar by way of Python decides random policies, principals and labels as we do,
//! and for the same reasons.
//!
//! A judge that this machine cannot run is skipped, and the reason is printed; with `INTELGRAPH_JUDGES_REQUIRED` set that
//! fails. `INTELGRAPH_JUDGES_PYTHON` names the Python with `cedarpy` in it, `python3` by default.

#![allow(clippy::print_stdout, reason = "who reads the output sees what was not judged")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use intelgraph::policy::{Action, Policy, Principal, Resource};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use storage::ids::{ActorId, TenantId};
use storage::model::{Classification, Label, LabelKind, Licence, Purpose, Purposes, Retention, Role};

/// Sets of policies, and decisions on each.
const SETS: usize = 150;
const CASES: usize = 40;

#[test]
fn cedar_by_way_of_python_decides_as_we_do() {
    let Some(python) = python_with("cedarpy") else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("decisions.jsonl");
    let sets = sets();
    write(&file, &sets);
    let judge = |file: &Path| {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/decisions.py");
        runs(Command::new(&python).arg(program).arg(file))
    };
    let verdict = judge(&file).expect("accepted");
    println!("{verdict}");
    let count = format!("accepted: {} decisions, ", SETS * CASES);
    let allowed = verdict.strip_prefix(&count).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    // Where everything is denied, everything agrees.
    let some = SETS * CASES / 10..SETS * CASES * 9 / 10;
    assert!(allowed.is_some_and(|allowed| some.contains(&allowed)), "{verdict}");
    // It says no when there is reason to: another answer, another reason.
    for (part, wrong) in [("allowed", json!(2)), ("because", json!(["somebody-else"]))] {
        let mut wrong_sets = sets.clone();
        wrong_sets[SETS / 2]["cases"][CASES / 2][part] = wrong;
        write(&file, &wrong_sets);
        let said = judge(&file).expect_err("a wrong decision");
        assert!(said.contains("refused: "), "{said}");
    }
}

fn write(file: &Path, sets: &[Value]) {
    let lines: Vec<_> = sets.iter().map(Value::to_string).collect();
    fs::write(file, lines.join("\n")).expect("written");
}

/// Random sets that load, with what we decide by them. The first is the built-in policy.
fn sets() -> Vec<Value> {
    let mut runner = TestRunner::deterministic();
    let mut draw = || {
        let texts = vec(any_policy(), 1..9).new_tree(&mut runner).expect("nothing is rejected").current();
        texts.iter().enumerate().map(|(n, text)| format!("@id(\"p{n}\")\n{text}\n")).collect::<String>()
    };
    let mut policies = vec![Policy::built_in()];
    let mut drawn = 0;
    while policies.len() < SETS {
        drawn += 1;
        // What is refused can never apply, such as `x < 1` and `x > 1`; the judge is asked about the rest.
        policies.extend(Policy::load(&draw()));
    }
    assert!(drawn < 3 * SETS, "{drawn} sets for {SETS} that load");
    policies.iter().map(|policy| set(policy, &mut runner)).collect()
}

fn set(policy: &Policy, runner: &mut TestRunner) -> Value {
    let cases = (any_principal(), select(reads()), any_label());
    let cases = vec(cases, CASES).new_tree(runner).expect("nothing is rejected").current();
    let ids: Vec<_> = policy.rules().iter().map(|rule| &rule.id).collect();
    let cases: Vec<_> = cases.iter().map(|(who, action, label)| case(policy, who, *action, label)).collect();
    json!({"policies": policy.text(), "ids": ids, "cases": cases})
}

fn case(policy: &Policy, who: &Principal, action: Action, label: &Label) -> Value {
    let decision = policy.decide(who, action, Resource::Label(HERE, label));
    let label = action.sees(label);
    let purposes = |purposes: Purposes| purposes.iter().map(Purpose::as_str).collect::<Vec<_>>();
    json!({
        "principal": {
            "tenant": who.tenant.to_string(), "role": who.role.as_str(), "clearance": who.clearance.as_str(),
            "purposes": purposes(who.purposes_in_use), "scopes": who.scopes, "compartments": who.compartments,
        },
        "action": action.as_str(),
        "label": {
            "tenant": HERE.to_string(), "kind": label.kind.as_str(), "type": label.thing_type,
            "classification": label.classification.as_str(), "licence": label.licence.as_str(),
            "purposes": purposes(label.purposes), "retention": label.retention.as_str(),
            "personal": label.personal, "source": label.source, "compartments": label.compartments,
        },
        "allowed": decision.allowed,
        "because": decision.policies,
    })
}

const HERE: TenantId = TenantId(1);

fn reads() -> Vec<Action> {
    Action::ALL.iter().copied().filter(|action| action.is_read()).collect()
}

/// Three permits for two forbids, so that neither always wins.
fn any_policy() -> impl Strategy<Value = String> {
    let effect = prop_oneof![3 => Just("permit"), 2 => Just("forbid")];
    let clause = (select(&["when", "unless"][..]), any_condition());
    (effect, any_scope(), vec(clause, 0..=2)).prop_map(|(effect, scope, clauses)| {
        let clauses: String = clauses.iter().map(|(word, body)| format!("\n{word} {{ {body} }}")).collect();
        format!("{effect} (principal, {scope}, resource){clauses};")
    })
}

fn any_scope() -> impl Strategy<Value = String> {
    let one = || select(reads()).prop_map(|action| format!("Action::\"{action}\""));
    prop_oneof![
        3 => Just("action in Action::\"read\"".to_owned()),
        2 => one().prop_map(|action| format!("action == {action}")),
        2 => vec(one(), 1..4).prop_map(|actions| format!("action in [{}]", actions.join(", "))),
    ]
}

fn any_condition() -> impl Strategy<Value = String> {
    any_atom().prop_recursive(3, 8, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            pair.clone().prop_map(|(a, b)| format!("({a} && {b})")),
            pair.prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("(if {a} then {b} else {c})")),
        ]
    })
}

fn any_atom() -> impl Strategy<Value = String> {
    let compare = || select(&["<", "<=", "==", "!=", ">", ">="][..]);
    let word = || select(WORDS);
    prop_oneof![
        (compare(), 1..=5).prop_map(|(op, level)| format!("principal.clearance {op} {level}")),
        (compare(), 0..3)
            .prop_map(|(op, n)| format!("principal.clearance + {n} {op} resource.classification")),
        (compare(), 1..=5).prop_map(|(op, level)| format!("resource.classification * 2 - 1 {op} {level}")),
        some(Role::ALL).prop_map(|roles| format!("[{}].contains(principal.role)", named("Role", &roles))),
        select(Licence::ALL).prop_map(|licence| format!("resource.licence == Licence::\"{licence}\"")),
        select(LabelKind::ALL).prop_map(|kind| format!("resource.kind != Kind::\"{kind}\"")),
        some(Retention::ALL)
            .prop_map(|all| format!("[{}].contains(resource.retention)", named("Retention", &all))),
        Just("resource.personal".to_owned()),
        some(Purpose::ALL)
            .prop_map(|all| format!("context.purposes.containsAny([{}])", named("Purpose", &all))),
        some(Purpose::ALL)
            .prop_map(|all| format!("resource.purposes.containsAll([{}])", named("Purpose", &all))),
        Just("context.purposes.isEmpty()".to_owned()),
        Just("context.purposes == principal.purposes".to_owned()),
        word().prop_map(|word| format!("principal.scopes.contains(\"{word}\")")),
        Just("principal.compartments.containsAll(resource.compartments)".to_owned()),
        word().prop_map(|word| format!("resource.type == \"{word}\"")),
        word().prop_map(|word| format!("resource.source like \"{}*\"", &word[..2])),
        Just("principal.tenant == resource.tenant".to_owned()),
        select(reads()).prop_map(|action| format!("action == Action::\"{action}\"")),
    ]
}

const WORDS: &[&str] = &["alpha", "alps", "beta", "be*a"];

fn some<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    subsequence(all, 1..=all.len())
}

fn named<T: std::fmt::Display>(kind: &str, all: &[T]) -> String {
    all.iter().map(|one| format!("{kind}::\"{one}\"")).collect::<Vec<_>>().join(", ")
}

fn words() -> impl Strategy<Value = BTreeSet<String>> {
    subsequence(WORDS, 0..=2).prop_map(|words| words.into_iter().map(str::to_owned).collect())
}

fn any_purposes() -> impl Strategy<Value = Purposes> {
    subsequence(Purpose::ALL, 0..=Purpose::ALL.len()).prop_map(|purposes| purposes.into_iter().collect())
}

prop_compose! {
    fn any_principal()(
        tenant in prop_oneof![4 => Just(HERE), 1 => Just(TenantId(2))],
        role in select(Role::ALL),
        clearance in select(Classification::ALL),
        purposes in any_purposes(),
        scopes in words(),
        compartments in words(),
    ) -> Principal {
        Principal {
            actor: ActorId(1),
            tenant,
            tenant_name: "default".to_owned(),
            token_id: "0123456789".to_owned(),
            role,
            clearance,
            purposes,
            purposes_in_use: purposes,
            scopes,
            compartments,
            request: None,
        }
    }
}

prop_compose! {
    fn any_label()(
        kind in select(LabelKind::ALL),
        thing_type in select(WORDS),
        classification in select(Classification::ALL),
        licence in select(Licence::ALL),
        purposes in any_purposes(),
        retention in select(Retention::ALL),
        personal in any::<bool>(),
        source in select(WORDS),
        compartments in words(),
    ) -> Label {
        Label {
            kind,
            thing_type: thing_type.to_owned(),
            classification,
            licence,
            purposes,
            retention,
            personal,
            source: source.to_owned(),
            compartments: compartments.into_iter().collect(),
        }
    }
}

fn python_with(module: &str) -> Option<String> {
    let python = std::env::var("INTELGRAPH_JUDGES_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = runs(Command::new(&python).args(["-c", &format!("import {module}")]));
    found.map_err(|reason| skip(module, &reason)).ok()?;
    Some(python)
}

fn skip(judge: &str, reason: &str) {
    let required = std::env::var_os("INTELGRAPH_JUDGES_REQUIRED").is_some();
    assert!(!required, "the judge `{judge}` cannot run here: {reason}");
    println!("skipped: the judge `{judge}` cannot run here: {reason}");
}

/// Runs a program to its end; what it wrote is the error if it did not exit with 0.
fn runs(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(text) } else { Err(text) }
}
