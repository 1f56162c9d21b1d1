//! What lies where: whether a place is free, and which free one is nearest.

use std::collections::HashMap;

use storage::model::GRAPH_COORDINATE_MAX;

use super::{CELL, Point};

/// A cell of the grid, by its column and row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Cell {
    column: i32,
    row: i32,
}

/// Places that are taken, by the cell that they are in: what lies on a place is in a cell beside its own at the farthest.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    taken: HashMap<Cell, Vec<Point>>,
}

impl Cell {
    /// The cell whose middle is nearest.
    fn at(point: Point) -> Cell {
        let nearest = |place: i32, size: i32| (place + size / 2).div_euclid(size);
        Cell { column: nearest(point.x, CELL.x), row: nearest(point.y, CELL.y) }
    }

    fn middle(self) -> Point {
        Point { x: self.column * CELL.x, y: self.row * CELL.y }
    }

    /// The cells whose column or row, whichever is farther, is so many away.
    fn ring(self, radius: i32) -> impl Iterator<Item = Cell> {
        let across = (-radius..=radius).flat_map(move |along| [(along, -radius), (along, radius)]);
        let down = (1 - radius..radius).flat_map(move |along| [(-radius, along), (radius, along)]);
        let all = across
            .chain(down)
            .map(move |(column, row)| Cell { column: self.column + column, row: self.row + row });
        // Of radius 0 there is one cell, which both sides name.
        all.take(if radius == 0 { 1 } else { usize::MAX })
    }
}

impl Cells {
    pub(super) fn take(&mut self, point: Point) {
        self.taken.entry(Cell::at(point)).or_default().push(point);
    }

    /// Whether a node that is drawn there lies on the drawing, and on no other.
    pub(super) fn is_free(&self, point: Point) -> bool {
        let within = |place: i32| place.abs() <= GRAPH_COORDINATE_MAX;
        let home = Cell::at(point);
        let mut beside = [0, 1].into_iter().flat_map(|radius| home.ring(radius));
        let lies_on =
            |other: &Point| (point.x - other.x).abs() < CELL.x && (point.y - other.y).abs() < CELL.y;
        within(point.x)
            && within(point.y)
            && !beside.any(|cell| self.taken.get(&cell).is_some_and(|points| points.iter().any(lies_on)))
    }

    /// Takes the middle of the free cell that is nearest to a point. There is one: a drawing has far more cells than it may have
    /// nodes.
    pub(super) fn take_nearest(&mut self, point: Point) -> Point {
        let home = Cell::at(point);
        let mut best: Option<(i64, Point)> = None;
        for radius in 0.. {
            // Cells of this ring are at least so far away; nearer ones were all looked at.
            let reach = i64::from((radius - 1).max(0)) * i64::from(CELL.x.min(CELL.y));
            if best.is_some_and(|(distance, _)| distance <= reach * reach) {
                break;
            }
            let free = home.ring(radius).map(Cell::middle).filter(|middle| self.is_free(*middle));
            let nearest = free.map(|middle| (squared(middle, point), middle)).min();
            best = best.into_iter().chain(nearest).min();
        }
        let (_, place) = best.expect("a ring with a free cell");
        self.take(place);
        place
    }
}

impl FromIterator<Point> for Cells {
    fn from_iter<I: IntoIterator<Item = Point>>(points: I) -> Cells {
        let mut cells = Cells::default();
        points.into_iter().for_each(|point| cells.take(point));
        cells
    }
}

fn squared(one: Point, other: Point) -> i64 {
    let (x, y) = (i64::from(one.x) - i64::from(other.x), i64::from(one.y) - i64::from(other.y));
    x * x + y * y
}
