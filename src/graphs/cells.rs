//! The grid: which cells are taken, and which are free nearby.

use std::collections::HashSet;

use storage::model::GRAPH_COORDINATE_MAX;

use super::{CELL, Point};

/// A cell of the grid, by its column and row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cell {
    pub(super) column: i32,
    pub(super) row: i32,
}

/// The cells that something lies in.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    taken: HashSet<Cell>,
}

impl Cell {
    /// The cell whose middle is nearest.
    pub(super) fn at(point: Point) -> Cell {
        let nearest = |place: i32, size: i32| (place + size / 2).div_euclid(size);
        Cell { column: nearest(point.x, CELL.x), row: nearest(point.y, CELL.y) }
    }

    /// Its middle.
    pub(super) fn middle(self) -> Point {
        Point { x: self.column * CELL.x, y: self.row * CELL.y }
    }

    fn is_on_the_drawing(self) -> bool {
        let within = |index: i32, size: i32| index.abs() <= GRAPH_COORDINATE_MAX / size;
        within(self.column, CELL.x) && within(self.row, CELL.y)
    }

    /// The cells whose column or row, whichever is farther, is so many away.
    pub(super) fn ring(self, radius: i32) -> impl Iterator<Item = Cell> {
        let across = (-radius..=radius).flat_map(move |along| [(along, -radius), (along, radius)]);
        let down = (1 - radius..radius).flat_map(move |along| [(-radius, along), (radius, along)]);
        let all = across.chain(down).map(move |(column, row)| Cell {
            column: self.column.saturating_add(column),
            row: self.row.saturating_add(row),
        });
        // Of radius 0 there is one cell, which both sides name.
        all.take(if radius == 0 { 1 } else { usize::MAX })
    }
}

impl Cells {
    /// Takes every cell that a node drawn at a point reaches into.
    pub(super) fn take(&mut self, point: Point) {
        let reached = |place: i32, size: i32| {
            let first = place.div_euclid(size);
            first..=first + i32::from(place.rem_euclid(size) != 0)
        };
        for column in reached(point.x, CELL.x) {
            self.taken.extend(reached(point.y, CELL.y).map(|row| Cell { column, row }));
        }
    }

    pub(super) fn is_free(&self, cell: Cell) -> bool {
        cell.is_on_the_drawing() && !self.taken.contains(&cell)
    }

    /// Takes the free cell that is nearest to a point. There is one: a drawing has far more cells than it may have nodes.
    pub(super) fn take_nearest(&mut self, point: Point) -> Point {
        let home = Cell::at(point);
        let mut best: Option<(i64, Cell)> = None;
        for radius in 0.. {
            // Cells of this ring are at least so far away; nearer ones were all looked at.
            let reach = i64::from(radius - 1).max(0) * i64::from(CELL.x.min(CELL.y));
            if best.is_some_and(|(distance, _)| distance <= reach * reach) {
                break;
            }
            let free = home.ring(radius).filter(|cell| self.is_free(*cell));
            let nearest = free.map(|cell| (squared(cell.middle(), point), cell)).min();
            best = best.into_iter().chain(nearest).min();
        }
        let (_, cell) = best.expect("a ring with a free cell");
        self.taken.insert(cell);
        cell.middle()
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
