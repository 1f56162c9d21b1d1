//! How good one ranking is, by what was judged. Pure arithmetic, the same as that of `trec_eval`.

use serde::Serialize;

/// Ranks that nDCG and MRR look at.
const TOP: usize = 10;
/// Ranks that recall looks at.
pub const DEPTH: usize = 100;

/// What a ranking is worth: each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measures {
    /// The gain of the first ten, each discounted by its rank, over that of the best order.
    pub ndcg_at_10: f64,
    /// One over the rank of the first that is relevant, if that is among the first ten.
    pub mrr_at_10: f64,
    /// Of all that are relevant, the share that is among the first hundred.
    pub recall_at_100: f64,
}

impl Measures {
    /// Of a ranking, given as the grade of each place, and the grades of everything that was judged. A document that was
    /// judged and is not in the collection counts as not found.
    #[must_use]
    pub fn of(ranked: &[u32], judged: impl IntoIterator<Item = u32>) -> Measures {
        let mut relevant: Vec<u32> = judged.into_iter().filter(|grade| *grade > 0).collect();
        relevant.sort_unstable_by(|a, b| b.cmp(a));
        if relevant.is_empty() {
            return Measures::default();
        }
        let first = ranked.iter().take(TOP).position(|grade| *grade > 0);
        let found = ranked.iter().take(DEPTH).filter(|grade| **grade > 0).count();
        Measures {
            ndcg_at_10: gain(ranked) / gain(&relevant),
            mrr_at_10: first.map_or(0.0, |at| 1.0 / (at + 1) as f64),
            recall_at_100: found as f64 / relevant.len() as f64,
        }
    }

    /// The mean of each measure.
    #[must_use]
    pub fn mean(all: &[Measures]) -> Measures {
        let mean = |of: fn(&Measures) -> f64| all.iter().map(of).sum::<f64>() / all.len().max(1) as f64;
        Measures {
            ndcg_at_10: mean(|one| one.ndcg_at_10),
            mrr_at_10: mean(|one| one.mrr_at_10),
            recall_at_100: mean(|one| one.recall_at_100),
        }
    }
}

/// Discounted cumulative gain: a grade counts as it is.
fn gain(grades: &[u32]) -> f64 {
    grades.iter().take(TOP).zip(2..).map(|(grade, place)| f64::from(*grade) / f64::from(place).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn a_ranking_is_worth_what_is_computed_by_hand() {
        // Relevant at the ranks 2 and 4, of three: (1/log2 3 + 1/log2 5) / (1/log2 2 + 1/log2 3 + 1/log2 4).
        let measures = Measures::of(&[0, 1, 0, 1], [1, 1, 1, 0]);
        assert!(close(
            measures.ndcg_at_10,
            (0.630_929_753_571_457_4 + 0.430_676_558_073_393_1) / 2.130_929_753_571_457_4
        ));
        assert!(close(measures.mrr_at_10, 0.5));
        assert!(close(measures.recall_at_100, 2.0 / 3.0));
    }

    #[test]
    fn grades_count_as_they_are() {
        // 1 before 3: (1 + 3/log2 3) / (3 + 1/log2 3).
        let measures = Measures::of(&[1, 3], [3, 1]);
        assert!(close(
            measures.ndcg_at_10,
            (1.0 + 3.0 * 0.630_929_753_571_457_4) / (3.0 + 0.630_929_753_571_457_4)
        ));
        assert!(close(Measures::of(&[3, 1], [1, 3]).ndcg_at_10, 1.0));
    }

    #[test]
    fn what_is_too_deep_does_not_count() {
        let at = |rank: usize| {
            let mut ranked = vec![0; 150];
            ranked[rank - 1] = 1;
            Measures::of(&ranked, [1])
        };
        assert!(close(at(10).mrr_at_10, 0.1) && at(10).ndcg_at_10 > 0.0);
        assert_eq!((at(11).mrr_at_10, at(11).ndcg_at_10, at(11).recall_at_100), (0.0, 0.0, 1.0));
        assert_eq!((at(100).recall_at_100, at(101).recall_at_100), (1.0, 0.0));
    }

    #[test]
    fn more_relevant_than_places_is_still_perfect() {
        let measures = Measures::of(&[1; 10], [1; 40]);
        assert!(close(measures.ndcg_at_10, 1.0) && close(measures.recall_at_100, 0.25));
    }

    #[test]
    fn nothing_found_is_worth_nothing() {
        assert_eq!(Measures::of(&[], [1]), Measures::default());
        assert_eq!(Measures::of(&[0, 0], [0]), Measures::default());
    }
}
