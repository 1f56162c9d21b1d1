//! What every follower must pass: the promises of [`Follower`], tried out on one history.
//!
//! The history has every kind of record that a follower meets: things said, said anew, under several labels,
//! withdrawn, revoked, deleted, restored and redacted, and records that say nothing to it. What a follower holds
//! after a bootstrap is the measure of what it must hold after anything else.

use std::sync::Arc;

use storage::commands::{
    Applied, Assert, BeginRun, Command, CreateTenant, Delete, Effect, EndRedaction, EraseSome, IfEndMissing,
    Redact, Restore, SetSource,
};
use storage::ids::{ActorId, Lsn, SourceId, TenantId};
use storage::model::{
    Claim, Classification, EdgeSaid, Form, Label, LabelKind, Licence, Part, Purpose, Purposes, Retention,
    RunBegin, Said, Selection, SourceSpec, Status, Text,
};
use storage::record::Record;
use storage::{EngineOptions, Options, Stamp, Store, View};

use crate::error::Error;
use crate::follower::{self, Follower, Limits, Progress};

/// A kind of follower, as the suite sees it.
pub trait Subject {
    /// Where a follower keeps what it commits.
    type Home: Clone;
    /// The follower.
    type Follower: Follower;

    /// A new place with nothing in it.
    fn home(&self) -> Self::Home;

    /// Opens what is in a place, as after a crash.
    fn open(&self, home: &Self::Home, tenant: TenantId, origin: &str) -> Self::Follower;

    /// Everything that readers can find, in an order that depends on nothing else.
    fn contents(&self, follower: &Self::Follower) -> Vec<String>;
}

/// Runs the whole suite.
///
/// # Panics
/// At the first promise that is broken.
pub fn check<S: Subject>(subject: &S) {
    let suite = Suite::new(subject);
    suite.following_equals_a_bootstrap_at_every_record();
    suite.catching_up_equals_a_bootstrap();
    suite.a_crash_loses_only_what_was_not_committed();
    suite.applying_again_changes_nothing();
    suite.a_gap_is_refused();
    suite.being_ahead_is_refused();
    suite.stopping_leaves_no_trace();
    suite.an_empty_tenant_is_current();
    suite.what_was_reset_can_be_filled_again();
}

struct Suite<'a, S: Subject> {
    subject: &'a S,
    tenant: TenantId,
    empty_tenant: TenantId,
    /// The store after each commit.
    views: Vec<View>,
}

const GO_ON: &dyn Fn() -> bool = &|| false;

impl<'a, S: Subject> Suite<'a, S> {
    fn new(subject: &'a S) -> Suite<'a, S> {
        let history = History::begin();
        let (tenant, empty_tenant) = (history.tenant, history.empty_tenant);
        Suite { subject, tenant, empty_tenant, views: history.live() }
    }

    fn following_equals_a_bootstrap_at_every_record(&self) {
        let home = self.subject.home();
        let mut follower = self.open(&home);
        for view in &self.views {
            drive(&mut follower, view, 1);
            assert_eq!(self.contents(&follower), self.expected(view), "while following");
        }
        drop(follower);
        let last = self.last();
        let reopened = self.open(&home);
        assert_eq!(reopened.position(), self.head(last));
        assert_eq!(self.contents(&reopened), self.expected(last), "after reopening");
    }

    /// The view is newer than the records that are applied.
    fn catching_up_equals_a_bootstrap(&self) {
        for from in &self.views {
            for records_max in [1, 2, 5, 1000] {
                let mut follower = self.open(&self.subject.home());
                drive(&mut follower, from, 1000);
                drive(&mut follower, self.last(), records_max);
                assert_eq!(self.contents(&follower), self.expected(self.last()), "caught up");
            }
        }
    }

    fn a_crash_loses_only_what_was_not_committed(&self) {
        let home = self.subject.home();
        drive(&mut self.open(&home), &self.views[0], 1000);
        for view in &self.views {
            let mut follower = self.open(&home);
            let committed = follower.position();
            let before = self.contents(&follower);
            for record in self.records(view, committed.next()) {
                follower.apply(view, &record).expect("applies");
            }
            assert_eq!(self.contents(&follower), before, "published before its commit");
            drop(follower);
            let mut follower = self.open(&home);
            assert_eq!(follower.position(), committed);
            assert_eq!(self.contents(&follower), before, "after a crash");
            drive(&mut follower, view, 1);
            assert_eq!(self.contents(&follower), self.expected(view), "done again");
        }
    }

    fn applying_again_changes_nothing(&self) {
        let view = self.last();
        let mut follower = self.open(&self.subject.home());
        drive(&mut follower, view, 1000);
        for record in self.records(view, Lsn::FIRST) {
            follower.apply(view, &record).expect("applies");
        }
        follower.commit(self.head(view)).expect("commits");
        assert_eq!(self.contents(&follower), self.expected(view), "applied twice");
    }

    fn a_gap_is_refused(&self) {
        let (first, last) = (&self.views[0], self.last());
        let mut follower = self.open(&self.subject.home());
        drive(&mut follower, first, 1000);
        let mut records = self.records(last, follower.position().next());
        records.remove(1);
        let mut progress = Progress::default();
        let refused = follower::advance(&mut follower, last, &records, &mut progress, GO_ON);
        assert!(matches!(refused, Err(Error::Gap { .. })), "{refused:?}");
        follower.rollback().expect("rolls back");
        assert_eq!(follower.position(), self.head(first));
        assert_eq!(self.contents(&follower), self.expected(first), "rolled back");
        drive(&mut follower, last, 1000);
        assert_eq!(self.contents(&follower), self.expected(last));
    }

    fn being_ahead_is_refused(&self) {
        let mut follower = self.open(&self.subject.home());
        drive(&mut follower, self.last(), 1000);
        let refused = follower::drive(&mut follower, &self.views[0], Limits::default(), GO_ON);
        assert!(matches!(refused, Err(Error::Ahead { .. })), "{refused:?}");
    }

    fn stopping_leaves_no_trace(&self) {
        let mut follower = self.open(&self.subject.home());
        for view in [&self.views[0], self.last()] {
            let before = (follower.position(), self.contents(&follower));
            let stopped = follower::drive(&mut follower, view, Limits::default(), &|| true);
            assert_eq!(stopped, Err(Error::Stopped));
            assert_eq!((follower.position(), self.contents(&follower)), before);
            drive(&mut follower, view, 1000);
            assert_eq!(self.contents(&follower), self.expected(view));
        }
    }

    fn an_empty_tenant_is_current(&self) {
        let home = self.subject.home();
        let view = self.last();
        let origin = view.origin(self.empty_tenant).expect("read");
        let mut follower = self.subject.open(&home, self.empty_tenant, &origin);
        drive(&mut follower, view, 1000);
        assert_eq!(self.contents(&follower), Vec::<String>::new());
        assert_eq!(follower.position(), view.head(self.empty_tenant).expect("read").head());
    }

    fn what_was_reset_can_be_filled_again(&self) {
        let home = self.subject.home();
        let mut follower = self.open(&home);
        drive(&mut follower, self.last(), 1000);
        follower.reset().expect("resets");
        assert_eq!(follower.position(), Lsn::NONE);
        assert_eq!(self.contents(&follower), Vec::<String>::new());
        drop(follower);
        let mut follower = self.open(&home);
        assert_eq!(follower.position(), Lsn::NONE, "durably");
        drive(&mut follower, self.last(), 1000);
        assert_eq!(self.contents(&follower), self.expected(self.last()));
    }

    fn expected(&self, view: &View) -> Vec<String> {
        let mut follower = self.open(&self.subject.home());
        let done = follower::drive(&mut follower, view, Limits::default(), GO_ON).expect("drives");
        assert!(done.bootstrapped && done.is_current());
        self.contents(&follower)
    }

    fn open(&self, home: &S::Home) -> S::Follower {
        let origin = self.last().origin(self.tenant).expect("read");
        self.subject.open(home, self.tenant, &origin)
    }

    fn contents(&self, follower: &S::Follower) -> Vec<String> {
        self.subject.contents(follower)
    }

    fn records(&self, view: &View, from: Lsn) -> Vec<Record> {
        let mut records = Vec::new();
        view.records(self.tenant, from, &mut |record| {
            records.push(record);
            Ok(std::ops::ControlFlow::Continue(()))
        })
        .expect("read");
        records
    }

    fn head(&self, view: &View) -> Lsn {
        view.head(self.tenant).expect("read").head()
    }

    fn last(&self) -> &View {
        self.views.last().expect("a history has commits")
    }
}

fn drive<F: Follower>(follower: &mut F, view: &View, records_max: usize) {
    let limits = Limits { records_max, ..Limits::default() };
    while !follower::drive(follower, view, limits, GO_ON).expect("drives").is_current() {}
}

/// A store, and what happens in it.
struct History {
    store: Store,
    tenant: TenantId,
    empty_tenant: TenantId,
    time_us: i64,
    views: Vec<View>,
}

impl History {
    fn begin() -> History {
        let options = Options {
            engine: EngineOptions::Memory,
            space: None,
            new_node_id: "00112233aabbccdd".to_owned(),
        };
        let mut history = History {
            store: Store::open(options).expect("memory opens"),
            tenant: TenantId(0),
            empty_tenant: TenantId(0),
            time_us: 1_000_000,
            views: Vec::new(),
        };
        history.empty_tenant = history.begin_tenant("empty");
        history.tenant = history.begin_tenant("full");
        history.views.clear();
        history
    }

    fn live(mut self) -> Vec<View> {
        let (first, second) = (self.set_source("first"), self.set_source("second"));
        self.say(first, thing("a", &[("open", "alpha text")]));
        self.say(first, thing("b", &[("open", "beta text")]));
        self.say(first, relation("r", "a", "b"));
        self.say(first, thing("a", &[("open", "alpha again")]));
        self.say(second, thing("a", &[("open", "alpha by another")]));
        self.say(first, thing("c", &[("open", "gamma text"), ("closed", "gamma secret")]));
        self.say(first, thing("c", &[("open", "gamma alone")]));
        self.say(first, thing("c", &[("closed", "gamma hidden")]));
        // Labels that follow each other, of which one is said anew.
        self.say(first, thing("e", &[("near", "alpha text"), ("next", "alpha secret")]));
        self.say(first, thing("e", &[("near", "alpha again"), ("next", "alpha secret")]));
        self.delete("a");
        self.say(first, thing("a", &[("open", "alpha while deleted")]));
        self.restore("a");
        self.say(first, thing("a", &[("open", "alpha after that")]));
        let mut revoked = thing("b", &[("open", "beta text")]);
        revoked.status = Status::Revoked;
        self.say(first, revoked);
        self.begin_run();
        self.delete("c");
        self.delete("r");
        self.restore("r");
        self.say(second, thing("d", &[("open", "delta text")]));
        self.say(second, relation("r2", "d", "b"));
        let redaction = self.redact("d");
        self.say(first, thing("e", &[("open", "epsilon text")]));
        self.erase(redaction);
        self.say(second, thing("f", &[("open", "phi text")]));
        self.views
    }

    fn begin_tenant(&mut self, name: &str) -> TenantId {
        self.write(Command::CreateTenant(CreateTenant { name: name.to_owned(), actor: ActorId::NODE }));
        let view = self.store.view().expect("open");
        view.tenant(name).expect("read").expect("just made")
    }

    fn set_source(&mut self, name: &str) -> SourceId {
        let spec = SourceSpec {
            name: name.to_owned(),
            purposes: Purposes::from_iter([Purpose::ThreatIntel]),
            licence: Licence::OpenDataOk,
            retention: Retention::Standard365d,
            classification: Classification::Internal,
            personal: false,
        };
        let (tenant, actor) = (self.tenant, ActorId::NODE);
        self.write(Command::SetSource(SetSource { tenant, actor, spec }));
        let view = self.store.view().expect("open");
        view.source(tenant, name).expect("read").expect("just made")
    }

    fn say(&mut self, source: SourceId, mut said: Said) {
        let view = self.store.view().expect("open");
        let sources = view.sources(self.tenant).expect("read");
        let named = sources.into_iter().find(|(id, _)| *id == source);
        let name = named.expect("declared").1.name;
        for part in &mut said.parts {
            let mut label = part.label.as_ref().clone();
            label.source.clone_from(&name);
            part.label = Arc::new(label);
        }
        self.write(Command::Assert(Box::new(Assert {
            tenant: self.tenant,
            source,
            actor: ActorId::NODE,
            purpose: Purpose::ThreatIntel.code(),
            said,
            if_end_missing: IfEndMissing::Refuse,
        })));
    }

    fn delete(&mut self, id: &str) {
        let (tenant, actor, id) = (self.tenant, ActorId::NODE, id.to_owned());
        self.write(Command::Delete(Delete { tenant, actor, id }));
    }

    fn restore(&mut self, id: &str) {
        let (tenant, actor, id) = (self.tenant, ActorId::NODE, id.to_owned());
        self.write(Command::Restore(Restore { tenant, actor, id }));
    }

    fn redact(&mut self, id: &str) -> Lsn {
        let (tenant, actor, reason) = (self.tenant, ActorId::NODE, "asked for".to_owned());
        let selection = Selection::Thing(id.to_owned());
        self.write(Command::Redact(Redact { tenant, actor, selection, reason })).lsn
    }

    fn erase(&mut self, redaction: Lsn) {
        let tenant = self.tenant;
        while self.write(Command::EraseSome(EraseSome { tenant, redaction })).effect == Effect::More {}
        self.write(Command::EndRedaction(EndRedaction { tenant, redaction }));
    }

    fn begin_run(&mut self) {
        let begin = RunBegin { process: "import".to_owned(), ..RunBegin::default() };
        let (tenant, actor) = (self.tenant, ActorId::NODE);
        self.write(Command::BeginRun(BeginRun { tenant, actor, begin }));
    }

    fn write(&mut self, command: Command) -> Applied {
        self.time_us += 1000;
        let stamp = Stamp { time_us: self.time_us, seed: [7; 32] };
        let mut committed = self.store.write(&[command], stamp).expect("commits");
        let applied = committed.answers.remove(0).expect("not refused");
        self.views.push(self.store.view().expect("open"));
        applied
    }
}

fn thing(id: &str, parts: &[(&str, &str)]) -> Said {
    let parts = parts.iter().map(|(compartment, text)| part(LabelKind::Entity, id, compartment, text));
    said(id, Form::Entity, vec![], parts.collect())
}

fn relation(id: &str, from: &str, to: &str) -> Said {
    let edge = EdgeSaid { kind: "uses".to_owned(), from: from.to_owned(), to: to.to_owned() };
    let part = part(LabelKind::Relation, id, "open", "how one uses the other");
    said(id, Form::Relation, vec![edge], vec![part])
}

fn part(kind: LabelKind, id: &str, compartment: &str, text: &str) -> Part {
    let label = Label {
        kind,
        thing_type: "thing".to_owned(),
        classification: Classification::Internal,
        licence: Licence::OpenDataOk,
        purposes: Purposes::from_iter([Purpose::ThreatIntel]),
        retention: Retention::Standard365d,
        personal: false,
        source: String::new(),
        compartments: vec![compartment.to_owned()],
    };
    Part {
        label: Arc::new(label),
        claims: vec![Claim { name: "name".to_owned(), json: format!("\"name of {id}\"") }],
        texts: vec![Text { text: text.to_owned(), of_claim: String::new() }],
        embedding: None,
    }
}

fn said(id: &str, form: Form, edges: Vec<EdgeSaid>, parts: Vec<Part>) -> Said {
    let thing_type = match form {
        Form::Entity => "thing",
        Form::Relation => "uses",
    };
    Said {
        id: id.to_owned(),
        form,
        thing_type: thing_type.to_owned(),
        base: None,
        tags: vec![],
        status: Status::Active,
        observed_at_us: None,
        version_us: None,
        edges,
        weight: None,
        since: None,
        until: None,
        parts,
    }
}
