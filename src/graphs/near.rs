//! Places round a node, for those that it leads to: on rings, so that no line to one runs over another.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::f64::consts::TAU;

use super::Point;
use super::cells::Cells;

/// The first ring, in pixels: a line is to be seen between two nodes.
const FIRST: f64 = 210.0;
/// From one ring to the next.
const RING: f64 = 104.0;
/// From one place on a ring to the next.
const ROOM: f64 = 150.0;
/// How much farther a place seems that is not in the direction of nothing: the graph grows outward.
const INWARD: f64 = 0.35;
/// A line passes a node that it does not lead to at this distance, in pixels, if there is another way.
const CLEAR: f64 = 20.0;
/// How much farther a place seems to which a line passes nearer.
const BEHIND: f64 = 2.0;
/// Of each ring, by how much of a place it is turned against the one before: so that its places come behind few others.
const TURN: f64 = 0.618;
/// Rings that are looked at before what was found is judged.
const AT_ONCE: usize = 4;

/// Free places for `count` nodes round `parent`, none of them on what is `present`. They go round it in order, so that
/// nodes given in an order of kind lie together by kind.
#[must_use]
pub fn near(parent: Point, present: &[Point], count: usize) -> Vec<Point> {
    let taken: Cells = present.iter().copied().chain([parent]).collect();
    let outward = outward(parent, present);
    let mut candidates: Vec<(i64, Point)> = Vec::new();
    let mut chosen: Vec<(i64, Point)> = Vec::new();
    let mut ring = 0;
    while chosen.len() < count || chosen.last().is_some_and(|(cost, _)| *cost > milli(radius(ring))) {
        for _ in 0..AT_ONCE {
            let free = places(parent, ring).filter(|place| taken.is_free(*place));
            candidates.extend(free.map(|place| (cost(place, parent, outward), place)));
            ring += 1;
        }
        chosen = cheapest(parent, &candidates, &taken, count);
    }
    let mut places: Vec<Point> = chosen.into_iter().map(|(_, place)| place).collect();
    places.sort_by_key(|place| (milli(turn(*place, parent, outward)), *place));
    places
}

fn radius(ring: usize) -> f64 {
    FIRST + ring as f64 * RING
}

/// The places of a ring.
fn places(parent: Point, ring: usize) -> impl Iterator<Item = Point> {
    let radius = radius(ring);
    let count = (radius * TAU / ROOM).floor();
    let turned = (ring as f64 * TURN).fract();
    (0..count as usize).map(move |nth| {
        let angle = (nth as f64 + turned) / count * TAU;
        let (x, y) = (radius * angle.cos(), radius * angle.sin());
        Point { x: parent.x.saturating_add(x.round() as i32), y: parent.y.saturating_add(y.round() as i32) }
    })
}

/// The cheapest candidates of which none lies on another; one behind another seems farther.
fn cheapest(parent: Point, candidates: &[(i64, Point)], taken: &Cells, count: usize) -> Vec<(i64, Point)> {
    let (mut taken, mut chosen): (_, Vec<(i64, Point)>) = (taken.clone(), Vec::with_capacity(count));
    let mut left: BinaryHeap<_> =
        candidates.iter().map(|(cost, place)| Reverse((*cost, *place, false))).collect();
    while chosen.len() < count
        && let Some(Reverse((cost, place, put_off))) = left.pop()
    {
        if !taken.is_free(place) {
            continue;
        }
        if !put_off && chosen.iter().any(|(_, other)| stands_behind(parent, place, *other)) {
            left.push(Reverse(((cost as f64 * BEHIND) as i64, place, true)));
            continue;
        }
        taken.take(place);
        chosen.push((cost, place));
    }
    chosen
}

/// Whether the line from the parent to a place passes another node.
fn stands_behind(parent: Point, place: Point, other: Point) -> bool {
    let from_parent = |point: Point| (f64::from(point.x - parent.x), f64::from(point.y - parent.y));
    let ((x, y), (other_x, other_y)) = (from_parent(place), from_parent(other));
    let length = x.hypot(y);
    let along = (x * other_x + y * other_y) / length;
    along > 0.0 && along < length && (x * other_y - y * other_x).abs() / length < CLEAR
}

/// The direction in which the fewest are: away from the middle of all others. None if there is no such.
fn outward(parent: Point, present: &[Point]) -> (f64, f64) {
    let others = present.iter().filter(|point| **point != parent);
    let (count, x, y) = others.fold((0.0, 0.0, 0.0), |(count, x, y), point| {
        (count + 1.0, x + f64::from(point.x), y + f64::from(point.y))
    });
    if count == 0.0 {
        return (0.0, 0.0);
    }
    let (x, y) = (f64::from(parent.x) - x / count, f64::from(parent.y) - y / count);
    let length = x.hypot(y);
    if length < 1.0 { (0.0, 0.0) } else { (x / length, y / length) }
}

/// How far a place seems, in thousandths of a pixel.
fn cost(place: Point, parent: Point, outward: (f64, f64)) -> i64 {
    let (x, y) = (f64::from(place.x - parent.x), f64::from(place.y - parent.y));
    let far = x.hypot(y);
    let inward = if outward == (0.0, 0.0) { 0.0 } else { 1.0 - (x * outward.0 + y * outward.1) / far };
    milli(far * (1.0 + INWARD * inward))
}

/// How far round the parent a place is, from the direction behind it.
fn turn(place: Point, parent: Point, outward: (f64, f64)) -> f64 {
    let (x, y) = (f64::from(place.x - parent.x), f64::from(place.y - parent.y));
    let (ahead, aside) = if outward == (0.0, 0.0) {
        (x, y)
    } else {
        (x * outward.0 + y * outward.1, y * outward.0 - x * outward.1)
    };
    aside.atan2(ahead)
}

/// In thousandths, which have an order.
fn milli(value: f64) -> i64 {
    (value * 1000.0) as i64
}
