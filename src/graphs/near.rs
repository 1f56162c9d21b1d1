//! Places round a node, for those that it leads to.

use super::cells::{Cell, Cells};
use super::{CELL, Point};

/// An edge is to be seen between two nodes: nothing new comes nearer than this, in pixels.
const NEAREST: f64 = 160.0;
/// How much farther a place in the direction of the others seems: the graph grows outward.
const OUTWARD: f64 = 0.4;
/// How much farther every other cell seems, in pixels: with gaps between them names are easier to read.
const STAGGER: f64 = 90.0;

/// Free places for `count` nodes round `parent`, none of them on what is `present`. They go round it in order, so that
/// nodes given in an order of kind lie together by kind.
#[must_use]
pub fn near(parent: Point, present: &[Point], count: usize) -> Vec<Point> {
    if count == 0 {
        return Vec::new();
    }
    let taken: Cells = present.iter().copied().chain([parent]).collect();
    let outward = outward(parent, present);
    let mut found: Vec<(i64, Cell)> = Vec::new();
    let home = Cell::at(parent);
    for radius in 1.. {
        let reach = f64::from(radius - 1) * f64::from(CELL.x.min(CELL.y)) * (1.0 - OUTWARD);
        if found.len() >= count && found[count - 1].0 <= milli(reach) {
            break;
        }
        let free = home.ring(radius).filter(|cell| taken.is_free(*cell));
        let far = free.filter(|cell| cell.middle().distance(parent) >= NEAREST);
        found.extend(far.map(|cell| (milli(cost(cell, parent, outward)), cell)));
        found.sort_unstable();
    }
    found.truncate(count);
    let mut places: Vec<Point> = found.into_iter().map(|(_, cell)| cell.middle()).collect();
    places.sort_by_key(|place| (milli(turn(*place, parent, outward)), *place));
    places
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

fn cost(cell: Cell, parent: Point, outward: (f64, f64)) -> f64 {
    let (place, stagger) = (cell.middle(), f64::from((cell.column + cell.row).rem_euclid(2)) * STAGGER);
    let (x, y) = (f64::from(place.x - parent.x), f64::from(place.y - parent.y));
    x.hypot(y) - OUTWARD * (x * outward.0 + y * outward.1) + stagger
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
