//! What a decision costs: on one label by fifty policies, and on a whole search whose labels are decided already.
//!
//! `cargo bench -p intelgraph --bench policy`

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench measures, prints and stops at the first failure"
)]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use intelgraph::config::Config;
use intelgraph::policy::{Action, Allowed, Policy, Principal, Resource};
use intelgraph::running::Running;
use intelgraph::tokens;
use storage::commands::{Command, SetPolicy, SetSource};
use storage::ids::{ActorId, LabelId, TenantId};
use storage::model::{
    Classification, Label, LabelKind, Licence, PolicySet, Purpose, Purposes, Retention, Role, SourceSpec,
};

/// Policies beside the built-in ones, so that there are fifty.
const POLICIES: usize = 50;
const LABELS: usize = 500;
const SEARCHES: usize = 20_000;
const HITS: usize = 10;

fn main() {
    let policy = Policy::load(&fifty_policies()).unwrap();
    println!("{} policies", policy.rules().len());
    one_label(&policy);
    whole_search();
}

/// The built-in policy, and rules as tenants write them: about a source, a type, a scope.
fn fifty_policies() -> String {
    let built_in = Policy::built_in();
    let mut text = built_in.text().to_owned();
    for n in built_in.rules().len()..POLICIES {
        text.push_str(&format!(
            "@id(\"own-{n}\")\nforbid (principal, action in Action::\"read\", resource)\nwhen {{ resource.source == \
             \"source-{n}\" && resource.type == \"type-{n}\" && principal.clearance < 4 }}\n\
             unless {{ principal.scopes.contains(\"scope-{n}\") }};\n"
        ));
    }
    text
}

fn one_label(policy: &Policy) {
    let (principal, labels) = (analyst(TenantId(1)), labels());
    for action in [Action::EntityRead, Action::EmbeddingRead] {
        let alone = times(labels.len() * 20, |turn| {
            let resource = Resource::Label(TenantId(1), &labels[turn % labels.len()]);
            black_box(policy.decide(&principal, action, resource));
        });
        println!("  {action}, a label: {alone}");
        let question = policy.question(&principal, action);
        let in_a_row = times(labels.len() * 20, |turn| {
            let resource = Resource::Label(TenantId(1), &labels[turn % labels.len()]);
            black_box(question.of(resource));
        });
        println!("  {action}, a label of many: {in_a_row}");
    }
    let manage = times(10_000, |_| {
        black_box(policy.decide(&principal, Action::TokenManage, Resource::Tenant(TenantId(1))));
    });
    println!("  token.manage: {manage}");
}

/// All that a search asks of policy, on a node: which policy is in force, which labels there are, the labels allowed
/// for finding and for reading, and what was shown noted for the log. Its hits are of three labels.
fn whole_search() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { data_dir: directory.path().to_owned(), ..Config::default() };
    let running = Running::start(config).unwrap();
    tokens::first_owner(&running.app).unwrap();
    let app = &running.app;
    let tenant = app.store.view().unwrap().tenant("default").unwrap().unwrap();
    prepare(app, tenant);
    let view = app.store.view().unwrap();
    let principal = analyst(tenant);
    let known = app.allowed(&view, &principal, Action::EntitySearch).unwrap().decided().0;
    let ask = |_| {
        let view = app.store.view().unwrap();
        let found = app.allowed(&view, &principal, Action::EntitySearch).unwrap();
        assert!(app.labels_known(&view, tenant).unwrap() == known);
        let reader = app.reader(&view, &principal).unwrap();
        reader.uses().filtered(Action::EntitySearch, &found);
        (0..HITS).for_each(|hit| note(reader.uses(), &found, hit));
    };
    ask(0);
    println!("a whole search, {known} labels decided before: {}", times(SEARCHES, ask));
    running.stop();
}

fn note(uses: &intelgraph::policy::Uses, found: &Allowed, hit: usize) {
    let label = LabelId(1 + hit as u32 % 3);
    for action in [Action::EntitySearch, Action::EntityRead] {
        uses.used(action, found, label);
    }
}

/// Fifty policies in force, and labels of which a thing is said each.
fn prepare(app: &intelgraph::app::App, tenant: TenantId) {
    let policy = PolicySet { text: fifty_policies(), replaces: 0, confirmed: vec![] };
    let mut commands = vec![Command::SetPolicy(SetPolicy { tenant, actor: ActorId::NODE, policy })];
    let spec = SourceSpec {
        name: "feed".to_owned(),
        purposes: Purposes::ALL,
        licence: Licence::OpenDataOk,
        retention: Retention::Standard365d,
        classification: Classification::Public,
        personal: false,
    };
    commands.push(Command::SetSource(SetSource { tenant, actor: ActorId::NODE, spec }));
    commands.extend((0..LABELS).map(|n| said(tenant, n)));
    for answer in app.commit.submit_blocking(commands).unwrap() {
        answer.unwrap();
    }
}

fn said(tenant: TenantId, n: usize) -> Command {
    use storage::commands::{Assert, IfEndMissing};
    use storage::model::{Claim, Form, Part, Said, Status};
    let label = Label { source: "feed".to_owned(), ..label(n) };
    let claims = vec![Claim { name: "name".to_owned(), json: format!("\"thing {n}\"") }];
    let said = Said {
        id: format!("thing-{n}"),
        form: Form::Entity,
        thing_type: label.thing_type.clone(),
        base: None,
        tags: vec![],
        status: Status::Active,
        observed_at_us: None,
        version_us: None,
        edges: vec![],
        weight: None,
        since: None,
        until: None,
        parts: vec![Part { label: label.into(), claims, texts: vec![], embedding: None }],
    };
    Command::Assert(Box::new(Assert {
        tenant,
        source: storage::ids::SourceId(1),
        actor: ActorId::NODE,
        purpose: Purpose::ThreatIntel.code(),
        said,
        if_end_missing: IfEndMissing::Refuse,
    }))
}

fn analyst(tenant: TenantId) -> Principal {
    let words = |of: &[&str]| of.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    Principal {
        actor: ActorId(7),
        tenant,
        tenant_name: "default".to_owned(),
        token_id: "0123456789".to_owned(),
        role: Role::Analyst,
        clearance: Classification::Confidential,
        purposes: Purposes::ALL,
        purposes_in_use: Purposes::ALL,
        scopes: words(&["graphql.adhoc"]),
        compartments: words(&["alpha"]),
        request: None,
    }
}

fn labels() -> Vec<Label> {
    (0..LABELS).map(label).collect()
}

fn label(n: usize) -> Label {
    Label {
        kind: LabelKind::Entity,
        thing_type: format!("type-{}", n % 60),
        classification: Classification::ALL[n % 5],
        licence: Licence::ALL[n % 4],
        purposes: Purposes::from_iter([Purpose::ALL[n % 7], Purpose::ThreatIntel]),
        retention: Retention::Standard365d,
        personal: n.is_multiple_of(11),
        source: format!("source-{n}"),
        compartments: if n.is_multiple_of(13) { vec!["alpha".to_owned()] } else { vec![] },
    }
}

/// The times of `count` calls, in words: half of them and 95 % of them took at most so long.
fn times(count: usize, mut call: impl FnMut(usize)) -> String {
    let mut times: Vec<Duration> = (0..count)
        .map(|turn| {
            let begun = Instant::now();
            call(turn);
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |percent: usize| times[(count - 1) * percent / 100].as_secs_f64() * 1e6;
    format!("p50 {:.1} us, p95 {:.1} us, p99 {:.1} us", at(50), at(95), at(99))
}
