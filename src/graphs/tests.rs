use proptest::prelude::*;

use super::*;

impl Point {
    fn distance(self, other: Point) -> f64 {
        f64::from(self.x - other.x).hypot(f64::from(self.y - other.y))
    }
}

fn overlap(one: Point, other: Point) -> bool {
    (one.x - other.x).abs() < CELL.x && (one.y - other.y).abs() < CELL.y
}

fn none_overlap(placed: &[Point], among: &[Point]) {
    for (at, one) in placed.iter().enumerate() {
        let others = placed[at + 1..].iter().chain(among);
        others.for_each(|other| assert!(!overlap(*one, *other), "{one:?} lies on {other:?}"));
    }
}

fn point() -> impl Strategy<Value = Point> {
    let far =
        || prop_oneof![9 => -600..600i32, 1 => Just(GRAPH_COORDINATE_MAX), 1 => Just(-GRAPH_COORDINATE_MAX)];
    (far(), far()).prop_map(|(x, y)| Point { x, y })
}

proptest! {
    #[test]
    fn new_nodes_lie_on_nothing(present in prop::collection::vec(point(), 0..40), parent in point(), count in 0..60usize) {
        let placed = near(parent, &present, count);
        prop_assert_eq!(placed.len(), count);
        none_overlap(&placed, &present);
        none_overlap(&placed, &[parent]);
        prop_assert!(placed.iter().all(|at| at.x.abs() <= GRAPH_COORDINATE_MAX && at.y.abs() <= GRAPH_COORDINATE_MAX));
        prop_assert_eq!(near(parent, &present, count), placed, "the same question has the same answer");
    }

    #[test]
    fn an_arrangement_keeps_what_is_pinned_and_piles_nothing(
        pins in prop::collection::vec(prop::option::weighted(0.2, point()), 0..50),
        edges in prop::collection::vec((0..50usize, 0..50usize), 0..80),
    ) {
        let ids: Vec<String> = (0..pins.len()).map(|n| format!("node-{}", n * 7 % 50)).collect();
        let nodes: Vec<_> = ids.iter().zip(&pins).map(|(id, pin)| (id.as_str(), *pin)).collect();
        let edges: Vec<_> = edges.into_iter().filter(|(from, to)| *from < pins.len() && *to < pins.len()).collect();
        let places = arrange(&nodes, &edges);
        let pinned: Vec<Point> = pins.iter().flatten().copied().collect();
        let free: Vec<Point> = places.iter().zip(&pins).filter(|(_, pin)| pin.is_none()).map(|(at, _)| *at).collect();
        for (at, pin) in places.iter().zip(&pins) {
            prop_assert!(pin.is_none_or(|pin| pin == *at));
        }
        none_overlap(&free, &pinned);
        // By ids, and not by the order in which they came.
        let last = nodes.len().saturating_sub(1);
        let turned: Vec<_> = nodes.iter().rev().copied().collect();
        let turned_edges: Vec<_> = edges.iter().map(|(from, to)| (last - from, last - to)).collect();
        let again: Vec<_> = arrange(&turned, &turned_edges).into_iter().rev().collect();
        prop_assert_eq!(again, places);
    }

    #[test]
    fn a_drawing_is_read_as_it_was_written(points in prop::collection::vec((point(), any::<bool>()), 0..20)) {
        let spots = points.iter().enumerate();
        let spots = spots.map(|(n, (at, pinned))| Spot { id: format!("a b:{n}"), at: *at, pinned: *pinned });
        let spots = Spots(spots.collect());
        let pin = |spot: &Spot| if spot.pinned { "\tp" } else { "" };
        let lines = spots.0.iter().map(|spot| format!("{}\t{}\t{}{}\n", spot.id, spot.at.x, spot.at.y, pin(spot)));
        prop_assert_eq!(Spots::read(&lines.collect::<String>()), Ok(spots));
    }
}

#[test]
fn a_text_that_is_no_drawing_is_refused_with_its_line() {
    for line in ["a", "a\t1", "a\t1\t2\tq", "a\t1\t2\tp\t", "\t1\t2", "a\t1.5\t2", "a\t1000001\t0"] {
        let refused = Spots::read(&format!("b\t0\t0\n{line}"));
        assert!(matches!(refused, Err(SpotRefused::Line { line: 2, .. })), "{line:?}: {refused:?}");
    }
    assert!(matches!(Spots::read("a\t0\t0\na\t1\t1"), Err(SpotRefused::Twice { line: 2, .. })));
    let many: String = (0..=20_000).map(|n| format!("{n}\t0\t0\n")).collect();
    assert_eq!(Spots::read(&many), Err(SpotRefused::TooMany));
}

/// Nearer than anything else, and away from the rest.
#[test]
fn neighbours_come_to_the_side_where_nothing_is() {
    let parent = Point { x: 640, y: 0 };
    let present: Vec<Point> = (0..5).map(|n| Point { x: n * 128, y: 0 }).chain([parent]).collect();
    let placed = near(parent, &present, 5);
    let mean = placed.iter().map(|at| at.x).sum::<i32>() / 5;
    assert!(mean > parent.x, "{placed:?}");
    assert!(placed.iter().all(|at| at.distance(parent) < 330.0), "{placed:?}");
}

/// A line to one of them runs over no other.
#[test]
fn neighbours_do_not_stand_behind_each_other() {
    let parent = Point::default();
    let placed = near(parent, &[parent], 25);
    for one in &placed {
        for other in placed.iter().filter(|other| other.distance(parent) < one.distance(parent) - 1.0) {
            let across = f64::from(one.x * other.y - one.y * other.x).abs() / one.distance(parent);
            let ahead = one.x * other.x + one.y * other.y > 0;
            assert!(!ahead || across > 14.0, "the line to {one:?} runs over {other:?}");
        }
    }
}

/// Among twenty thousand that lie close there is room for a hundred more, found while somebody waits.
#[test]
fn room_is_found_in_a_crowd_in_time() {
    let present: Vec<Point> =
        (0..20_000).map(|n| Point { x: n % 140 * CELL.x, y: n / 140 * CELL.y }).collect();
    let begun = std::time::Instant::now();
    let placed = near(present[9_870], &present, 100);
    let took = begun.elapsed();
    println!("finding room in a crowd took {took:?}");
    none_overlap(&placed, &present);
    assert!(took.as_secs() < 5, "{took:?}");
}

#[test]
fn what_is_joined_is_drawn_together() {
    let ids: Vec<String> = (0..40).map(|n| format!("n{n:02}")).collect();
    let nodes: Vec<_> = ids.iter().map(|id| (id.as_str(), None)).collect();
    let edges: Vec<_> = (0..40).filter(|n| n % 20 != 0).map(|n| (n, n / 20 * 20)).collect();
    let places = arrange(&nodes, &edges);
    let between = |one: usize, other: usize| places[one].distance(places[other]);
    let own: f64 = (1..20).map(|n| between(0, n)).sum::<f64>() / 19.0;
    let foreign: f64 = (21..40).map(|n| between(0, n)).sum::<f64>() / 19.0;
    assert!(own * 1.5 < foreign, "to its own {own}, to the others {foreign}");
}

/// A hub of twenty thousand is arranged while somebody waits.
#[test]
fn a_large_graph_is_arranged_in_time() {
    let ids: Vec<String> = (0..20_000).map(|n| format!("n{n:05}")).collect();
    let nodes: Vec<_> = ids.iter().map(|id| (id.as_str(), None)).collect();
    let edges: Vec<_> = (1..20_000).flat_map(|n| [(n, 0), (n, n / 2)]).collect();
    let begun = std::time::Instant::now();
    let places = arrange(&nodes, &edges);
    let took = begun.elapsed();
    println!("arranging 20,000 nodes took {took:?}");
    assert_eq!(places.len(), 20_000);
    assert!(took.as_secs() < 8, "{took:?}");
}
