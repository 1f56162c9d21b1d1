//! Where the things of a working graph are drawn.
//!
//! Pure, and by ids alone: the same question has the same answer, and what is already drawn stays where it is. What may be
//! seen of the things is read in [`crate::read`].
//!
//! A node takes a cell of [`CELL`] with its name. New ones go to free cells, so that no two lie on each other.

mod arrange;
mod cells;
mod near;
mod spots;

use storage::model::GRAPH_COORDINATE_MAX;

pub use arrange::arrange;
pub use near::near;
pub use spots::{Spot, SpotRefused, Spots};

/// What a node takes with its name, in pixels.
pub const CELL: Point = Point { x: 128, y: 88 };

/// A place on the drawing, in pixels from its middle, to the right and down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// To the right.
    pub x: i32,
    /// Down.
    pub y: i32,
}

impl Point {
    /// The place, moved so that it lies on the drawing.
    fn within(x: f64, y: f64) -> Point {
        let max = f64::from(GRAPH_COORDINATE_MAX);
        Point { x: x.clamp(-max, max) as i32, y: y.clamp(-max, max) as i32 }
    }
}

#[cfg(test)]
mod tests;
