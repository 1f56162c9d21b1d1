//! The orders that one question has in several ways. What the legs find depends on no weight, so they are asked once.

use index::text::Hits;
use storage::ids::{LabelId, ThingId};

use super::{Legs, Met, Mode};
use crate::search::fuse::{Candidate, Fusion, fuse};
use crate::search::reason::Reason;
use crate::search::stage::Stages;

/// A way to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// What is looked at.
    pub mode: Mode,
    /// How much words count, from 0 to 1.
    pub weight: f64,
}

/// Things, best first, each with the label of the assertion that is shown.
pub type Order = Vec<(ThingId, LabelId)>;

/// Asks both legs for the order of each way, as the pages of an answer lead through it; or why nothing was looked for by meaning.
///
/// # Errors
/// As for a search by words.
pub fn run(
    legs: &Legs<'_>,
    ways: &[Way],
    stages: &Stages,
    late: &dyn Fn() -> bool,
) -> index::Result<Result<Vec<Order>, Reason>> {
    let stage = stages.begin(legs.asked(), legs.budget);
    let words = legs.words(late)?;
    let met = match stage {
        // What was not looked at in time would be missing in one order and not in another.
        Ok(_) if !words.complete => Err(Reason::Deadline),
        Ok(mut stage) => legs.meet(&words, &mut stage)?,
        Err(reason) => Err(reason),
    };
    Ok(met.map(|met| ways.iter().map(|way| legs.order(*way, &words, &met)).collect()))
}

/// What words alone found, in their order.
#[must_use]
pub fn of_words(words: &Hits) -> Order {
    words.hits.iter().map(|hit| (hit.thing, hit.label)).collect()
}

impl Legs<'_> {
    fn order(&self, way: Way, words: &Hits, met: &Met) -> Order {
        // By meaning alone, what only words found is no hit.
        let is_found = |candidate: &&Candidate| candidate.vector.rank.is_some();
        let candidates: Vec<Candidate> = match way.mode {
            Mode::Keyword => return of_words(words),
            Mode::Vector => met.candidates.iter().filter(is_found).cloned().collect(),
            Mode::Hybrid => met.candidates.clone(),
        };
        let keyword_weight = if way.mode == Mode::Vector { 0.0 } else { way.weight };
        let fused =
            fuse(&candidates, &Fusion { method: self.method, keyword_weight, coverage: met.coverage });
        let shown = |thing: ThingId| met.shown.get(&thing).map(|(label, _)| (thing, *label));
        fused.ranked.iter().filter_map(|ranked| shown(ranked.thing)).collect()
    }
}
