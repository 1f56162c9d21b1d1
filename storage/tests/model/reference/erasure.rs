//! Redactions, holds and purges: what goes, what is refused, what stays.

use std::collections::{BTreeMap, BTreeSet};

use storage::commands::{
    Applied, Command, Effect, EndPurge, EndRedaction, LiftRedaction, Lifted, PurgeThings, Redact, RemoveHold,
    SetHold,
};
use storage::ids::{ActorId, Lsn, TenantId};
use storage::model::{Graph, Selection};
use storage::record::Kind;

use super::{Answer, DAY_US, Held, Model, Tenant, What, links, refuse_if};

/// A redaction: who ordered it, when, of how many records, and at which positions it ended and was lifted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Redaction {
    pub(crate) of_source: bool,
    pub(crate) actor: u64,
    pub(crate) began_us: i64,
    pub(crate) records: u64,
    pub(crate) ended: u64,
    pub(crate) lifted: u64,
}

/// What only answers tell of: which names are refused because of which redaction, what a redaction that goes on is of,
/// and the things by their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unseen {
    refused: BTreeMap<(bool, String), u64>,
    going_on: BTreeMap<u64, Selection>,
    pub(crate) numbers: Vec<String>,
}

impl PartialEq for Unseen {
    fn eq(&self, _: &Unseen) -> bool {
        true
    }
}

/// A step may do a part of what there is, and nobody is told how much: its answer is only that it was taken.
pub(crate) fn answer_of(command: &Command, answer: storage::Result<Applied>) -> Answer {
    match (command, answer) {
        (_, Err(error)) => Err(error.code()),
        (Command::EraseSome(_) | Command::Sweep(_), Ok(_)) => {
            Ok(Applied { lsn: Lsn::NONE, effect: Effect::Done })
        }
        (_, Ok(applied)) => Ok(applied),
    }
}

const STEP: Answer = Ok(Applied { lsn: Lsn::NONE, effect: Effect::Done });

impl Model {
    pub(super) fn redact(&mut self, c: &Redact, time_us: i64) -> Answer {
        self.tenant(c.tenant)?.redact(c, time_us)
    }

    /// All of it is done in the first step; those behind it find nothing left.
    pub(super) fn erase_some(&mut self, tenant: TenantId, redaction: Lsn, time_us: i64) -> Answer {
        let tenant_state = self.tenant(tenant)?;
        let selection = tenant_state.unseen.going_on.get(&redaction.0).cloned().ok_or("not_found")?;
        let gone = tenant_state.erase(redaction.0, &selection, time_us);
        if let Selection::Source(name) = &selection {
            let place = self.tenant(tenant)?.sources.iter().position(|spec| spec.name == *name);
            let source = place.expect("a source that was redacted") as u32 + 1;
            self.taken.forget(tenant.0, source);
        }
        let row = self.tenant(tenant)?.redactions.get_mut(&redaction.0).expect("it goes on");
        row.records += gone;
        STEP
    }
}

impl Tenant {
    fn is_refused(&self, of_source: bool, name: &str) -> Option<u64> {
        let begun = *self.unseen.refused.get(&(of_source, name.to_owned()))?;
        let lifted = self.redactions.get(&begun).is_some_and(|redaction| redaction.lifted != 0);
        (!lifted).then_some(begun)
    }

    /// Whether what is said is refused: by its source, its id, or an end.
    pub(super) fn refuses(&self, source: &str, said: &storage::model::Said) -> bool {
        let ends = said.edges.iter().flat_map(|edge| [edge.from_or(&said.id), edge.to.as_str()]);
        let mut names = ends.chain([said.id.as_str()]);
        self.is_refused(true, source).is_some() || names.any(|id| self.is_refused(false, id).is_some())
    }

    fn redact(&mut self, c: &Redact, time_us: i64) -> Answer {
        let (of_source, name, there) = match &c.selection {
            Selection::Thing(id) => (false, id.clone(), self.things.contains_key(id)),
            Selection::Source(name) => {
                (true, name.clone(), self.sources.iter().any(|spec| spec.name == *name))
            }
            Selection::Tenant => return Err("invalid"),
        };
        refuse_if(!there, "not_found")?;
        refuse_if(self.is_held(&c.selection), "held")?;
        let what = What::Reason(c.reason.clone(), of_source);
        let began_us = self.log(Kind::RedactionBegan, c.actor, time_us, what);
        let begun = self.log.len() as u64;
        let redaction = Redaction { of_source, actor: c.actor.0, began_us, ..Redaction::default() };
        self.redactions.insert(begun, redaction);
        self.unseen.refused.insert((of_source, name), begun);
        self.unseen.going_on.insert(begun, c.selection.clone());
        self.answer(Effect::Done)
    }

    fn is_held(&self, selection: &Selection) -> bool {
        let holds = || self.holds.values().map(|hold| &hold.0);
        let tenant = holds().any(|held| *held == Selection::Tenant);
        match selection {
            Selection::Tenant => tenant,
            Selection::Thing(id) => self.closure(id).iter().any(|id| self.is_thing_held(id)),
            Selection::Source(name) => {
                let says = |id: &str| {
                    self.things.get(id).is_some_and(|thing| {
                        let now = thing.said.keys().map(|(source, _)| *source);
                        let before = thing.before.values().map(|before| before.0);
                        now.chain(before).any(|source| self.sources[source as usize - 1].name == *name)
                    })
                };
                let held = |held: &Selection| match held {
                    Selection::Source(held) => held == name,
                    Selection::Thing(id) => says(id),
                    Selection::Tenant => true,
                };
                holds().any(held)
            }
        }
    }

    /// A hold is on a thing by its id, by what it joins, by who says something of it, or on all.
    fn is_thing_held(&self, id: &str) -> bool {
        let thing = &self.things[id];
        let edges = thing.said.values().flat_map(|held| &held.assertion.edges);
        let ends: BTreeSet<&str> =
            edges.flat_map(|edge| [edge.from_or(id), edge.to.as_str()]).chain([id]).collect();
        let sources: BTreeSet<_> =
            thing.said.keys().map(|(source, _)| self.sources[*source as usize - 1].name.as_str()).collect();
        self.holds.values().any(|(held, ..)| match held {
            Selection::Tenant => true,
            Selection::Thing(held) => ends.contains(held.as_str()),
            Selection::Source(name) => sources.contains(name.as_str()),
        })
    }

    /// A thing and all that joins it, and that joins those, to others.
    fn closure(&self, id: &str) -> BTreeSet<String> {
        let (mut all, mut next) = (BTreeSet::from([id.to_owned()]), vec![id.to_owned()]);
        while let Some(id) = next.pop() {
            for link in self.edges.iter().filter(|link| link.from == id || link.to == id) {
                if all.insert(link.relation.clone()) {
                    next.push(link.relation.clone());
                }
            }
        }
        all
    }

    /// How many records lose their bodies.
    fn erase(&mut self, begun: u64, selection: &Selection, time_us: i64) -> u64 {
        let mut bodies = BTreeSet::new();
        match selection {
            Selection::Thing(id) => {
                let names = |waiting: &super::Waiting| {
                    waiting.3.iter().any(|(_, said)| {
                        said.id == *id || said.edges.iter().any(|edge| edge.from == *id || edge.to == *id)
                    })
                };
                self.pending.retain(|_, waiting| !names(waiting));
                self.remove_with_joined(id, begun, &mut bodies);
            }
            Selection::Source(name) => self.erase_source(name, begun, &mut bodies),
            Selection::Tenant => {}
        }
        bodies.extend(self.sweep(time_us, None));
        self.blank(&bodies)
    }

    fn erase_source(&mut self, name: &str, begun: u64, bodies: &mut BTreeSet<u64>) {
        let place = self.sources.iter().position(|spec| spec.name == name).expect("a source");
        let source = place as u32 + 1;
        self.pending.retain(|_, waiting| waiting.0 != source);
        self.progress.retain(|(of, _), _| *of != source);
        for thing in self.things.values_mut() {
            bodies.extend(thing.before.iter().filter(|(_, before)| before.0 == source).map(|(lsn, _)| *lsn));
            thing.before.retain(|_, before| before.0 != source);
        }
        self.redraw_all();
        for id in self.unseen.numbers.clone() {
            let Some(thing) = self.things.get(&id) else { continue };
            if !thing.said.keys().any(|(of, _)| *of == source) {
                continue;
            }
            let others_speak = thing.said.keys().any(|(of, _)| *of != source);
            if !others_speak && !self.closure(&id).iter().any(|id| self.is_thing_held(id)) {
                self.remove_with_joined(&id, begun, bodies);
                continue;
            }
            let thing = self.things.get_mut(&id).expect("found above");
            bodies.extend(thing.said.iter().filter(|((of, _), _)| *of == source).map(|(_, held)| held.lsn));
            thing.said.retain(|(of, _), _| *of != source);
            self.redraw_all();
        }
    }

    fn redraw_all(&mut self) {
        self.edges = self.things.iter().flat_map(|(id, thing)| links(id, thing)).collect();
    }

    fn remove_with_joined(&mut self, id: &str, begun: u64, bodies: &mut BTreeSet<u64>) {
        if !self.things.contains_key(id) {
            return;
        }
        for id in self.closure(id) {
            let thing = self.things.remove(&id).expect("every relation is a thing");
            bodies.extend(thing.said.values().map(|held| held.lsn));
            bodies.extend(thing.before.keys());
            self.unseen.refused.insert((false, id), begun);
        }
        self.redraw_all();
    }

    /// Records that name what is gone, and graphs on which it is; replaced ones as well, in front of a time and a position.
    fn sweep(&mut self, time_us: i64, replaced: Option<(i64, u64)>) -> BTreeSet<u64> {
        let mut bodies = BTreeSet::new();
        for place in 0..self.log.len() {
            let (entry, lsn) = (self.log[place].clone(), place as u64 + 1);
            let is_old = replaced.is_some_and(|(before_us, below)| entry.time_us < before_us && lsn < below);
            let goes = match (&entry.kind, &entry.what) {
                (Kind::Withdrawn | Kind::Deleted | Kind::Restored, What::Id(id)) => {
                    !self.things.contains_key(id) || (is_old && entry.kind == Kind::Withdrawn)
                }
                (Kind::GraphSaved, What::Graph(graph)) => {
                    let current = self.graphs.get(&graph.id).is_some_and(|kept| kept.3 == lsn);
                    self.sweep_graph(graph, current, time_us) || (is_old && !current)
                }
                (Kind::HoldSet, What::Hold(Selection::Thing(id), _)) if !self.things.contains_key(id) => {
                    self.holds.remove(&lsn);
                    true
                }
                _ => false,
            };
            if goes {
                bodies.insert(lsn);
            }
        }
        bodies
    }

    fn sweep_graph(&mut self, graph: &Graph, current: bool, time_us: i64) -> bool {
        let is_there = |number: u64| self.is_there(number);
        let nodes: Vec<_> = graph.nodes.iter().filter(|node| is_there(node.thing)).copied().collect();
        if nodes.len() == graph.nodes.len() {
            return false;
        }
        if current {
            let (maker, made_us, _, version, _) = self.graphs[&graph.id].clone();
            let (name, note) = match self.unseen.going_on.is_empty() {
                true => (graph.name.clone(), graph.note.clone()),
                false => ("Redacted".to_owned(), String::new()),
            };
            let left = Graph { name, note, nodes, replaces: version, ..graph.clone() };
            let what = What::Graph(left.clone());
            let saved_us = self.log(Kind::GraphSaved, ActorId(maker), time_us, what);
            self.graphs.insert(graph.id.clone(), (maker, made_us, left, self.log.len() as u64, saved_us));
        }
        true
    }

    /// Whether the thing of a number is still the one that had it first.
    fn is_there(&self, number: u64) -> bool {
        let place = number as usize - 1;
        let id = &self.unseen.numbers[place];
        let last = self.unseen.numbers.iter().rposition(|other| other == id);
        self.things.contains_key(id) && last == Some(place)
    }

    /// Leaves of records that they were there.
    fn blank(&mut self, bodies: &BTreeSet<u64>) -> u64 {
        let mut gone = 0;
        for lsn in bodies {
            let what = &mut self.log[*lsn as usize - 1].what;
            gone += u64::from(*what != What::Erased);
            *what = What::Erased;
        }
        gone
    }

    pub(super) fn end_redaction(&mut self, c: &EndRedaction, time_us: i64) -> Answer {
        let begun = c.redaction.0;
        let row = self.redactions.get(&begun).cloned().ok_or("not_found")?;
        if row.ended != 0 {
            return self.answer(Effect::Unchanged);
        }
        self.log(Kind::RedactionEnded, ActorId(row.actor), time_us, What::Done(begun, row.records));
        let ended = self.log.len() as u64;
        self.redactions.insert(begun, Redaction { ended, ..row });
        self.unseen.going_on.remove(&begun);
        self.answer(Effect::Done)
    }

    pub(super) fn lift(&mut self, c: &LiftRedaction, time_us: i64) -> Answer {
        let begun = match &c.of {
            Lifted::Begun(begun) => begun.0,
            Lifted::Last(Selection::Thing(id)) => self.is_refused(false, id).ok_or("not_found")?,
            Lifted::Last(Selection::Source(name)) => self.is_refused(true, name).ok_or("not_found")?,
            Lifted::Last(Selection::Tenant) => return Err("invalid"),
        };
        let row = self.redactions.get(&begun).cloned().filter(|row| row.ended != 0 && row.lifted == 0);
        let row = row.ok_or("invalid")?;
        self.log(Kind::RedactionLifted, c.actor, time_us, What::Done(begun, 0));
        let lifted = self.log.len() as u64;
        self.redactions.insert(begun, Redaction { lifted, ..row });
        self.answer(Effect::Done)
    }

    pub(super) fn set_hold(&mut self, c: &SetHold, time_us: i64) -> Answer {
        let there = match &c.selection {
            Selection::Thing(id) => self.things.contains_key(id) && self.is_refused(false, id).is_none(),
            Selection::Source(name) => self.sources.iter().any(|spec| spec.name == *name),
            Selection::Tenant => true,
        };
        refuse_if(!there, "not_found")?;
        let what = What::Hold(c.selection.clone(), c.reason.clone());
        let since_us = self.log(Kind::HoldSet, c.actor, time_us, what);
        let hold = (c.selection.clone(), c.reason.clone(), c.actor.0, since_us);
        self.holds.insert(self.log.len() as u64, hold);
        self.answer(Effect::Created)
    }

    pub(super) fn remove_hold(&mut self, c: &RemoveHold, time_us: i64) -> Answer {
        self.holds.remove(&c.hold.0).ok_or("not_found")?;
        self.log(Kind::HoldRemoved, c.actor, time_us, What::Number(c.hold.0));
        self.answer(Effect::Done)
    }

    pub(super) fn purge_things(&mut self, c: &PurgeThings) -> Answer {
        let mut bodies = BTreeSet::new();
        for number in &c.things {
            let place = number.0 as usize;
            let Some(id) = place.checked_sub(1).and_then(|place| self.unseen.numbers.get(place)).cloned()
            else {
                continue;
            };
            if self.is_there(number.0) && !self.is_thing_held(&id) {
                self.purge_thing(&id, c.now_us, &mut bodies);
            }
        }
        self.blank(&bodies);
        self.answer(if bodies.is_empty() { Effect::Unchanged } else { Effect::Updated })
    }

    fn purge_thing(&mut self, id: &str, now_us: i64, bodies: &mut BTreeSet<u64>) {
        let held: BTreeSet<u32> = (1..=self.sources.len() as u32)
            .filter(|source| {
                let name = Selection::Source(self.sources[*source as usize - 1].name.clone());
                self.holds.values().any(|hold| hold.0 == name || hold.0 == Selection::Tenant)
            })
            .collect();
        let labels = self.labels.clone();
        let over = |label: u32, held: &Held| is_over(&labels[label as usize - 1], held, now_us);
        let thing = self.things.get_mut(id).expect("it is there");
        let goes =
            |before: &(u32, u32, Held, u64, i64)| over(before.1, &before.2) && !held.contains(&before.0);
        bodies.extend(thing.before.iter().filter(|(_, before)| goes(before)).map(|(lsn, _)| *lsn));
        thing.before.retain(|_, before| !goes(before));
        bodies.extend(
            thing.said.iter().filter(|((_, label), held)| over(*label, held)).map(|(_, held)| held.lsn),
        );
        thing.said.retain(|(_, label), held| !over(*label, held));
        let bare = thing.said.is_empty() && thing.before.is_empty();
        self.redraw_all();
        if bare && !self.edges.iter().any(|link| link.from == id || link.to == id) {
            self.things.remove(id);
        }
    }

    pub(super) fn sweep_log(&mut self, replaced_before_us: i64, below: u64, time_us: i64) -> Answer {
        let bodies = self.sweep(time_us, Some((replaced_before_us, below)));
        self.blank(&bodies);
        STEP
    }

    pub(super) fn end_purge(&mut self, c: &EndPurge, time_us: i64) -> Answer {
        let erased = self.log.iter().filter(|entry| entry.what == What::Erased).count() as u64;
        let records = erased.saturating_sub(c.erased_before);
        if records == 0 {
            return self.answer(Effect::Unchanged);
        }
        self.log(Kind::Purged, c.actor, time_us, What::Done(0, records));
        self.answer(Effect::Done)
    }
}

fn is_over(label: &storage::model::Label, held: &Held, now_us: i64) -> bool {
    let days = match (label.retention.as_str(), label.personal) {
        ("legal-hold", _) => return false,
        ("ephemeral-7d", _) => 7,
        (_, true) | ("short-30d", _) => 30,
        ("standard-365d", _) => 365,
        _ => 1825,
    };
    let from_us = held.assertion.until_us.map_or(held.asserted_us, |until| until.max(held.asserted_us));
    from_us + days * DAY_US <= now_us
}
