//! What a client says is on its drawing: one text, since a list of so many values would be refused.
//!
//! A line for each node: id, x, y, and `p` if it is pinned, with tabs between. Ids have no control characters.

use std::collections::HashSet;

use storage::model::{GRAPH_COORDINATE_MAX, GRAPH_NODES_MAX};

use super::Point;

/// A node as a client has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The id of the thing.
    pub id: String,
    /// Where it is drawn.
    pub at: Point,
    /// Whether somebody put it there by hand.
    pub pinned: bool,
}

/// The nodes of a drawing, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spots(pub Vec<Spot>);

/// Why a text is no drawing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpotRefused {
    /// A line is not what it should be.
    #[error(
        "line {line} of the nodes: `{text}`; id, x, y and perhaps `p`, with tabs between, at most {GRAPH_COORDINATE_MAX} from the middle"
    )]
    Line {
        /// Counted from 1.
        line: usize,
        /// The line, cut.
        text: String,
    },
    /// A thing is drawn twice.
    #[error("line {line} of the nodes: `{id}` is drawn already; each thing once")]
    Twice {
        /// Counted from 1.
        line: usize,
        /// Which.
        id: String,
    },
    /// There are too many.
    #[error("more than {GRAPH_NODES_MAX} nodes; take some off, or keep them in graphs of their own")]
    TooMany,
}

/// A refusal shows at most so much of a line, in characters.
const SHOWN_CHARS_MAX: usize = 100;

impl Spots {
    /// Reads the text of a client.
    ///
    /// # Errors
    /// If a line is none, a thing is there twice, or there are too many.
    pub fn read(text: &str) -> Result<Spots, SpotRefused> {
        let (mut spots, mut known) = (Vec::new(), HashSet::new());
        for (line, text) in (1..).zip(text.lines().filter(|text| !text.is_empty())) {
            if spots.len() == GRAPH_NODES_MAX {
                return Err(SpotRefused::TooMany);
            }
            let shown = || text.chars().take(SHOWN_CHARS_MAX).collect();
            let spot = spot(text).ok_or_else(|| SpotRefused::Line { line, text: shown() })?;
            if !known.insert(spot.id.clone()) {
                return Err(SpotRefused::Twice { line, id: spot.id });
            }
            spots.push(spot);
        }
        Ok(Spots(spots))
    }

    /// Where they are.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        self.0.iter().map(|spot| spot.at)
    }

    /// Where a thing is, if it is drawn.
    #[must_use]
    pub fn at(&self, id: &str) -> Option<Point> {
        self.0.iter().find(|spot| spot.id == id).map(|spot| spot.at)
    }
}

fn spot(line: &str) -> Option<Spot> {
    let mut parts = line.split('\t');
    let (id, x, y, pin) = (parts.next()?, parts.next()?, parts.next()?, parts.next());
    let place = |text: &str| {
        let place: i32 = text.parse().ok()?;
        (place.unsigned_abs() <= GRAPH_COORDINATE_MAX.unsigned_abs()).then_some(place)
    };
    let sound = !id.is_empty() && parts.next().is_none() && pin.is_none_or(|pin| pin == "p");
    let at = Point { x: place(x)?, y: place(y)? };
    sound.then(|| Spot { id: id.to_owned(), at, pinned: pin.is_some() })
}
