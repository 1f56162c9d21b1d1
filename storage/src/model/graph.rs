//! A saved graph: things that somebody put beside each other, and where. It says nothing of them.

use prost::Message;

use crate::error::{Error, Result};

/// Longest id of a graph, in bytes.
pub const GRAPH_ID_BYTES_MAX: usize = 64;
/// Longest name of a graph, in characters.
pub const GRAPH_NAME_CHARS_MAX: usize = 200;
/// Longest note on a graph, in characters.
pub const GRAPH_NOTE_CHARS_MAX: usize = 10_000;
/// Most things on a graph.
pub const GRAPH_NODES_MAX: usize = 20_000;
/// How far from the middle a thing may be placed, in pixels.
pub const GRAPH_COORDINATE_MAX: i32 = 1_000_000;

/// A graph as it was saved.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Graph {
    /// Its id, unique in the tenant.
    #[prost(string, tag = "1")]
    pub id: String,
    /// What its maker calls it.
    #[prost(string, tag = "2")]
    pub name: String,
    /// What its maker says of it.
    #[prost(string, tag = "3")]
    pub note: String,
    /// Whether others may open it.
    #[prost(bool, tag = "4")]
    pub shared: bool,
    /// The things on it, each once. Their numbers, not their ids: an id can be a person's name.
    #[prost(message, repeated, tag = "5")]
    pub nodes: Vec<GraphNode>,
    /// Every label under which its maker was shown something of a thing on it, in order, each once,
    #[prost(uint32, repeated, tag = "6")]
    pub labels: Vec<u32>,
    /// and of a relation between two of them.
    #[prost(uint32, repeated, tag = "7")]
    pub relation_labels: Vec<u32>,
    /// The version that it replaced: the position of that one's record; 0 if it is new.
    #[prost(uint64, tag = "8")]
    pub replaces: u64,
}

/// A thing on a graph, and where.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct GraphNode {
    /// The thing.
    #[prost(uint64, tag = "1")]
    pub thing: u64,
    /// To the right of the middle, in pixels.
    #[prost(sint32, tag = "2")]
    pub x: i32,
    /// Below the middle, in pixels.
    #[prost(sint32, tag = "3")]
    pub y: i32,
    /// Whether somebody put it there by hand: then it stays when all others are arranged.
    #[prost(bool, tag = "4")]
    pub pinned: bool,
}

impl Graph {
    /// Checks words, places and numbers against their limits.
    ///
    /// # Errors
    /// `Invalid` with the limit.
    pub fn validate(&self) -> Result<()> {
        words("graph id", &self.id, is_id(&self.id), format!("1 to {GRAPH_ID_BYTES_MAX} of a-z, 0-9 and -"))?;
        let named = (1..=GRAPH_NAME_CHARS_MAX).contains(&self.name.trim().chars().count())
            && !self.name.chars().any(char::is_control);
        let limit = format!("1 to {GRAPH_NAME_CHARS_MAX} characters, no control characters");
        words("graph name", &self.name, named, limit)?;
        let noted = self.note.chars().count() <= GRAPH_NOTE_CHARS_MAX;
        words("graph note", &self.note, noted, format!("at most {GRAPH_NOTE_CHARS_MAX} characters"))?;
        let ordered = self.labels.is_sorted_by(|one, next| one < next)
            && self.relation_labels.is_sorted_by(|one, next| one < next);
        words("labels of a graph", &self.id, ordered, "in order, each once".to_owned())?;
        self.validate_nodes()
    }

    fn validate_nodes(&self) -> Result<()> {
        let count = self.nodes.len();
        let limit = format!("from 1 to {GRAPH_NODES_MAX}");
        words("graph of things", &count.to_string(), (1..=GRAPH_NODES_MAX).contains(&count), limit)?;
        let mut things: Vec<_> = self.nodes.iter().map(|node| node.thing).collect();
        things.sort_unstable();
        if let Some(twice) = things.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::invalid("thing twice on a graph", &twice[0].to_string(), "each once"));
        }
        let far = self.nodes.iter().flat_map(|node| [node.x, node.y]);
        match far.into_iter().find(|place| place.unsigned_abs() > GRAPH_COORDINATE_MAX.unsigned_abs()) {
            None => Ok(()),
            Some(far) => {
                let limit = format!("at most {GRAPH_COORDINATE_MAX} pixels from the middle");
                Err(Error::invalid("place on a graph", &far.to_string(), limit))
            }
        }
    }

    /// Reads the body of the record of a graph.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<Graph> {
        super::decode(bytes, "graph")
    }
}

fn words(what: &'static str, value: &str, fits: bool, limit: String) -> Result<()> {
    if fits { Ok(()) } else { Err(Error::invalid(what, value, limit)) }
}

fn is_id(id: &str) -> bool {
    let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=GRAPH_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(legal)
}
