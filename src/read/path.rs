//! Paths between two things, over what the reader may see.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use storage::ids::{LabelId, SymbolId, ThingId};
use storage::rows::SaidRow;
use storage::{Edge, End, Result};

use super::{Reader, draws};
use crate::policy::Action;

/// Most paths in an answer.
pub const PATHS_MAX: usize = 25;
/// A search that has looked at so many edges ends with what it has, and says so.
const EDGES_MAX: usize = 1_000_000;

/// Paths, shortest first.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// The ids of the things along each path, both ends included.
    pub paths: Vec<Vec<String>>,
    /// Whether there may be more than were looked for.
    pub truncated: bool,
}

struct Walk<'r, 'v> {
    reader: &'r Reader<'v>,
    kind: Option<SymbolId>,
    stop: &'r dyn Fn() -> bool,
    visible: HashMap<ThingId, bool>,
    neighbours: HashMap<ThingId, Vec<ThingId>>,
    edges_left: usize,
    truncated: bool,
}

impl Reader<'_> {
    /// The shortest paths of at most `depth` hops, walked in either direction; `None` if an end may
    /// not be seen.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn paths(
        &self,
        from: &str,
        to: &str,
        depth: usize,
        kind: Option<&str>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Paths>> {
        let (Some((from, _)), Some((to, _))) = (self.find(from, None)?, self.find(to, None)?) else {
            return Ok(None);
        };
        let kind = kind.map(|kind| self.view.symbol(self.tenant, kind)).transpose()?;
        // A kind that nobody ever said is walked like one that is hidden: not at all, but a thing still leads to itself.
        let depth = if kind == Some(None) { 0 } else { depth };
        let mut walk = Walk {
            reader: self,
            kind: kind.flatten(),
            stop,
            visible: HashMap::new(),
            neighbours: HashMap::new(),
            edges_left: EDGES_MAX,
            truncated: false,
        };
        let found = walk.shortest(from, to, depth)?;
        self.uses.filtered(Action::RelationRead, &self.relations);
        let name = |thing: &ThingId| self.shown_id(*thing);
        let paths = found.iter().map(|path| path.iter().map(name).collect()).collect::<Result<_>>()?;
        Ok(Some(Paths { paths, truncated: walk.truncated }))
    }
}

impl Reader<'_> {
    /// The id of a thing on a path, which tells that the thing is there.
    fn shown_id(&self, thing: ThingId) -> Result<String> {
        let row = self.view.thing(self.tenant, thing)?;
        let form = row.form()?;
        self.said(thing, &row, None)?.iter().for_each(|said| self.note(form, said));
        Ok(row.id)
    }
}

impl Walk<'_, '_> {
    /// All shortest paths: two fronts grow towards each other, always the smaller one, until they meet.
    fn shortest(&mut self, from: ThingId, to: ThingId, depth: usize) -> Result<Vec<Vec<ThingId>>> {
        if from == to {
            return Ok(vec![vec![from]]);
        }
        let mut ahead = Front::at(from);
        let mut behind = Front::at(to);
        for _ in 0..depth {
            let smaller = if ahead.edge.len() <= behind.edge.len() { &mut ahead } else { &mut behind };
            smaller.grow(self)?;
            let meeting: Vec<ThingId> =
                ahead.edge.iter().copied().filter(|thing| behind.edge.contains(thing)).collect();
            if !meeting.is_empty() {
                return Ok(self.join(&ahead, &behind, &meeting));
            }
            if ahead.edge.is_empty() || behind.edge.is_empty() {
                break;
            }
        }
        Ok(Vec::new())
    }

    fn join(&mut self, ahead: &Front, behind: &Front, meeting: &[ThingId]) -> Vec<Vec<ThingId>> {
        let mut paths = Vec::new();
        let mut meeting = meeting.to_vec();
        meeting.sort_unstable();
        for middle in meeting {
            for start in ahead.ways(middle) {
                for end in behind.ways(middle) {
                    if paths.len() == PATHS_MAX {
                        self.truncated = true;
                        return paths;
                    }
                    paths.push(start.iter().rev().chain(&end[1..]).copied().collect());
                }
            }
        }
        paths
    }

    /// The visible things one hop away.
    fn neighbours(&mut self, thing: ThingId) -> Result<Vec<ThingId>> {
        if let Some(known) = self.neighbours.get(&thing) {
            return Ok(known.clone());
        }
        let mut edges = Vec::new();
        for end in [End::Out, End::In] {
            let reader = self.reader;
            reader.view.edges(reader.tenant, thing, end, self.kind, None, &mut |edge| {
                edges.push((end, edge));
                self.edges_left = self.edges_left.saturating_sub(1);
                let go_on = self.edges_left > 0 && (!edges.len().is_multiple_of(256) || !(self.stop)());
                self.truncated |= !go_on;
                Ok(if go_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            })?;
        }
        let mut near = Vec::new();
        for (end, edge) in edges {
            if self.relation_holds(thing, end, edge)? && self.is_visible(edge.other)? {
                near.push(edge.other);
            }
        }
        near.sort_unstable();
        near.dedup();
        self.neighbours.insert(thing, near.clone());
        Ok(near)
    }

    fn relation_holds(&self, near: ThingId, end: End, edge: Edge) -> Result<bool> {
        let reader = self.reader;
        if edge.label != LabelId::SYSTEM && !reader.relations.contains(edge.label) {
            return Ok(false);
        }
        let row = reader.view.thing(reader.tenant, edge.relation)?;
        let said = reader.said(edge.relation, &row, None)?;
        Ok(said.iter().any(|said| said.is_active() && draws(said, near, end, edge)))
    }

    fn is_visible(&mut self, thing: ThingId) -> Result<bool> {
        if let Some(known) = self.visible.get(&thing) {
            return Ok(*known);
        }
        let row = self.reader.view.thing(self.reader.tenant, thing)?;
        let visible = self.reader.said(thing, &row, None)?.iter().any(SaidRow::is_active);
        self.visible.insert(thing, visible);
        Ok(visible)
    }
}

/// Everything within some hops of a thing, and by which neighbours it was reached.
struct Front {
    reached_by: HashMap<ThingId, Vec<ThingId>>,
    edge: HashSet<ThingId>,
}

impl Front {
    fn at(thing: ThingId) -> Front {
        Front { reached_by: HashMap::from([(thing, Vec::new())]), edge: HashSet::from([thing]) }
    }

    fn grow(&mut self, walk: &mut Walk<'_, '_>) -> Result<()> {
        let mut next: HashMap<ThingId, Vec<ThingId>> = HashMap::new();
        for thing in &self.edge {
            if (walk.stop)() {
                walk.truncated = true;
                break;
            }
            for near in walk.neighbours(*thing)? {
                if !self.reached_by.contains_key(&near) {
                    next.entry(near).or_default().push(*thing);
                }
            }
        }
        self.edge = next.keys().copied().collect();
        self.reached_by.extend(next);
        Ok(())
    }

    /// Every way from `thing` back to where the front began, `thing` first; at most [`PATHS_MAX`].
    fn ways(&self, thing: ThingId) -> Vec<Vec<ThingId>> {
        let Some(by) = self.reached_by.get(&thing) else { return Vec::new() };
        if by.is_empty() {
            return vec![vec![thing]];
        }
        let onward = by.iter().flat_map(|near| self.ways(*near));
        onward.take(PATHS_MAX).map(|way| [vec![thing], way].concat()).collect()
    }
}
