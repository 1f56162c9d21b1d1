//! Which weight of words against meaning serves judged queries best, and whether that would hold for others.
//!
//! The best of several weights on the queries by which it was chosen flatters itself. So each fifth of the queries is also
//! answered with the weight that is best on the other four: what comes of that is what to expect.

use serde::Serialize;

use super::significance::Comparison;

/// Weights that are tried.
pub const WEIGHTS: [f64; 11] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
/// Fewer judged queries say nothing.
const QUERIES_MIN: usize = 10;
/// Parts of the queries.
const FOLDS: usize = 5;

/// A weight and what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// How much words count, from 0 to 1.
    pub weight: f64,
    /// The mean over all queries.
    pub ndcg_at_10: f64,
}

/// What tuning found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tuned {
    /// The best weight.
    pub weight: f64,
    /// What it is worth on the queries by which it was chosen.
    pub ndcg_at_10: f64,
    /// What choosing a weight so is worth on queries by which it was not chosen.
    pub cross_validated: f64,
    /// The weight that it is compared with.
    pub current: f64,
    /// What is worth what: every weight, in order.
    pub curve: Vec<Point>,
    /// The cross-validated beside the current weight, query by query.
    pub against_current: Comparison,
}

/// Refuses queries that are too few to say anything.
///
/// # Errors
/// How many there are, and how many it takes.
pub fn enough(queries: usize) -> Result<(), String> {
    if queries >= QUERIES_MIN {
        return Ok(());
    }
    Err(format!("{queries} judged queries; a weight is chosen by {QUERIES_MIN} or more"))
}

/// Tunes on the nDCG of each query, in the order of `weights`, of which `current` is one.
#[must_use]
pub fn tune(weights: &[f64], current: f64, queries: &[Vec<f64>]) -> Tuned {
    let all: Vec<usize> = (0..queries.len()).collect();
    let chosen = best(weights, current, queries, &all);
    let folds = FOLDS.min(queries.len()).max(1);
    let held_back = |at: usize| {
        let others: Vec<usize> = all.iter().copied().filter(|other| other % folds != at % folds).collect();
        best(weights, current, queries, &others)
    };
    let by_fold: Vec<usize> = (0..folds).map(held_back).collect();
    let validated: Vec<f64> = all.iter().map(|at| queries[*at][by_fold[at % folds]]).collect();
    let before = weights.iter().position(|weight| *weight == current).unwrap_or(chosen);
    let unchanged: Vec<f64> = queries.iter().map(|query| query[before]).collect();
    let point = |at: usize| Point { weight: weights[at], ndcg_at_10: mean(queries, &all, at) };
    Tuned {
        weight: weights[chosen],
        ndcg_at_10: point(chosen).ndcg_at_10,
        cross_validated: validated.iter().sum::<f64>() / validated.len().max(1) as f64,
        current,
        curve: (0..weights.len()).map(point).collect(),
        against_current: Comparison::of(&validated, &unchanged),
    }
}

/// The place of the weight that is best on some queries; of several the one that is nearest to the current.
fn best(weights: &[f64], current: f64, queries: &[Vec<f64>], some: &[usize]) -> usize {
    let rank = |at: &usize| (mean(queries, some, *at), -(weights[*at] - current).abs());
    let order = |one: &usize, other: &usize| {
        let (one, other) = (rank(one), rank(other));
        one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1))
    };
    (0..weights.len()).max_by(order).unwrap_or_default()
}

fn mean(queries: &[Vec<f64>], some: &[usize], weight: usize) -> f64 {
    some.iter().map(|at| queries[*at][weight]).sum::<f64>() / some.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: [f64; 3] = [0.2, 0.5, 0.7];

    #[test]
    fn the_best_weight_is_chosen_and_holds_where_it_is_best_everywhere() {
        let tuned = tune(&THREE, 0.7, &vec![vec![0.3, 0.6, 0.5]; 20]);
        assert_eq!((tuned.weight, tuned.current), (0.5, 0.7));
        assert!((tuned.cross_validated - 0.6).abs() < 1e-12 && (tuned.ndcg_at_10 - 0.6).abs() < 1e-12);
        assert!(tuned.against_current.p < 0.001 && tuned.against_current.better == 20);
        let curve: Vec<f64> = tuned.curve.iter().map(|point| (point.ndcg_at_10 * 10.0).round()).collect();
        assert_eq!(curve, [3.0, 6.0, 5.0]);
    }

    #[test]
    fn what_is_best_by_accident_does_not_hold() {
        // One query of a fold decides for 0.2; without it the current weight is better, and so it is on all others.
        let mut queries = vec![vec![0.4, 0.0, 0.41]; 10];
        queries[3] = vec![1.0, 0.0, 0.0];
        let tuned = tune(&THREE, 0.7, &queries);
        assert_eq!(tuned.weight, 0.2);
        assert!(tuned.cross_validated < tuned.ndcg_at_10 - 0.05, "{tuned:?}");
    }

    #[test]
    fn where_nothing_differs_the_weight_stays() {
        assert_eq!(tune(&THREE, 0.7, &vec![vec![0.5; 3]; 12]).weight, 0.7);
        assert_eq!(tune(&THREE, 0.7, &vec![vec![0.5; 3]; 12]).against_current.p, 1.0);
    }
}
