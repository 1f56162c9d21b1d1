//! What a reader may see of things that are drawn, and of what joins them. What is withdrawn by all who said it is left out,
//! as on paths; a thing is drawn all the same if it is asked for by its id.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use storage::ids::{LabelId, SymbolId, ThingId};
use storage::model::{Base, Form, Status};
use storage::rows::SaidRow;
use storage::{Edge, End, Result};

use super::{Reader, draws, entity};
use crate::policy::Action;

/// A drawing that has looked at so many edges shows what it has, and says so.
const EDGES_MAX: usize = 1_000_000;

/// Reads things and what joins them for one drawing, and remembers what it looked at.
pub struct Drawing<'r, 'v> {
    reader: &'r Reader<'v>,
    as_of_us: Option<i64>,
    stop: &'r dyn Fn() -> bool,
    visible: HashMap<ThingId, bool>,
    words: HashMap<SymbolId, String>,
    edges_left: usize,
    truncated: bool,
    shown: Shown,
}

/// The labels under which something was shown: of things, and of relations.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Of things.
    pub things: BTreeSet<LabelId>,
    /// Of relations.
    pub relations: BTreeSet<LabelId>,
}

/// A thing as it is drawn.
#[derive(Clone, Debug)]
pub struct Node {
    /// The thing.
    pub thing: ThingId,
    /// Its id.
    pub id: String,
    /// Its type, as given.
    pub thing_type: String,
    /// The canonical type that its type was mapped to, if it was.
    pub base: Option<Base>,
    /// The best visible name, else the id.
    pub title: String,
    /// Active if any visible source stands by it.
    pub status: Status,
}

/// To how many things something leads, in all and by kind and direction.
#[derive(Clone, Debug, Default)]
pub struct Degree {
    /// In all: one that is reached in two ways is counted once.
    pub all: usize,
    /// By kind and end, in order.
    pub by_kind: Vec<(String, End, usize)>,
}

/// The relations of one kind that lead from one thing to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Tie {
    /// The thing they leave.
    pub from: ThingId,
    /// The thing they point to.
    pub to: ThingId,
    /// Their kind.
    pub kind: String,
    /// How many they are.
    pub relations: usize,
    /// The greatest weight of any.
    pub weight: Option<f64>,
}

/// A kind and a direction in which neighbours are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The relation's kind.
    pub kind: String,
    /// At which end of it the thing stands.
    pub end: End,
}

/// Which neighbours come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Those of the weightiest relation, then of the most.
    Strongest,
    /// Those whose relation was recorded last.
    Newest,
    /// Those that lead to most things.
    MostConnected,
    /// Those that lead to fewest.
    LeastConnected,
}

/// A relation that holds, seen from the thing at one of its ends.
struct Link {
    end: End,
    kind: SymbolId,
    other: ThingId,
    said: SaidRow,
}

/// What joins a thing to a neighbour.
#[derive(Clone, Copy, Default)]
struct Bond {
    relations: usize,
    weight: Option<f64>,
    newest_us: i64,
}

impl<'v> Reader<'v> {
    /// Begins to read for a drawing of now, or of a time.
    pub fn drawing<'r>(&'r self, as_of_us: Option<i64>, stop: &'r dyn Fn() -> bool) -> Drawing<'r, 'v> {
        self.uses.filtered(Action::EntityRead, &self.entities);
        self.uses.filtered(Action::RelationRead, &self.relations);
        Drawing {
            reader: self,
            as_of_us,
            stop,
            visible: HashMap::new(),
            words: HashMap::new(),
            edges_left: EDGES_MAX,
            truncated: false,
            shown: Shown::default(),
        }
    }

    /// Whether the reader may see everything that has one of these labels.
    #[must_use]
    pub fn sees(&self, things: &[u32], relations: &[u32]) -> bool {
        things.iter().all(|label| self.entities.contains(LabelId(*label)))
            && relations.iter().all(|label| self.relations.contains(LabelId(*label)))
    }
}

impl Drawing<'_, '_> {
    /// Whether it ended before everything was looked at.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The labels of all that it has shown.
    #[must_use]
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// The thing of an id, if the reader may know of it.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn find(&self, id: &str) -> Result<Option<ThingId>> {
        Ok(self.reader.find(id, self.as_of_us)?.map(|(thing, _)| thing))
    }

    /// A thing as it is drawn; `None` if the reader may not know of it.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn node(&mut self, thing: ThingId) -> Result<Option<Node>> {
        let reader = self.reader;
        let row = reader.view.thing(reader.tenant, thing)?;
        let statements = reader.statements(thing, &row, self.as_of_us)?;
        let Some(first) = statements.first() else { return Ok(None) };
        let shown = match row.form()? {
            Form::Entity => &mut self.shown.things,
            Form::Relation => &mut self.shown.relations,
        };
        shown.extend(statements.iter().map(|statement| statement.said.label()));
        Ok(Some(Node {
            thing,
            title: entity::title(&statements).unwrap_or_else(|| row.id.clone()),
            status: entity::status(&statements),
            base: Base::from_code(first.assertion.base).ok(),
            thing_type: self.word(row.symbol())?,
            id: row.id,
        }))
    }

    /// What joins these things to each other, each pair and kind once, in order.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn ties_among(&mut self, things: &HashSet<ThingId>) -> Result<Vec<Tie>> {
        self.ties(things, things)
    }

    /// What joins the things in `new` to those in `all`, where they are too.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn ties(&mut self, new: &HashSet<ThingId>, all: &HashSet<ThingId>) -> Result<Vec<Tie>> {
        let mut bonds: BTreeMap<(ThingId, ThingId, SymbolId), Bond> = BTreeMap::new();
        let mut near: Vec<_> = new.iter().copied().collect();
        near.sort_unstable();
        for thing in near {
            for link in self.links(thing, Some(all))? {
                // Between two that are new it is met from both ends.
                if link.end == End::In && new.contains(&link.other) {
                    continue;
                }
                let (from, to) = if link.end == End::Out { (thing, link.other) } else { (link.other, thing) };
                self.shown.relations.insert(link.said.label());
                self.reader.note(Form::Relation, &link.said);
                bonds.entry((from, to, link.kind)).or_default().add(&link.said);
            }
        }
        let tie = |((from, to, kind), bond): ((ThingId, ThingId, SymbolId), Bond)| {
            let (relations, weight) = (bond.relations, bond.weight);
            Ok(Tie { from, to, kind: self.word(kind)?, relations, weight })
        };
        bonds.into_iter().map(tie).collect()
    }

    /// The neighbours of a thing that are wanted, in order; none of those in `except`.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn neighbours(
        &mut self,
        thing: ThingId,
        wishes: &[Wish],
        order: Order,
        except: &HashSet<ThingId>,
    ) -> Result<Vec<ThingId>> {
        let mut bonds: BTreeMap<ThingId, Bond> = BTreeMap::new();
        for link in self.links(thing, None)? {
            let kind = self.word(link.kind)?;
            let wanted =
                wishes.is_empty() || wishes.iter().any(|wish| wish.kind == kind && wish.end == link.end);
            if wanted && link.other != thing && !except.contains(&link.other) {
                bonds.entry(link.other).or_default().add(&link.said);
            }
        }
        self.ordered(bonds, order)
    }

    fn ordered(&mut self, bonds: BTreeMap<ThingId, Bond>, order: Order) -> Result<Vec<ThingId>> {
        let mut ranked = Vec::with_capacity(bonds.len());
        for (thing, bond) in bonds {
            let rank = match order {
                Order::Strongest => (ordinal(bond.weight.unwrap_or(f64::MIN)), bond.relations as i64),
                Order::Newest => (bond.newest_us, 0),
                Order::MostConnected => (self.neighbour_count(thing)? as i64, 0),
                Order::LeastConnected => (-(self.neighbour_count(thing)? as i64), 0),
            };
            ranked.push((Reverse(rank), thing));
        }
        ranked.sort_unstable();
        Ok(ranked.into_iter().map(|(_, thing)| thing).collect())
    }

    fn neighbour_count(&mut self, thing: ThingId) -> Result<usize> {
        let others = self.links(thing, None)?.into_iter().map(|link| link.other);
        Ok(others.filter(|other| *other != thing).collect::<HashSet<_>>().len())
    }

    /// To how many things a thing leads.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn degree(&mut self, thing: ThingId) -> Result<Degree> {
        let mut all = HashSet::new();
        let mut by_kind: BTreeMap<(String, bool), HashSet<ThingId>> = BTreeMap::new();
        for link in self.links(thing, None)?.into_iter().filter(|link| link.other != thing) {
            all.insert(link.other);
            by_kind.entry((self.word(link.kind)?, link.end == End::In)).or_default().insert(link.other);
        }
        let count = |((kind, into), others): ((String, bool), HashSet<ThingId>)| {
            (kind, if into { End::In } else { End::Out }, others.len())
        };
        Ok(Degree { all: all.len(), by_kind: by_kind.into_iter().map(count).collect() })
    }

    /// What holds between a thing that may be seen and others that may, or those of them in `among`.
    fn links(&mut self, thing: ThingId, among: Option<&HashSet<ThingId>>) -> Result<Vec<Link>> {
        let mut links = Vec::new();
        for end in [End::Out, End::In] {
            for edge in self.edges(thing, end, among)? {
                if let Some(said) = self.holds(thing, end, edge)?
                    && self.is_visible(edge.other)?
                {
                    links.push(Link { end, kind: edge.kind, other: edge.other, said });
                }
            }
        }
        Ok(links)
    }

    fn edges(&mut self, thing: ThingId, end: End, among: Option<&HashSet<ThingId>>) -> Result<Vec<Edge>> {
        let (reader, mut edges) = (self.reader, Vec::new());
        reader.view.edges(reader.tenant, thing, end, None, None, &mut |edge| {
            if among.is_none_or(|among| among.contains(&edge.other)) {
                edges.push(edge);
            }
            self.edges_left = self.edges_left.saturating_sub(1);
            let go_on = self.edges_left > 0 && (!self.edges_left.is_multiple_of(256) || !(self.stop)());
            self.truncated |= !go_on;
            Ok(if go_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(edges)
    }

    /// What is said by who draws an edge and stands by it, recorded last.
    fn holds(&self, near: ThingId, end: End, edge: Edge) -> Result<Option<SaidRow>> {
        let reader = self.reader;
        let hidden = edge.label != LabelId::SYSTEM && !reader.relations.contains(edge.label);
        if hidden && self.as_of_us.is_none() {
            return Ok(None);
        }
        let row = reader.view.thing(reader.tenant, edge.relation)?;
        let said = reader.said(edge.relation, &row, self.as_of_us)?.into_iter();
        Ok(said.filter(|said| said.is_active() && draws(said, near, end, edge)).max_by_key(|said| said.lsn))
    }

    /// Whether somebody stands by a thing, as far as the reader may see.
    fn is_visible(&mut self, thing: ThingId) -> Result<bool> {
        if let Some(known) = self.visible.get(&thing) {
            return Ok(*known);
        }
        let reader = self.reader;
        let row = reader.view.thing(reader.tenant, thing)?;
        let visible = reader.readable(thing, &row, self.as_of_us)?.iter().any(SaidRow::is_active);
        self.visible.insert(thing, visible);
        Ok(visible)
    }

    fn word(&mut self, symbol: SymbolId) -> Result<String> {
        if let Some(word) = self.words.get(&symbol) {
            return Ok(word.clone());
        }
        let word = self.reader.view.word(self.reader.tenant, symbol)?;
        self.words.insert(symbol, word.clone());
        Ok(word)
    }
}

impl Bond {
    fn add(&mut self, said: &SaidRow) {
        self.relations += 1;
        self.newest_us = self.newest_us.max(said.recorded_us);
        self.weight = match (self.weight, said.weight) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
    }
}

/// A number in the order of floats; those that are none are never stored.
fn ordinal(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
}
