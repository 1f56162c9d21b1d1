use proptest::prelude::*;

use super::*;

fn said(raw: Option<f64>, rank: u32) -> Said {
    Said { raw, rank: raw.map(|_| rank) }
}

/// BM25 and a cosine.
type Raw = (Option<f64>, Option<f64>);

/// Candidates with raw scores; of each leg its own ranks.
fn candidates(raw: &[Raw]) -> Vec<Candidate> {
    let rank = |leg: fn(&Raw) -> Option<f64>, of: usize| {
        let better = |(place, other): (usize, &Raw)| {
            leg(other) > leg(&raw[of]) || (leg(other) == leg(&raw[of]) && place < of)
        };
        1 + raw.iter().enumerate().filter(|one| better(*one)).count() as u32
    };
    let candidate = |(place, (keyword, vector)): (usize, &Raw)| Candidate {
        thing: ThingId(place as u64 + 1),
        keyword: said(*keyword, rank(|raw| raw.0, place)),
        vector: said(*vector, rank(|raw| raw.1, place)),
    };
    raw.iter().enumerate().map(candidate).collect()
}

fn fusion(keyword_weight: f64) -> Fusion {
    Fusion { method: Method::Scores, keyword_weight, coverage: 1.0 }
}

fn things(fused: &Fused) -> Vec<u64> {
    fused.ranked.iter().map(|ranked| ranked.thing.0).collect()
}

fn scores(fused: &Fused) -> Vec<f64> {
    fused.ranked.iter().map(|ranked| ranked.score).collect()
}

#[test]
fn the_formula_is_the_weighted_sum_of_both_legs_over_their_best() {
    let fused = fuse(&candidates(&[(Some(8.0), Some(0.2)), (Some(4.0), Some(0.8))]), &fusion(0.7));
    assert_eq!(things(&fused), [1, 2]);
    let expected = [0.7 * 1.0 + 0.3 * 0.25, 0.7 * 0.5 + 0.3 * 1.0];
    for (score, expected) in scores(&fused).into_iter().zip(expected) {
        assert!((score - expected).abs() < 1e-12, "{score} {expected}");
    }
    assert_eq!((fused.keyword_max, fused.vector_max, fused.dropped), (8.0, 0.8, 0));
}

#[test]
fn a_leg_with_nothing_to_say_leaves_the_other_as_it_is() {
    let weak = Fusion { coverage: 0.01, ..fusion(0.7) };
    let words = fuse(&candidates(&[(Some(8.0), None), (Some(2.0), None)]), &weak);
    assert_eq!((scores(&words), words.keyword_weight), (vec![1.0, 0.25], 1.0));
    let away = fuse(&candidates(&[(Some(8.0), Some(-0.5)), (Some(2.0), Some(-0.1))]), &weak);
    assert_eq!(scores(&away), scores(&words));
    let meaning = fuse(&candidates(&[(None, Some(0.8)), (Some(0.0), Some(0.4))]), &weak);
    assert_eq!((scores(&meaning), meaning.keyword_weight), (vec![1.0, 0.5], 0.0));
    assert_eq!(fuse(&[], &weak).ranked, []);
    assert_eq!(scores(&fuse(&candidates(&[(None, None)]), &weak)), [0.0]);
}

#[test]
fn what_is_no_number_is_left_out_and_counted() {
    let raw = [(Some(f64::NAN), Some(0.1)), (Some(1.0), Some(f64::INFINITY)), (Some(2.0), Some(0.5))];
    let fused = fuse(&candidates(&raw), &fusion(0.5));
    assert_eq!((things(&fused), fused.dropped, fused.keyword_max), (vec![3], 2, 2.0));
}

#[test]
fn words_that_hardly_cover_the_question_do_not_beat_meaning() {
    let raw = [(Some(0.011), Some(0.1)), (None, Some(0.8))];
    assert_eq!(things(&fuse(&candidates(&raw), &fusion(0.7))), [1, 2]);
    let weak = Fusion { coverage: 0.05, ..fusion(0.7) };
    assert_eq!(things(&fuse(&candidates(&raw), &weak)), [2, 1]);
    let enough = Fusion { coverage: COVERAGE_MIN, ..fusion(0.7) };
    assert_eq!(scores(&fuse(&candidates(&raw), &enough)), scores(&fuse(&candidates(&raw), &fusion(0.7))));
}

#[test]
fn ranks_alone_decide_if_that_is_asked_for() {
    let ranks = Fusion { method: Method::Ranks, ..fusion(0.5) };
    let raw = [(Some(100.0), Some(0.1)), (Some(2.0), Some(0.9)), (Some(1.0), Some(0.8))];
    let other = [(Some(3.0), Some(0.1)), (Some(2.0), Some(0.9)), (Some(1.0), Some(0.8))];
    let (one, other) = (fuse(&candidates(&raw), &ranks), fuse(&candidates(&other), &ranks));
    assert_eq!((things(&one), scores(&one)), (things(&other), scores(&other)));
    let first = 0.5 * 61.0 / 62.0 + 0.5;
    assert!((one.ranked[0].score - first).abs() < 1e-12 && one.ranked[0].thing.0 == 2, "{one:?}");
}

fn raw() -> impl Strategy<Value = (Option<f64>, Option<f64>)> {
    (prop::option::weighted(0.8, 0.0..30.0f64), prop::option::weighted(0.8, -1.0..1.0f64))
}

proptest! {
    /// Nobody falls for having more of either.
    #[test]
    fn fusion_is_monotone(mut raw in prop::collection::vec(raw(), 2..40), weight in 0.0..=1.0f64, more in 0.0..0.9f64) {
        let place = |fused: &Fused| things(fused).iter().position(|thing| *thing == 1);
        // Not the best of its leg, by which all others are divided.
        raw.push((Some(40.0), Some(1.0)));
        let before = fuse(&candidates(&raw), &fusion(weight));
        let score = |fused: &Fused| fused.ranked[place(fused).unwrap()].score;
        for leg in [true, false] {
            let mut better = raw.clone();
            let one = if leg { &mut better[0].0 } else { &mut better[0].1 };
            let most = if leg { 40.0 } else { 1.0 };
            let now = one.unwrap_or(0.0).max(0.0);
            *one = Some(now + (most - now) * more);
            let after = fuse(&candidates(&better), &fusion(weight));
            prop_assert!(score(&after) >= score(&before) && place(&after) <= place(&before));
        }
    }

    /// BM25 and cosines may be of any scale; by powers of two the sums are the same to the last bit.
    #[test]
    fn fusion_is_scale_free(raw in prop::collection::vec(raw(), 1..40), weight in 0.0..=1.0f64, by in -8..8i32) {
        let by = 2f64.powi(by);
        let scaled: Vec<_> = raw.iter().map(|(keyword, vector)| (keyword.map(|raw| raw * by), *vector)).collect();
        let (one, other) = (fuse(&candidates(&raw), &fusion(weight)), fuse(&candidates(&scaled), &fusion(weight)));
        prop_assert_eq!((things(&one), scores(&one)), (things(&other), scores(&other)));
        let scaled: Vec<_> = raw.iter().map(|(keyword, vector)| (*keyword, vector.map(|raw| raw * by))).collect();
        let other = fuse(&candidates(&scaled), &fusion(weight));
        prop_assert_eq!((things(&one), scores(&one)), (things(&other), scores(&other)));
    }

    #[test]
    fn fusion_does_not_depend_on_the_order_of_what_is_given(
        raw in prop::collection::vec(raw(), 1..40),
        weight in 0.0..=1.0f64,
        seed in any::<u64>(),
    ) {
        let given = candidates(&raw);
        let mut shuffled = given.clone();
        shuffled.sort_by_key(|candidate| (candidate.thing.0 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        prop_assert_eq!(fuse(&given, &fusion(weight)), fuse(&shuffled, &fusion(weight)));
    }

    /// Without vectors the answer is what a search for words gives, whatever the weight and the coverage.
    #[test]
    fn without_meaning_words_decide_alone(raw in prop::collection::vec(0.01..30.0f64, 1..40), weight in 0.0..=1.0f64) {
        let legs: Vec<_> = raw.iter().map(|keyword| (Some(*keyword), None)).collect();
        let fused = fuse(&candidates(&legs), &Fusion { coverage: 0.1, ..fusion(weight) });
        let best = raw.iter().copied().fold(0.0, f64::max);
        let mut words: Vec<_> = raw.iter().zip(1u64..).map(|(raw, thing)| (*raw, thing)).collect();
        words.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        prop_assert_eq!(scores(&fused), words.iter().map(|(raw, _)| raw / best).collect::<Vec<_>>());
        prop_assert_eq!(things(&fused), words.iter().map(|(_, thing)| *thing).collect::<Vec<_>>());
    }

    /// A score is from 0 to 1, and the best of both legs has 1.
    #[test]
    fn scores_are_from_0_to_1(raw in prop::collection::vec(raw(), 1..40), weight in 0.0..=1.0f64, coverage in 0.0..=1.0f64) {
        for method in [Method::Scores, Method::Ranks] {
            let fused = fuse(&candidates(&raw), &Fusion { method, coverage, ..fusion(weight) });
            prop_assert!(scores(&fused).iter().all(|score| (0.0..=1.0 + 1e-12).contains(score)));
            prop_assert!(scores(&fused).is_sorted_by(|one, next| one >= next));
        }
    }
}
