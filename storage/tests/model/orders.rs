//! Commands at random, over so few ids, labels and sources that they meet all the time.

use std::ops::RangeInclusive;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use storage::commands::{
    Assert, BeginEpoch, BeginRun, CloseDecisions, Command, CreateTenant, CreateToken, Delete, DeleteGraph,
    DenySubject, DenyToken, EndPurge, EndRedaction, EndRun, EraseSome, Event, IfEndMissing, LiftRedaction,
    Lifted, MakeLink, MeetSubject, NoteChanges, Once, Progress, PurgeThings, Redact, RemoveHold, RequestKey,
    Restore, RevokeToken, SaveGraph, Seen, SetFlag, SetHold, SetPolicy, SetSource, SignIn, SignOut, StopFlag,
    Sweep, TakeEvents, Unpend,
};
use storage::ids::{ActorId, Epoch, Lsn, RunId, SourceId, TenantId, ThingId};
use storage::model::{
    Claim, Classification, DecisionSegment, EdgeSaid, Embedding, Flag, Form, Graph, GraphNode, Label,
    Licence, MappingUsed, POLICY_BYTES_MAX, Part, PolicySet, Purpose, Purposes, Retention, Role, RunBegin,
    RunCounts, RunEnd, RunState, Said, Selection, SourceSpec, Status, Subject, Text, TokenSpec,
};

use crate::reference::{Model, What};

/// A command, but for the runs that it speaks of: those have ids only once they have begun.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Ready(Command),
    AssertOrPend(Assert, usize),
    EndRun(TenantId, usize, bool),
    Unpend(TenantId, usize, u64),
    /// A source, a file, and how far it was read.
    Progress(TenantId, usize, (u32, u8, u64)),
    /// A text, over the last version or over one before it.
    SetPolicy(TenantId, String, bool),
    /// A graph, over its last version or over one before it.
    SaveGraph(TenantId, ActorId, Graph, bool),
    /// Begun, carried out and ended: what lies between has tests of its own.
    Redact(TenantId, Selection),
    LiftRedaction(TenantId, Selection),
    SetHold(TenantId, Selection),
    /// The last or the one before it.
    RemoveHold(TenantId, usize),
    /// So many days from now.
    Purge(TenantId, i64),
}

/// Batches of commands; the first makes two tenants with two sources each.
pub(crate) fn batches(count: RangeInclusive<usize>) -> impl Strategy<Value = Vec<Vec<Order>>> {
    let later = prop::collection::vec(prop::collection::vec(order(), 1..=10), count);
    later.prop_map(|mut batches| {
        batches.insert(0, foundation());
        batches
    })
}

/// How far the clock moves before a batch: sometimes back, sometimes by hours.
pub(crate) fn clock_step_us() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0..2_000_000i64, 1 => Just(-30_000_000i64), 1 => Just(3_600_000_000i64), 1 => Just(9_000_000_000i64)]
}

impl Order {
    /// The commands, once those in front of them are carried out.
    pub(crate) fn commands(&self, model: &Model, time_us: i64) -> Vec<Command> {
        match self {
            Order::Redact(tenant, selection) => redaction(model, *tenant, selection),
            Order::Purge(tenant, days) => purge(model, *tenant, time_us + days * DAY_US),
            other => vec![other.command(model)],
        }
    }

    /// The command, once the commands in front of it are carried out.
    fn command(&self, model: &Model) -> Command {
        let run = |tenant: TenantId, nth: usize| {
            let known = model.tenants.get(tenant.0 as usize - 1).and_then(|t| t.runs.keys().rev().nth(nth));
            RunId(known.copied().unwrap_or(2))
        };
        match self {
            Order::Ready(command) => command.clone(),
            Order::AssertOrPend(assert, nth) => {
                let IfEndMissing::Pend { number, .. } = assert.if_end_missing else {
                    return Command::Assert(Box::new(assert.clone()));
                };
                let run = run(assert.tenant, *nth);
                let if_end_missing = IfEndMissing::Pend { run, input: 1, line: number * 10, number };
                Command::Assert(Box::new(Assert { if_end_missing, ..assert.clone() }))
            }
            Order::EndRun(tenant, nth, complete) => {
                let counts = RunCounts { read: 7, ..RunCounts::default() };
                let end = RunEnd {
                    listed: 0,
                    run: run(*tenant, *nth).0,
                    state: if *complete { RunState::Complete } else { RunState::Failed } as i32,
                    counts,
                    inputs: vec!["dataset:file:a.json".to_owned()],
                    mappings: vec![MappingUsed { input: 0, format: 1, sha256: vec![3; 32], inferred: true }],
                };
                Command::EndRun(EndRun { tenant: *tenant, actor: ActorId(3), end })
            }
            Order::Unpend(tenant, nth, number) => {
                Command::Unpend(Unpend { tenant: *tenant, run: run(*tenant, *nth), number: *number })
            }
            Order::Progress(tenant, nth, (source, file, things)) => Command::Progress(Progress {
                tenant: *tenant,
                source: SourceId(*source),
                run: run(*tenant, *nth),
                file: [*file; 32],
                things: *things,
            }),
            Order::SetPolicy(tenant, text, stale) => {
                let known = model.tenants.get(tenant.0 as usize - 1);
                let last = known.and_then(|t| t.policies.keys().next_back()).copied().unwrap_or(0);
                let replaces = if *stale { last / 2 } else { last };
                let policy =
                    PolicySet { text: text.clone(), replaces, confirmed: vec!["lock-out".to_owned()] };
                Command::SetPolicy(SetPolicy { tenant: *tenant, actor: ActorId(2), policy })
            }
            Order::LiftRedaction(tenant, selection) => {
                let of = Lifted::Last(selection.clone());
                Command::LiftRedaction(LiftRedaction { tenant: *tenant, actor: ActorId(1), of })
            }
            Order::SetHold(tenant, selection) => {
                let (selection, reason) = (selection.clone(), "litigation".to_owned());
                Command::SetHold(SetHold { tenant: *tenant, actor: ActorId(2), selection, reason })
            }
            Order::RemoveHold(tenant, nth) => {
                let known = model.tenants.get(tenant.0 as usize - 1);
                let hold = known.and_then(|t| t.holds.keys().rev().nth(*nth)).copied().unwrap_or(1);
                Command::RemoveHold(RemoveHold { tenant: *tenant, actor: ActorId(2), hold: Lsn(hold) })
            }
            Order::Redact(..) | Order::Purge(..) => unreachable!("several commands"),
            Order::SaveGraph(tenant, actor, graph, stale) => {
                let known = model.tenants.get(tenant.0 as usize - 1);
                let last = known.and_then(|t| t.graphs.get(&graph.id)).map_or(0, |kept| kept.3);
                let replaces = if *stale { last / 2 } else { last };
                let graph = Graph { replaces, ..graph.clone() };
                Command::SaveGraph(SaveGraph { tenant: *tenant, actor: *actor, graph })
            }
        }
    }
}

/// Steps that are enough for any redaction here.
const STEPS: usize = 16;
const DAY_US: i64 = 86_400_000_000;

fn redaction(model: &Model, tenant: TenantId, selection: &Selection) -> Vec<Command> {
    let head = model.tenants.get(tenant.0 as usize - 1).map_or(0, |tenant| tenant.log.len());
    let redaction = Lsn(head as u64 + 1);
    let (selection, reason) = (selection.clone(), "asked to be forgotten".to_owned());
    let begin = Command::Redact(Redact { tenant, actor: ActorId(1), selection, reason });
    let steps = (0..STEPS).map(|_| Command::EraseSome(EraseSome { tenant, redaction }));
    let end = Command::EndRedaction(EndRedaction { tenant, redaction });
    [begin].into_iter().chain(steps).chain([end]).collect()
}

/// What is over by a time, and everything that was replaced.
fn purge(model: &Model, tenant: TenantId, now_us: i64) -> Vec<Command> {
    let known = model.tenants.get(tenant.0 as usize - 1);
    let erased =
        known.map_or(0, |tenant| tenant.log.iter().filter(|entry| entry.what == What::Erased).count());
    let head = known.map_or(0, |tenant| tenant.log.len() as u64);
    let things = (1..=9).map(ThingId).collect();
    let sweep = |from| {
        Command::Sweep(Sweep { tenant, from: Lsn(from), replaced_before_us: now_us, below: Lsn(head / 2) })
    };
    let (actor, erased_before) = (ActorId(1), erased as u64);
    let purge = Command::PurgeThings(PurgeThings { tenant, things, now_us });
    // A sweep goes through a part; so many from so many places leave nothing out.
    let sweeps = (0..8).map(|part| sweep(head * part / 8));
    let end = Command::EndPurge(EndPurge { tenant, actor, erased_before, bytes: 7 });
    [purge].into_iter().chain(sweeps).chain([end]).collect()
}

fn foundation() -> Vec<Order> {
    let mut orders = Vec::new();
    for name in ["alpha", "beta"] {
        orders.push(Order::Ready(Command::CreateTenant(CreateTenant {
            name: name.to_owned(),
            actor: ActorId::NODE,
        })));
    }
    for (tenant, name) in [(1, "feed"), (1, "wiki"), (2, "feed"), (2, "wiki")] {
        let spec = source(name, Classification::Internal);
        orders.push(Order::Ready(Command::SetSource(SetSource {
            tenant: TenantId(tenant),
            actor: ActorId(1),
            spec,
        })));
    }
    orders
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        24 => order_of_its_own(),
        4 => (order_of_its_own(), tenant(), 0..3u8, 0..2u8, 0..2u64)
            .prop_map(|(order, tenant, name, request, step)| once(order, tenant, name, request, step)),
        1 => prop_oneof![6 => Just(Order::Ready(Command::NoteChanges(NoteChanges))), 1 => (1..=9u32).prop_map(begin_epoch)],
    ]
}

fn begin_epoch(epoch: u32) -> Order {
    let lacking = [(TenantId(1), 7)].into_iter().collect();
    Order::Ready(Command::BeginEpoch(BeginEpoch { epoch: Epoch(epoch), lacking }))
}

/// A command as a step of a request that may have come before.
fn once(order: Order, tenant: TenantId, name: u8, request: u8, step: u64) -> Order {
    let Order::Ready(command) = order else { return order };
    let key = RequestKey { tenant, name: [name; 32], request: [request; 32] };
    Order::Ready(Command::Once(Once { key, step, command: Box::new(command) }))
}

fn order_of_its_own() -> impl Strategy<Value = Order> {
    let id = || select(IDS);
    prop_oneof![
        16 => (tenant(), 1..=4u32, said(), 0..3usize, 0..6u64).prop_map(assert),
        3 => (tenant(), 1..=4u32, prop::collection::vec((0..9u8, said()), 1..=3)).prop_map(take_events),
        2 => (tenant(), id()).prop_map(|(tenant, id)| {
            Order::Ready(Command::Delete(Delete { tenant, actor: ActorId(1), id: id.to_owned() }))
        }),
        2 => (tenant(), id()).prop_map(|(tenant, id)| {
            Order::Ready(Command::Restore(Restore { tenant, actor: ActorId(1), id: id.to_owned() }))
        }),
        1 => select(&["gamma", "alpha", "delta", "", "Not A Name"][..]).prop_map(|name| {
            Order::Ready(Command::CreateTenant(CreateTenant { name: name.to_owned(), actor: ActorId::NODE }))
        }),
        2 => (tenant(), select(&["feed", "wiki", "third", ""][..]), select(Classification::ALL)).prop_map(|(tenant, name, c)| {
            Order::Ready(Command::SetSource(SetSource { tenant, actor: ActorId(1), spec: source(name, c) }))
        }),
        1 => (tenant(), select(TOKENS)).prop_map(|(tenant, id)| {
            Order::Ready(Command::CreateToken(CreateToken { tenant, actor: ActorId(1), spec: token(id) }))
        }),
        1 => (tenant(), select(TOKENS)).prop_map(|(tenant, id)| {
            Order::Ready(Command::RevokeToken(RevokeToken { tenant, actor: ActorId(2), id: id.to_owned() }))
        }),
        3 => (tenant(), select(TOKENS), 0..4u8, 0..40u8).prop_map(|(tenant, token, act, secret)| {
            Order::Ready(signing(tenant, token.to_owned(), act, secret))
        }),
        2 => (tenant(), select(&["ann", "bob"][..]), 0..4u8).prop_map(|(tenant, name, act)| {
            Order::Ready(outsider(tenant, name, act))
        }),
        2 => tenant().prop_map(|tenant| {
            let begin = RunBegin { process: "import".to_owned(), source: "feed".to_owned(), ..RunBegin::default() };
            Order::Ready(Command::BeginRun(BeginRun { tenant, actor: ActorId(1), begin }))
        }),
        1 => (tenant(), 0..2usize, any::<bool>()).prop_map(|(tenant, nth, complete)| Order::EndRun(tenant, nth, complete)),
        1 => (tenant(), 0..2usize, (0..4u32, 0..3u8, 0..9u64)).prop_map(|(tenant, nth, how)| Order::Progress(tenant, nth, how)),
        1 => (tenant(), 0..2usize, 0..6u64).prop_map(|(tenant, nth, number)| Order::Unpend(tenant, nth, number)),
        2 => (tenant(), policy_text(), prop::bool::weighted(0.2))
            .prop_map(|(tenant, text, stale)| Order::SetPolicy(tenant, text, stale)),
        1 => (tenant(), 1..4u64, 0..3u8).prop_map(|(tenant, number, byte)| {
            let segment = DecisionSegment { number, sha256: vec![byte; 32], bytes: 9 };
            Order::Ready(Command::CloseDecisions(CloseDecisions { tenant, segment }))
        }),
        2 => (tenant(), 1..=2u64, graph(), prop::bool::weighted(0.2))
            .prop_map(|(tenant, maker, graph, stale)| Order::SaveGraph(tenant, ActorId(maker), graph, stale)),
        2 => (tenant(), select(Flag::ALL), prop::option::weighted(0.7, select(&["on", "off", "0.25", "1.5", "NaN"][..])))
            .prop_map(|(tenant, flag, value)| {
                let value = value.map(str::to_owned);
                Order::Ready(Command::SetFlag(SetFlag { tenant, actor: ActorId(1), flag, value }))
            }),
        1 => (select(Flag::ALL), any::<bool>()).prop_map(|(flag, stopped)| {
            Order::Ready(Command::StopFlag(StopFlag { actor: ActorId(2), flag, stopped }))
        }),
        1 => (tenant(), selection()).prop_map(|(tenant, selection)| Order::Redact(tenant, selection)),
        2 => (tenant(), selection()).prop_map(|(tenant, selection)| Order::LiftRedaction(tenant, selection)),
        2 => (tenant(), selection()).prop_map(|(tenant, selection)| Order::SetHold(tenant, selection)),
        2 => (tenant(), 0..2usize).prop_map(|(tenant, nth)| Order::RemoveHold(tenant, nth)),
        1 => (tenant(), select(&[0, 40, 400][..])).prop_map(|(tenant, days)| Order::Purge(tenant, days)),
        1 => (tenant(), select(GRAPHS)).prop_map(|(tenant, id)| {
            Order::Ready(Command::DeleteGraph(DeleteGraph { tenant, actor: ActorId(1), id: id.to_owned() }))
        }),
    ]
}

/// Things more often than sources, which take so much with them, and all of a tenant now and then.
fn selection() -> impl Strategy<Value = Selection> {
    prop_oneof![
        6 => select(IDS).prop_map(|id| Selection::Thing(id.to_owned())),
        1 => select(SOURCES).prop_map(|name| Selection::Source(name.to_owned())),
        1 => Just(Selection::Tenant),
    ]
}

/// Ids that are prefixes of each other, or at the limits. Nobody ever describes the last.
const IDS: &[&str] = &["a", "aa", "b", "é", "r", "r2", "r3", "\u{10ffff}", "nobody"];
const TYPES: &[&str] = &["malware", "tool", "uses"];
/// In a tenant that declares them in another order, labels and sources do not match.
const SOURCES: &[&str] = &["feed", "wiki", "third", "nobody's"];
const TOKENS: &[&str] = &["t1", "t2"];
const GRAPHS: &[&str] = &["g", "g-1"];

/// Somebody signs in or out. Codes are few, so that some are right; times are those that the clock passes.
fn signing(tenant: TenantId, token: String, act: u8, secret: u8) -> Command {
    let (session_sha256, code_sha256) = ([secret; 32], [secret % 10; 32]);
    match act {
        0 => {
            let expires_us = 1_700_000_000_000_000 + i64::from(secret) * 600_000_000;
            Command::MakeLink(MakeLink { tenant, actor: ActorId(1), token, code_sha256, expires_us })
        }
        1 => {
            let code_sha256 = secret.is_multiple_of(2).then_some(code_sha256);
            Command::SignIn(SignIn { tenant, token, code_sha256, session_sha256 })
        }
        2 => Command::SignOut(SignOut { tenant, token, session_sha256 }),
        _ => {
            let session_sha256 = secret.is_multiple_of(2).then_some(session_sha256);
            Command::Seen(Seen { tenant, token, session_sha256 })
        }
    }
}

/// Few, so that one is set again; of one row with others, of a row of its own, and too long.
fn policy_text() -> impl Strategy<Value = String> {
    let long = |bytes: usize| "p".repeat(bytes);
    prop_oneof![
        8 => select(&["", "permit (principal, action, resource);", "// nothing"][..]).prop_map(str::to_owned),
        1 => Just(long(POLICY_BYTES_MAX)),
        1 => Just(long(POLICY_BYTES_MAX + 1)),
    ]
}

prop_compose! {
    /// A few of the things that there may be, now and then twice or too far away.
    fn graph()(
        id in select(GRAPHS),
        name in prop_oneof![12 => Just("ours"), 1 => Just(" ")],
        shared in prop::bool::ANY,
        nodes in prop::collection::vec((0..7u64, prop_oneof![20 => -3..3i32, 1 => Just(1_000_001)]), 0..4),
        labels in subsequence(vec![1, 2, 3], 0..=2),
        relation_labels in subsequence(vec![1, 2, 3], 0..=1),
    ) -> Graph {
        let node = |(thing, x): (u64, i32)| GraphNode { thing, x, y: -x, pinned: x > 0 };
        let nodes = nodes.into_iter().map(node).collect();
        let (name, note) = (name.to_owned(), "what we know".to_owned());
        Graph { id: id.to_owned(), name, note, shared, nodes, labels, relation_labels, replaces: 0 }
    }
}

/// Somebody comes by an outside issuer, or is denied.
fn outsider(tenant: TenantId, name: &str, act: u8) -> Command {
    let (issuer, actor) = ("https://id.example".to_owned(), ActorId(1));
    let subject = Subject { issuer, name: name.to_owned() };
    match act {
        0 => Command::MeetSubject(MeetSubject { tenant, subject }),
        1 => Command::DenyToken(DenyToken { tenant, actor, token: subject }),
        act => Command::DenySubject(DenySubject { tenant, actor, subject, denied: act == 2 }),
    }
}

/// The third tenant may not exist yet, the fourth hardly ever does.
fn tenant() -> impl Strategy<Value = TenantId> {
    prop_oneof![8 => Just(TenantId(1)), 4 => Just(TenantId(2)), 1 => Just(TenantId(3)), 1 => Just(TenantId(4))]
}

/// Another source's name, now and then, is what `spoil` left there.
fn name_source(said: &mut Said, source: u32) {
    for part in said.parts.iter_mut().filter(|part| part.label.source.is_empty()) {
        Arc::make_mut(&mut part.label).source = SOURCES[source as usize - 1].to_owned();
    }
}

fn take_events((tenant, source, events): (TenantId, u32, Vec<(u8, Said)>)) -> Order {
    let event = |(id, mut said): (u8, Said)| {
        name_source(&mut said, source);
        Event::new("/sensor".to_owned(), id.to_string(), vec![said])
    };
    let events = events.into_iter().map(event).collect();
    let purpose = Purpose::ThreatIntel.code();
    let take = TakeEvents { tenant, source: SourceId(source), actor: ActorId(1), purpose, events };
    Order::Ready(Command::TakeEvents(take))
}

fn assert((tenant, source, mut said, run, number): (TenantId, u32, Said, usize, u64)) -> Order {
    name_source(&mut said, source);
    let if_end_missing = match number {
        0 | 1 => IfEndMissing::Refuse,
        number => IfEndMissing::Pend { run: RunId(0), input: 0, line: 0, number },
    };
    let purpose = Purpose::ThreatIntel.code();
    let assert =
        Assert { tenant, source: SourceId(source), actor: ActorId(1), purpose, said, if_end_missing };
    Order::AssertOrPend(assert, run)
}

prop_compose! {
    fn said()(
        id in 0..IDS.len() - 1,
        odd in prop::bool::weighted(0.08),
        thing_type in prop_oneof![9 => Just(None), 1 => (0..TYPES.len()).prop_map(Some)],
        version_us in prop_oneof![2 => Just(None), 3 => (1..4i64).prop_map(Some)],
        status in select(Status::ALL),
        since in prop::option::weighted(0.2, Just(("2026-01-01T00:00:00Z".to_owned(), 1_767_225_600_000_000))),
        weight in prop::option::weighted(0.3, 0..3u8),
        parts in subsequence(vec![0, 1, 2], 1..=3).prop_flat_map(parts),
        edges in prop::collection::vec(edge(), 1..=2),
        flaw in prop_oneof![30 => Just(0), 1 => 1..=10u8],
    ) -> Said {
        let is_relation = (4..7).contains(&id) != odd;
        let form = if is_relation { Form::Relation } else { Form::Entity };
        let thing_type = thing_type.unwrap_or(if is_relation { 2 } else { id % 2 });
        let mut said = Said {
            id: IDS[id].to_owned(),
            form,
            thing_type: TYPES[thing_type].to_owned(),
            base: None,
            tags: vec![],
            status,
            observed_at_us: None,
            version_us,
            edges: if is_relation { edges } else { vec![] },
            weight: weight.map(f64::from),
            since,
            until: None,
            parts,
        };
        spoil(&mut said, flaw);
        said
    }
}

fn parts(labels: Vec<usize>) -> impl Strategy<Value = Vec<Part>> {
    let parts: Vec<_> = labels.into_iter().map(|label| content().prop_map(move |c| part(label, c))).collect();
    parts.prop_shuffle()
}

/// Mostly a few bytes; now and then more than a packed row holds.
fn content() -> impl Strategy<Value = (u8, usize)> {
    (0..3u8, prop_oneof![20 => Just(1usize), 3 => Just(700), 1 => Just(20_000), 1 => Just(70_000)])
}

fn part(label: usize, (value, bytes): (u8, usize)) -> Part {
    let classification = Classification::ALL[label];
    let label = Label {
        kind: storage::model::LabelKind::Entity,
        thing_type: "malware".to_owned(),
        classification,
        licence: Licence::OpenDataOk,
        purposes: Purposes::from_iter([Purpose::ThreatIntel]),
        retention: Retention::Standard365d,
        personal: false,
        source: String::new(),
        compartments: vec![],
    };
    let claims = vec![Claim { name: "name".to_owned(), json: format!("\"{value}\"") }];
    let texts =
        vec![Text { text: char::from(b'a' + value).to_string().repeat(bytes), of_claim: String::new() }];
    // Some bring a vector.
    let embedding =
        (bytes == 700).then(|| Embedding { model: "m".to_owned(), vector: vec![f32::from(value) + 1.0] });
    Part { label: Arc::new(label), claims, texts, embedding }
}

fn edge() -> impl Strategy<Value = EdgeSaid> {
    let end = || prop_oneof![12 => select(&IDS[..6]), 1 => Just("nobody"), 1 => Just("é")];
    (select(&["uses", "targets"][..]), prop_oneof![6 => end().boxed(), 1 => Just("").boxed()], end())
        .prop_map(|(kind, from, to)| EdgeSaid {
            kind: kind.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        })
}

/// Breaks one rule of the model; 0 breaks none.
fn spoil(said: &mut Said, flaw: u8) {
    let long = |bytes: usize| "x".repeat(bytes);
    match flaw {
        0 => {}
        1 => said.id = String::new(),
        2 => said.id = long(513),
        3 => said.id = "a\u{7}".to_owned(),
        4 => said.thing_type = long(257),
        5 => said.weight = Some(f64::INFINITY),
        6 => said.parts.clear(),
        7 => said.parts.push(said.parts[0].clone()),
        8 => said.parts[0].claims[0].name = long(257),
        9 => Arc::make_mut(&mut said.parts[0].label).source = "wiki".to_owned(),
        _ => said.edges = vec![EdgeSaid { kind: String::new(), from: String::new(), to: "a".to_owned() }],
    }
}

fn source(name: &str, classification: Classification) -> SourceSpec {
    SourceSpec {
        name: name.to_owned(),
        purposes: Purposes::from_iter([Purpose::ThreatIntel]),
        licence: Licence::OpenDataOk,
        retention: Retention::Standard365d,
        classification,
        personal: false,
    }
}

fn token(id: &str) -> TokenSpec {
    TokenSpec {
        id: id.to_owned(),
        secret_sha256: [9; 32],
        role: Role::Reader,
        clearance: Classification::Public,
        purposes: Purposes::ALL,
        scopes: vec!["graphql.adhoc".to_owned()],
        expires_at_us: 1 << 50,
    }
}
