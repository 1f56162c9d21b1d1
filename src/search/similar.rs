//! What is like a thing: near to what is said of it, as far as whoever asks may see that. Its own vectors are stored, so no model
//! is asked.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use index::text::Highlighter;
use index::vector::Near;
use storage::View;
use storage::ids::ThingId;

use super::describe::{Describe, Place};
use super::plan::Outcome;
use super::reason::Reason;
use super::stage::{Among, Meaning};
use super::{Answer, Hit, Legs, labels};
use crate::app::App;
use crate::gateway::Failure;
use crate::policy::{Action, Principal};

/// Passages of a thing that others are compared with.
const PASSAGES_MAX: usize = 8;

/// Things that are like one, the most first; `None` if there is no such thing for whoever asks.
pub(crate) fn similar(
    app: &App,
    principal: &Principal,
    view: &View,
    (id, limit): (&str, usize),
    late: &dyn Fn() -> bool,
) -> Result<Option<Answer>, Failure> {
    let begun = Instant::now();
    let deadline = begun + Duration::from_millis(app.config.vector_budget_ms);
    let Some((thing, row)) = view.thing_by_id(principal.tenant, id)? else { return Ok(None) };
    if app.reader(view, principal)?.readable(thing, &row, None)?.is_empty() {
        return Ok(None);
    }
    let allowed = app.allowed(view, principal, Action::EntitySearch)?;
    let among = Among {
        labels: labels(app, view, principal, &allowed)?,
        form: None,
        time: None,
        include_revoked: false,
    };
    let meaning = match app.vector_preview(view, principal.tenant)? {
        true => app.meaning(principal.tenant),
        false => Err(Reason::FlagOff),
    };
    let stop = || Instant::now() >= deadline || late();
    let found = meaning.and_then(|meaning| {
        let near = near(&*meaning, thing, limit, &among, &stop)?;
        Ok((near, meaning.position()))
    });
    let (near, vector) = match found {
        Ok((near, lsn)) => (near, Outcome { reason: None, took: begun.elapsed(), lsn: Some(lsn) }),
        Err(reason) => (Vec::new(), Outcome::without(reason)),
    };
    let highlighter = Highlighter::default();
    let describe = Describe::new(app, principal, view, &highlighter)?;
    describe.filtered(&allowed);
    let best = near.first().map_or(0.0, |near| f64::from(near.cosine));
    let mut hits: Vec<Hit> = Vec::with_capacity(near.len());
    for (rank, near) in (1..).zip(near) {
        let place = Place { thing: near.thing, label: near.label, passage: Some(near.passage) };
        hits.extend(describe.hit(&allowed, &place, legs(rank, near.cosine.into(), best))?);
    }
    let lsn = vector.lsn.unwrap_or_default();
    let (next, facets, complete, window_exhausted) = (None, None, true, false);
    let took = begun.elapsed();
    Ok(Some(Answer { hits, next, facets, lsn, took, complete, vector, window_exhausted }))
}

/// The nearest to any of its passages, itself left out.
fn near(
    meaning: &dyn Meaning,
    thing: ThingId,
    limit: usize,
    among: &Among,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Near>, Reason> {
    let mut best: HashMap<ThingId, Near> = HashMap::new();
    // What its source took back is like others all the same.
    let own = Among { include_revoked: true, ..among.clone() };
    for vector in meaning.stored(thing, PASSAGES_MAX, &own)? {
        for near in meaning.nearest(&vector, limit + 1, among, stop)? {
            let known = best.get(&near.thing).is_some_and(|known| known.cosine >= near.cosine);
            if near.thing != thing && !known {
                best.insert(near.thing, near);
            }
        }
    }
    let mut best: Vec<Near> = best.into_values().collect();
    best.sort_by(|one, other| other.cosine.total_cmp(&one.cosine).then(one.thing.cmp(&other.thing)));
    best.truncate(limit);
    Ok(best)
}

fn legs(rank: u32, cosine: f64, best: f64) -> (f64, Legs) {
    let vector = if best > 0.0 { cosine.max(0.0) / best } else { 0.0 };
    let legs = Legs {
        keyword_raw: 0.0,
        keyword: 0.0,
        vector_raw: Some(cosine),
        vector: Some(vector),
        weight: 0.0,
        keyword_rank: None,
        vector_rank: Some(rank),
    };
    (vector, legs)
}
