//! How many relations of each kind a thing has, at each of its ends.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use storage::ids::{SymbolId, ThingId};
use storage::{End, Result};

use super::Reader;
use crate::policy::Action;

/// So many visible edges of a thing are counted at each end; of a thing with more it is said that there are more.
pub const EDGES_COUNTED_MAX: usize = 20_000;

/// How the relations of a thing are made up.
#[derive(Clone, Debug)]
pub struct Kinds {
    /// By end and kind; those that leave the thing first, then by how many there are.
    pub counts: Vec<KindCount>,
    /// Whether every edge was counted.
    pub complete: bool,
}

/// So many relations of one kind at one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindCount {
    /// The kind.
    pub kind: String,
    /// At which end.
    pub end: End,
    /// How many.
    pub count: u64,
}

impl Reader<'_> {
    /// The kinds of relations of a thing that the reader may see, with both their ends; `None` if the thing itself may not
    /// be seen.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn kinds(&self, id: &str, as_of_us: Option<i64>) -> Result<Option<Kinds>> {
        let Some((thing, _)) = self.find(id, as_of_us)? else { return Ok(None) };
        self.uses.filtered(Action::RelationRead, &self.relations);
        let mut kinds = Kinds { counts: Vec::new(), complete: true };
        for end in [End::Out, End::In] {
            self.count(&mut kinds, thing, end, as_of_us)?;
        }
        Ok(Some(kinds))
    }

    fn count(&self, kinds: &mut Kinds, thing: ThingId, end: End, as_of_us: Option<i64>) -> Result<()> {
        let mut counts: BTreeMap<SymbolId, u64> = BTreeMap::new();
        let mut counted = 0;
        self.view.edges(self.tenant, thing, end, None, None, &mut |edge| {
            if self.drawn(thing, end, edge, as_of_us)?.is_none() {
                return Ok(ControlFlow::Continue(()));
            }
            if counted == EDGES_COUNTED_MAX {
                kinds.complete = false;
                return Ok(ControlFlow::Break(()));
            }
            counted += 1;
            *counts.entry(edge.kind).or_default() += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        let mut named = Vec::new();
        for (kind, count) in counts {
            named.push(KindCount { kind: self.view.word(self.tenant, kind)?, end, count });
        }
        named.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.kind.cmp(&b.kind)));
        kinds.counts.extend(named);
        Ok(())
    }
}
