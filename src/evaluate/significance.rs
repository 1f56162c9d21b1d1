//! Whether a difference between two ways to search may be chance: a paired randomisation test.
//!
//! If there were no difference, which of the two did better on a query would be a toss of a coin. So coins are tossed for every
//! query, again and again, and it is counted how often the mean difference comes out as large as the one that was seen.

use serde::Serialize;

/// Tosses for every query.
const ROUNDS: u32 = 10_000;
/// Every evaluation tosses the same coins.
const SEED: u64 = 7;
/// A difference that is smaller is none: sums of the same numbers in another order.
const EQUAL: f64 = 1e-9;

/// How one way to search compares with another on the same queries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The mean of the differences.
    pub difference: f64,
    /// Queries on which it did better,
    pub better: usize,
    /// and worse.
    pub worse: usize,
    /// How likely a mean difference of at least this size is, in either direction, if there is none.
    pub p: f64,
}

impl Comparison {
    /// Of one with another, query by query.
    #[must_use]
    pub fn of(one: &[f64], other: &[f64]) -> Comparison {
        let differences: Vec<f64> = one.iter().zip(other).map(|(one, other)| one - other).collect();
        let difference = differences.iter().sum::<f64>() / differences.len().max(1) as f64;
        Comparison {
            difference,
            better: differences.iter().filter(|difference| **difference > EQUAL).count(),
            worse: differences.iter().filter(|difference| **difference < -EQUAL).count(),
            p: chance(&differences),
        }
    }
}

fn chance(differences: &[f64]) -> f64 {
    let seen = differences.iter().sum::<f64>().abs();
    let mut coins = Coins { state: SEED, bits: 0, left: 0 };
    let mut toss = || {
        let tossed =
            differences.iter().map(|difference| if coins.toss() { *difference } else { -difference });
        tossed.sum::<f64>().abs() >= seen - EQUAL
    };
    let as_large = (0..ROUNDS).filter(|_| toss()).count();
    // What was seen is one of the ways in which the coins can fall.
    (as_large + 1) as f64 / f64::from(ROUNDS + 1)
}

/// Coins from a seed (splitmix64).
struct Coins {
    state: u64,
    bits: u64,
    left: u32,
}

impl Coins {
    fn toss(&mut self) -> bool {
        if self.left == 0 {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (self.bits, self.left) = (z ^ (z >> 31), u64::BITS);
        }
        let bit = self.bits & 1 == 1;
        (self.bits, self.left) = (self.bits >> 1, self.left - 1);
        bit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_results_differ_by_chance_alone() {
        let same = Comparison::of(&[0.1, 0.5, 0.3], &[0.1, 0.5, 0.3]);
        assert_eq!((same.difference, same.better, same.worse, same.p), (0.0, 0, 0, 1.0));
    }

    #[test]
    fn a_probability_is_that_of_all_ways_in_which_the_coins_can_fall() {
        // Ten equal differences of one sign: 2 of 1024 ways are as large.
        let comparison = Comparison::of(&[0.2; 10], &[0.1; 10]);
        assert!((comparison.p - 2.0 / 1024.0).abs() < 0.001, "{comparison:?}");
        assert_eq!((comparison.better, comparison.worse), (10, 0));
        // 1, 1, 1 and -1: the sum is 2 or more in 10 of 16 ways.
        let mixed = Comparison::of(&[1.0, 1.0, 1.0, 0.0], &[0.0, 0.0, 0.0, 1.0]);
        assert!((mixed.p - 10.0 / 16.0).abs() < 0.02, "{mixed:?}");
    }

    #[test]
    fn the_order_of_the_two_changes_the_sign_and_nothing_else() {
        let (one, other) = ([0.9, 0.2, 0.7, 0.4], [0.1, 0.3, 0.5, 0.4]);
        let (there, back) = (Comparison::of(&one, &other), Comparison::of(&other, &one));
        assert_eq!((there.difference, there.p), (-back.difference, back.p));
        assert_eq!((there.better, there.worse), (back.worse, back.better));
    }
}
