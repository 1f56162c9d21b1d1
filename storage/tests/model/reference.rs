//! What the store promises, as plain maps: written from its contract, not from its code.
//!
//! A store and this model, given the same commands, give the same answers and hold the same state.

use std::collections::{BTreeMap, BTreeSet};

use storage::commands::{Applied, Assert, BeginEpoch, Command, Effect, EndRun, IfEndMissing, Progress};
use storage::ids::{ActorId, LabelId, Lsn, RunId, SourceId, TenantId};
use storage::model::{
    Assertion, DecisionSegment, FlagSet, Form, Graph, Label, LinkMade, PolicySet, RunBegin, RunEnd, RunState,
    Said, Selection, SignedIn, SignedOut, SourceSpec, Subject, TokenSpec,
};
use storage::record::Kind;

#[path = "reference/erasure.rs"]
mod erasure;
#[path = "reference/events.rs"]
mod events;
#[path = "reference/flags.rs"]
mod flags;
#[path = "reference/graphs.rs"]
mod graphs;
#[path = "reference/idempotency.rs"]
mod idempotency;
#[path = "reference/ways_in.rs"]
mod ways_in;

pub(crate) use erasure::{Redaction, Unseen, answer_of};
use events::Taken;
pub(crate) use graphs::Kept;
pub(crate) use idempotency::Remembered;

/// The answer to a command: what it did, or the code of the refusal.
pub(crate) type Answer = Result<Applied, &'static str>;

/// The state of a whole node.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) tokens: BTreeMap<String, Token>,
    /// By tenant and name: actor, since when, and since when denied.
    pub(crate) subjects: BTreeMap<(u32, Subject), (u64, i64, Option<i64>)>,
    pub(crate) denied_tokens: BTreeSet<(u32, Subject)>,
    /// Epochs begun, the first excepted, and whether it is noted what commits change.
    pub(crate) epoch: u32,
    pub(crate) notes_changes: bool,
    /// Flags that are stopped.
    pub(crate) stopped: BTreeSet<String>,
    taken: Taken,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tenant {
    pub(crate) name: String,
    pub(crate) log: Vec<Entry>,
    /// The label with id n is at n - 1; so it is with sources.
    pub(crate) labels: Vec<Label>,
    pub(crate) sources: Vec<SourceSpec>,
    pub(crate) things: BTreeMap<String, Thing>,
    pub(crate) edges: BTreeSet<Link>,
    pub(crate) runs: BTreeMap<u64, Run>,
    pub(crate) pending: BTreeMap<(u64, u64), Waiting>,
    /// Files read in part, by source and digest: the run that read it last, and how far.
    pub(crate) progress: BTreeMap<(u32, u8), (u64, u64)>,
    /// Every policy that was set, by its position.
    pub(crate) policies: BTreeMap<u64, PolicySet>,
    /// The digests of closed segments of decisions.
    pub(crate) decisions: BTreeMap<u64, Vec<u8>>,
    /// Graphs by id: who made one, when, and what was saved last, at which position and when.
    pub(crate) graphs: BTreeMap<String, Kept>,
    /// Flags by name: to what, who set it, at which position and when.
    pub(crate) flags: BTreeMap<String, (String, u64, u64, i64)>,
    pub(crate) redactions: BTreeMap<u64, Redaction>,
    /// On what, why, who set it, since when; by position.
    pub(crate) holds: BTreeMap<u64, (Selection, String, u64, i64)>,
    pub(crate) unseen: Unseen,
    pub(crate) once: Remembered,
}

/// A record: the one at position n is at n - 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) actor: ActorId,
    pub(crate) label: u32,
    pub(crate) purpose: u8,
    pub(crate) time_us: i64,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Id(String),
    Label(Label),
    Source(SourceSpec),
    Said(Assertion),
    Token(TokenSpec),
    RunBegan(RunBegin),
    RunEnded(RunEnd),
    LinkMade(LinkMade),
    SignedIn(SignedIn),
    SignedOut(SignedOut),
    Policy(PolicySet),
    DecisionsClosed(DecisionSegment),
    Graph(Graph),
    Flag(FlagSet),
    Subject(Subject),
    /// Its number, the records before it, and how many are lost.
    Epoch(u32, u64, Option<u64>),
    /// Why something is redacted, and whether it is a source.
    Reason(String, bool),
    /// Which redaction, and how many records.
    Done(u64, u64),
    Hold(Selection, String),
    Number(u64),
    Erased,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Thing {
    pub(crate) form: Form,
    pub(crate) thing_type: String,
    /// What is said now, by source and label.
    pub(crate) said: BTreeMap<(u32, u32), Held>,
    /// What was said before, by position; with what replaced it, and when.
    pub(crate) before: BTreeMap<u64, (u32, u32, Held, u64, i64)>,
    pub(crate) deletions_us: Vec<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) lsn: u64,
    pub(crate) assertion: Assertion,
    pub(crate) recorded_us: i64,
    pub(crate) asserted_us: i64,
}

/// One link of the graph. Its label is the relation's only one; 0 if it has several, or no longer draws it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link {
    pub(crate) from: String,
    pub(crate) kind: String,
    pub(crate) relation: String,
    pub(crate) to: String,
    pub(crate) label: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) begin: RunBegin,
    pub(crate) began_us: i64,
    pub(crate) end: Option<(RunEnd, i64)>,
}

/// A relation that waits for its ends: source, input, line, parts.
pub(crate) type Waiting = (u32, u32, u64, Vec<(Label, Assertion)>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) tenant: u32,
    pub(crate) actor: u64,
    pub(crate) spec: TokenSpec,
    pub(crate) created_us: i64,
    pub(crate) revoked_us: Option<i64>,
    pub(crate) made_by: u64,
    pub(crate) used_us: Option<i64>,
    /// Code and end of each link that nobody has used.
    pub(crate) links: Vec<(u8, i64)>,
    /// Secret, beginning, last use and end of each session.
    pub(crate) sessions: Vec<(u8, i64, i64, i64)>,
}

const HOUR_US: i64 = 3_600_000_000;
const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 24 * HOUR_US;

impl Model {
    pub(crate) fn execute(&mut self, command: &Command, time_us: i64) -> Answer {
        match command {
            Command::CreateTenant(c) => self.create_tenant(&c.name, c.actor, time_us),
            Command::CreateToken(c) => self.create_token(c, time_us),
            Command::RevokeToken(c) => self.revoke_token(c.tenant, c.actor, &c.id, time_us),
            Command::MakeLink(c) => self.make_link(c, time_us),
            Command::SignIn(c) => self.sign_in(c, time_us),
            Command::SignOut(c) => self.sign_out(c, time_us),
            Command::Seen(c) => self.seen(c, time_us),
            Command::MeetSubject(c) => {
                if self.subjects.contains_key(&(c.tenant.0, c.subject.clone())) {
                    return self.tenant(c.tenant)?.answer(Effect::Unchanged);
                }
                self.meet(c.tenant, &c.subject, time_us)
            }
            Command::DenySubject(c) => self.deny(c, time_us),
            Command::DenyToken(c) => self.deny_token(c, time_us),
            Command::SetSource(c) => {
                refuse_if(c.spec.name.is_empty() || c.spec.purposes.is_empty(), "invalid")?;
                self.tenant(c.tenant)?.set_source(&c.spec, c.actor, time_us)
            }
            Command::Assert(c) => {
                refuse_if(is_invalid(&c.said), "invalid")?;
                self.tenant(c.tenant)?.assert(c, time_us)
            }
            Command::Delete(c) => self.tenant(c.tenant)?.hide(&c.id, c.actor, true, time_us),
            Command::Restore(c) => self.tenant(c.tenant)?.hide(&c.id, c.actor, false, time_us),
            Command::BeginRun(c) => self.tenant(c.tenant)?.begin_run(&c.begin, c.actor, time_us),
            Command::EndRun(c) => self.tenant(c.tenant)?.end_run(c, time_us),
            Command::Unpend(c) => {
                let tenant = self.tenant(c.tenant)?;
                tenant.pending.remove(&(c.run.0, c.number));
                tenant.answer(Effect::Done)
            }
            Command::Progress(c) => self.tenant(c.tenant)?.progress(c),
            Command::SetPolicy(c) => {
                refuse_if(c.policy.text.len() > 256 * 1024, "invalid")?;
                self.tenant(c.tenant)?.set_policy(&c.policy, c.actor, time_us)
            }
            Command::CloseDecisions(c) => self.tenant(c.tenant)?.close_decisions(&c.segment, time_us),
            Command::SaveGraph(c) => self.save_graph(c, time_us),
            Command::DeleteGraph(c) => self.tenant(c.tenant)?.delete_graph(c, time_us),
            Command::SetFlag(c) => {
                flags::check(c)?;
                self.tenant(c.tenant)?.set_flag(c, time_us)
            }
            Command::StopFlag(c) => self.stop_flag(c, time_us),
            Command::NoteChanges(_) => {
                let effect = if self.notes_changes { Effect::Unchanged } else { Effect::Done };
                self.notes_changes = true;
                Ok(Applied { lsn: Lsn::NONE, effect })
            }
            Command::BeginEpoch(c) => self.begin_epoch(c, time_us),
            Command::Once(c) => self.once(c, time_us),
            Command::TakeEvents(c) => self.take_events(c, time_us),
            Command::Redact(c) => self.redact(c, time_us),
            Command::EraseSome(c) => self.erase_some(c.tenant, c.redaction, time_us),
            Command::EndRedaction(c) => self.tenant(c.tenant)?.end_redaction(c, time_us),
            Command::LiftRedaction(c) => self.tenant(c.tenant)?.lift(c, time_us),
            Command::RedactAgain(_) | Command::SeeClock(_) | Command::Remember(_) => {
                panic!("no order is of this: {command:?}")
            }
            Command::SetHold(c) => self.tenant(c.tenant)?.set_hold(c, time_us),
            Command::RemoveHold(c) => self.tenant(c.tenant)?.remove_hold(c, time_us),
            Command::PurgeThings(c) => self.tenant(c.tenant)?.purge_things(c),
            Command::Sweep(c) => self.tenant(c.tenant)?.sweep_log(c.replaced_before_us, c.below.0, time_us),
            Command::EndPurge(c) => self.tenant(c.tenant)?.end_purge(c, time_us),
        }
    }

    fn tenant(&mut self, id: TenantId) -> Result<&mut Tenant, &'static str> {
        let place = (id.0 as usize).checked_sub(1).ok_or("not_found")?;
        self.tenants.get_mut(place).ok_or("not_found")
    }

    /// Every ledger says which of its records the epoch goes on with. It is the last record that is answered with.
    fn begin_epoch(&mut self, c: &BeginEpoch, time_us: i64) -> Answer {
        refuse_if(c.epoch.0 <= self.epoch + 1, "invalid")?;
        (self.epoch, self.notes_changes) = (c.epoch.0 - 1, false);
        let mut lsn = Lsn::NONE;
        for (id, tenant) in (1..).zip(&mut self.tenants) {
            let what = What::Epoch(c.epoch.0, tenant.log.len() as u64, c.lacking.get(&TenantId(id)).copied());
            tenant.log(Kind::EpochBegan, ActorId::NODE, time_us, what);
            lsn = Lsn(tenant.log.len() as u64);
        }
        Ok(Applied { lsn, effect: Effect::Done })
    }

    /// All or none: on a copy, which is kept if nothing is refused.
    fn create_tenant(&mut self, name: &str, actor: ActorId, time_us: i64) -> Answer {
        let legal = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
        let legal = (1..=63).contains(&name.len()) && name.chars().all(legal);
        refuse_if(!legal, "invalid")?;
        refuse_if(self.tenants.iter().any(|t| t.name == name), "exists")?;
        let mut tenant = Tenant { name: name.to_owned(), ..Tenant::default() };
        tenant.log(Kind::Tenant, actor, time_us, What::Id(name.to_owned()));
        self.tenants.push(tenant);
        let id = TenantId(self.tenants.len() as u32);
        self.tenants[self.tenants.len() - 1].answer(Effect::Tenant(id))
    }

    /// Tokens and subjects have one actor each.
    fn next_actor(&self) -> u64 {
        (self.tokens.len() + self.subjects.len()) as u64 + 1
    }

    fn say(&mut self, tenant: TenantId, actor: ActorId, kind: Kind, time_us: i64, what: What) -> Answer {
        let tenant = self.tenant(tenant)?;
        tenant.log(kind, actor, time_us, what);
        tenant.answer(Effect::Done)
    }
}

impl Tenant {
    /// The tokens of outside issuers that its log says are denied.
    pub(crate) fn denied_tokens(&self) -> Vec<Subject> {
        let denials = self.log.iter().filter(|entry| entry.kind == Kind::OutsideTokenDenied);
        let token = |entry: &Entry| match &entry.what {
            What::Subject(token) => token.clone(),
            other => panic!("no token: {other:?}"),
        };
        denials.map(token).collect()
    }

    /// A source replaces all that it said of the thing; said again is unchanged and writes no record.
    pub(crate) fn assert(&mut self, c: &Assert, time_us: i64) -> Answer {
        let (said, source) = (&c.said, c.source.0);
        let spec = self.sources.get((source as usize).wrapping_sub(1));
        let name = &spec.ok_or("not_found")?.name;
        let foreign = said.parts.iter().any(|part| part.label.source != *name);
        refuse_if(foreign, "invalid")?;
        refuse_if(self.refuses(name, said), "redacted")?;
        let now_us = self.now(time_us);
        if let Some(thing) = self.things.get_mut(&said.id) {
            let same_type = thing.form == said.form && thing.thing_type == said.thing_type;
            refuse_if(!same_type, "type_conflict")?;
            let mut mine: Vec<_> = thing.said.iter_mut().filter(|(key, _)| key.0 == source).collect();
            let newest = mine.iter().filter_map(|(_, held)| held.assertion.version_us).max();
            if said.version_us.is_some() && said.version_us < newest {
                return self.answer(Effect::Unchanged);
            }
            let again = |(_, label): &(u32, u32), held: &Held| {
                let label = &self.labels[*label as usize - 1];
                let part = said.parts.iter().find(|part| *part.label == *label);
                part.is_some_and(|part| said.assertion(part) == held.assertion)
            };
            if mine.len() == said.parts.len() && mine.iter().all(|(key, held)| again(key, held)) {
                if mine.iter().any(|(_, held)| now_us - held.asserted_us >= HOUR_US) {
                    mine.iter_mut().for_each(|(_, held)| held.asserted_us = now_us);
                }
                return self.answer(Effect::Unchanged);
            }
        }
        let known = |end: &str| end.is_empty() || end == said.id || self.things.contains_key(end);
        if !said.edges.iter().all(|edge| known(&edge.from) && known(&edge.to)) {
            return self.pend(c);
        }
        self.say(c, time_us)
    }

    fn pend(&mut self, c: &Assert) -> Answer {
        let IfEndMissing::Pend { run, input, line, number } = c.if_end_missing else {
            return Err("end_missing");
        };
        let ended = self.runs.get(&run.0).ok_or("not_found")?.end.is_some();
        refuse_if(ended, "exists")?;
        let parts = c.said.parts.iter().map(|part| ((*part.label).clone(), c.said.assertion(part)));
        self.pending.insert((run.0, number), (c.source.0, input, line, parts.collect()));
        self.answer(Effect::Pending)
    }

    fn say(&mut self, c: &Assert, time_us: i64) -> Answer {
        let (said, source) = (&c.said, c.source.0);
        let effect = if self.things.contains_key(&said.id) { Effect::Updated } else { Effect::Created };
        if effect == Effect::Created {
            self.unseen.numbers.push(said.id.clone());
        }
        let mut thing = self.things.remove(&said.id).unwrap_or_else(|| Thing {
            form: said.form,
            thing_type: said.thing_type.clone(),
            said: BTreeMap::new(),
            before: BTreeMap::new(),
            deletions_us: vec![],
        });
        let (mut mine, others) = thing.said.into_iter().partition(|(key, _)| key.0 == source);
        thing.said = others;
        for part in &said.parts {
            let label = self.label(&part.label, time_us);
            let assertion = said.assertion(part);
            let now_us = self.now(time_us);
            let held = match mine.get(&(source, label)) {
                Some(held) if held.assertion == assertion => {
                    let held = mine.remove(&(source, label)).expect("found above");
                    Held { asserted_us: now_us, ..held }
                }
                _ => {
                    let what = What::Said(assertion.clone());
                    self.log_under(Kind::Asserted, c.actor, time_us, label, c.purpose, what);
                    let lsn = self.log.len() as u64;
                    Held { lsn, assertion, recorded_us: now_us, asserted_us: now_us }
                }
            };
            thing.said.insert((source, label), held);
        }
        // What the source no longer says is withdrawn in the order in which it was recorded.
        let mut replaced: Vec<_> = mine.into_iter().collect();
        replaced.sort_by_key(|(_, held)| held.lsn);
        for ((_, label), held) in replaced {
            let by = match thing.said.get(&(source, label)) {
                Some(successor) => successor.lsn,
                None => {
                    let what = What::Id(said.id.clone());
                    self.log_under(Kind::Withdrawn, c.actor, time_us, label, c.purpose, what);
                    self.log.len() as u64
                }
            };
            thing.before.insert(held.lsn, (source, label, held, by, self.now(time_us)));
        }
        self.edges.retain(|edge| edge.relation != said.id);
        self.edges.extend(links(&said.id, &thing));
        self.things.insert(said.id.clone(), thing);
        self.answer(effect)
    }

    fn label(&mut self, label: &Label, time_us: i64) -> u32 {
        if let Some(place) = self.labels.iter().position(|known| known == label) {
            return place as u32 + 1;
        }
        self.labels.push(label.clone());
        let id = self.labels.len() as u32;
        let what = What::Label(label.clone());
        self.log_under(Kind::Label, ActorId::NODE, time_us, id, 0, what);
        id
    }

    fn hide(&mut self, id: &str, actor: ActorId, hide: bool, time_us: i64) -> Answer {
        let now_us = self.now(time_us);
        let thing = self.things.get_mut(id).ok_or("not_found")?;
        if (thing.deletions_us.len() % 2 == 1) == hide {
            return self.answer(Effect::Unchanged);
        }
        thing.deletions_us.push(now_us);
        let kind = if hide { Kind::Deleted } else { Kind::Restored };
        self.log(kind, actor, time_us, What::Id(id.to_owned()));
        self.answer(Effect::Updated)
    }

    fn set_source(&mut self, spec: &SourceSpec, actor: ActorId, time_us: i64) -> Answer {
        let known = self.sources.iter().position(|source| source.name == spec.name);
        let place = known.unwrap_or(self.sources.len());
        if known.is_none_or(|place| self.sources[place] != *spec) {
            match self.sources.get_mut(place) {
                Some(source) => *source = spec.clone(),
                None => self.sources.push(spec.clone()),
            }
            self.log(Kind::Source, actor, time_us, What::Source(spec.clone()));
        }
        self.answer(Effect::Source(SourceId(place as u32 + 1)))
    }

    /// The same text again is no change, whatever version its author saw; another needs to have seen the last.
    fn set_policy(&mut self, policy: &PolicySet, actor: ActorId, time_us: i64) -> Answer {
        let last = self.policies.last_key_value();
        if last.is_some_and(|(_, last)| last.text == policy.text) {
            return self.answer(Effect::Unchanged);
        }
        refuse_if(last.map_or(0, |(version, _)| *version) != policy.replaces, "superseded")?;
        self.log(Kind::Policy, actor, time_us, What::Policy(policy.clone()));
        self.policies.insert(self.log.len() as u64, policy.clone());
        self.answer(Effect::Updated)
    }

    fn close_decisions(&mut self, segment: &DecisionSegment, time_us: i64) -> Answer {
        match self.decisions.get(&segment.number) {
            Some(digest) if *digest == segment.sha256 => return self.answer(Effect::Unchanged),
            Some(_) => return Err("exists"),
            None => {}
        }
        self.decisions.insert(segment.number, segment.sha256.clone());
        let what = What::DecisionsClosed(segment.clone());
        self.log(Kind::DecisionsClosed, ActorId::NODE, time_us, what);
        self.answer(Effect::Done)
    }

    fn begin_run(&mut self, begin: &RunBegin, actor: ActorId, time_us: i64) -> Answer {
        let began_us = self.log(Kind::RunBegan, actor, time_us, What::RunBegan(begin.clone()));
        let id = self.log.len() as u64;
        self.runs.insert(id, Run { begin: begin.clone(), began_us, end: None });
        self.answer(Effect::Run(RunId(id)))
    }

    fn end_run(&mut self, c: &EndRun, time_us: i64) -> Answer {
        let now_us = self.now(time_us);
        let run = self.runs.get_mut(&c.end.run).ok_or("not_found")?;
        refuse_if(run.end.is_some(), "exists")?;
        run.end = Some((c.end.clone(), now_us));
        let source = self.sources.iter().position(|source| source.name == run.begin.source);
        if let Some(source) = source.filter(|_| c.end.state() == RunState::Complete) {
            self.progress.retain(|(of, _), _| *of != source as u32 + 1);
        }
        self.log(Kind::RunEnded, c.actor, time_us, What::RunEnded(c.end.clone()));
        self.answer(Effect::Done)
    }

    fn progress(&mut self, c: &Progress) -> Answer {
        refuse_if(c.source.0 == 0 || c.source.0 as usize > self.sources.len(), "not_found")?;
        let ended = self.runs.get(&c.run.0).ok_or("not_found")?.end.is_some();
        refuse_if(ended, "exists")?;
        self.progress.insert((c.source.0, c.file[0]), (c.run.0, c.things));
        self.answer(Effect::Done)
    }

    /// The clock may be set back, a tenant's time never goes back.
    pub(crate) fn now(&self, time_us: i64) -> i64 {
        self.log.last().map_or(time_us, |last| last.time_us.max(time_us))
    }

    fn log(&mut self, kind: Kind, actor: ActorId, time_us: i64, what: What) -> i64 {
        self.log_under(kind, actor, time_us, LabelId::SYSTEM.0, 0, what)
    }

    fn log_under(
        &mut self,
        kind: Kind,
        actor: ActorId,
        time_us: i64,
        label: u32,
        purpose: u8,
        what: What,
    ) -> i64 {
        let time_us = self.now(time_us);
        self.log.push(Entry { kind, actor, label, purpose, time_us, what });
        time_us
    }

    fn answer(&self, effect: Effect) -> Answer {
        let lsn = Lsn(self.log.len() as u64);
        Ok(Applied { lsn, effect })
    }
}

/// The links that any source draws, and those that one drew before, which carry no label.
fn links(id: &str, thing: &Thing) -> BTreeSet<Link> {
    let only = thing.said.keys().map(|(_, label)| *label).next();
    let label = if thing.said.len() == 1 { only.unwrap_or(0) } else { 0 };
    let link = |edge: &storage::model::EdgeSaid, label: u32| Link {
        from: if edge.from.is_empty() { id.to_owned() } else { edge.from.clone() },
        kind: edge.kind.clone(),
        relation: id.to_owned(),
        to: edge.to.clone(),
        label,
    };
    let now = thing.said.values().flat_map(|held| &held.assertion.edges);
    let mut links: BTreeSet<Link> = now.map(|edge| link(edge, label)).collect();
    let before = thing.before.values().flat_map(|before| &before.2.assertion.edges);
    for former in before.map(|edge| link(edge, 0)) {
        if !links.contains(&Link { label, ..former.clone() }) {
            links.insert(former);
        }
    }
    links
}

fn is_invalid(said: &Said) -> bool {
    let word =
        |word: &str, max: usize| (1..=max).contains(&word.len()) && !word.chars().any(char::is_control);
    let edge_ok = |edge: &storage::model::EdgeSaid| {
        word(&edge.kind, 256) && (edge.from.is_empty() || word(&edge.from, 512)) && word(&edge.to, 512)
    };
    let parts_ok = said.parts.iter().enumerate().all(|(place, part)| {
        part.claims.iter().all(|claim| word(&claim.name, 256))
            && part.texts.iter().all(|text| text.text.len() <= 1 << 20)
            && said.parts[..place].iter().all(|earlier| earlier.label != part.label)
    });
    !(word(&said.id, 512)
        && word(&said.thing_type, 256)
        && said.edges.iter().all(edge_ok)
        && said.weight.is_none_or(f64::is_finite)
        && (said.form == Form::Entity || !said.edges.is_empty())
        && !said.parts.is_empty()
        && parts_ok)
}

fn refuse_if(condition: bool, code: &'static str) -> Result<(), &'static str> {
    if condition { Err(code) } else { Ok(()) }
}
