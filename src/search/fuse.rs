//! Fusion: what words found and what meaning found become one order. Pure arithmetic, of raw scores alone.
//!
//! Each leg is divided by its best score, so that neither its scale nor how many were found says anything, and nothing is
//! subtracted: the last of a good list is not worth nothing, and the best of a bad one is not worth all. `docs/search.md`
//! has the formula for who reads answers.

use std::cmp::Ordering;

use storage::ids::ThingId;

/// What words count against meaning, unless a query or its tenant says otherwise.
pub const KEYWORD_WEIGHT: f64 = 0.7;
/// Where the best hit has less than this share of the question's words, rare ones counting more, words count for less.
pub const COVERAGE_MIN: f64 = 0.8;
/// What is added to a rank before it is inverted.
const RANK_CONSTANT: f64 = 60.0;

/// How two legs become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The weighted sum of what each is worth against the best of its leg.
    #[default]
    Scores,
    /// The weighted sum of inverted ranks: scores say nothing. For comparison.
    Ranks,
}

/// How to fuse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fusion {
    /// How.
    pub method: Method,
    /// What words count, from 0 to 1; meaning has the rest.
    pub keyword_weight: f64,
    /// The share of the question's words that its best hit has.
    pub coverage: f64,
}

/// A thing that either leg found, with what each says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The thing.
    pub thing: ThingId,
    /// What words say of it.
    pub keyword: Said,
    /// What meaning says of it.
    pub vector: Said,
}

/// What a leg says of a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Said {
    /// BM25 or a cosine; `None` if there is nothing to say.
    pub raw: Option<f64>,
    /// Its rank among what the leg found, from 1; `None` if the leg did not find it, and was asked afterwards.
    pub rank: Option<u32>,
}

/// A thing in the order of both.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The thing.
    pub thing: ThingId,
    /// From 0 to 1: what it is ordered by.
    pub score: f64,
    /// Raw, and where it stands in its leg.
    pub keyword: Said,
    /// The same of meaning.
    pub vector: Said,
    /// What it is worth in each leg, from 0 to 1: before the weight.
    pub keyword_worth: f64,
    /// The same of meaning.
    pub vector_worth: f64,
}

/// The order of both.
#[derive(Clone, Debug, PartialEq)]
pub struct Fused {
    /// Best first.
    pub ranked: Vec<Ranked>,
    /// The weight of words that was used: 1 where meaning has nothing to say, 0 where words have not.
    pub keyword_weight: f64,
    /// The best raw score of each leg: what the others are divided by.
    pub keyword_max: f64,
    /// The same of meaning.
    pub vector_max: f64,
    /// Candidates with a score that is no number.
    pub dropped: usize,
}

/// Puts candidates, each thing once, into one order. Their own order makes no difference.
#[must_use]
pub fn fuse(candidates: &[Candidate], fusion: &Fusion) -> Fused {
    let sound: Vec<&Candidate> = candidates.iter().filter(|candidate| is_sound(candidate)).collect();
    let max = |said: fn(&Candidate) -> Said| {
        sound.iter().filter_map(|candidate| said(candidate).raw).fold(0.0, f64::max)
    };
    let (keyword_max, vector_max) = (max(|candidate| candidate.keyword), max(|candidate| candidate.vector));
    let keyword_weight = match (keyword_max > 0.0, vector_max > 0.0) {
        (_, false) => 1.0,
        (false, true) => 0.0,
        (true, true) => fusion.keyword_weight,
    };
    // Alone, words are worth what they are worth in a search for words.
    let trust = if vector_max > 0.0 { trust(fusion.coverage) } else { 1.0 };
    let worth = |candidate: &&Candidate| {
        let (keyword_worth, vector_worth) = match fusion.method {
            Method::Scores => {
                (share(candidate.keyword, keyword_max) * trust, share(candidate.vector, vector_max))
            }
            Method::Ranks => (inverted(candidate.keyword), inverted(candidate.vector)),
        };
        Ranked {
            thing: candidate.thing,
            score: keyword_weight * keyword_worth + (1.0 - keyword_weight) * vector_worth,
            keyword: candidate.keyword,
            vector: candidate.vector,
            keyword_worth,
            vector_worth,
        }
    };
    let mut ranked: Vec<Ranked> = sound.iter().map(worth).collect();
    ranked.sort_unstable_by(order);
    let dropped = candidates.len() - sound.len();
    Fused { ranked, keyword_weight, keyword_max, vector_max, dropped }
}

fn is_sound(candidate: &Candidate) -> bool {
    [candidate.keyword, candidate.vector].iter().filter_map(|said| said.raw).all(f64::is_finite)
}

/// Neither leg's zero moves: BM25 has none below, and what points away is as far as what has nothing to do with it.
fn share(said: Said, max: f64) -> f64 {
    if max > 0.0 { said.raw.unwrap_or_default().max(0.0) / max } else { 0.0 }
}

/// From 0 to 1, the first having 1.
fn inverted(said: Said) -> f64 {
    said.rank.map_or(0.0, |rank| (RANK_CONSTANT + 1.0) / (RANK_CONSTANT + f64::from(rank)))
}

/// The best of hits that have little of the question is not worth all.
fn trust(coverage: f64) -> f64 {
    (coverage / COVERAGE_MIN).clamp(0.0, 1.0)
}

/// The best first; of equals that which has more of the words, and then the older thing.
fn order(one: &Ranked, other: &Ranked) -> Ordering {
    let words = |ranked: &Ranked| ranked.keyword.raw.unwrap_or_default();
    other
        .score
        .total_cmp(&one.score)
        .then_with(|| words(other).total_cmp(&words(one)))
        .then_with(|| one.thing.cmp(&other.thing))
}

#[cfg(test)]
mod tests;
