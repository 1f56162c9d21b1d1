//! Loosens a drawing: nodes that are too near push each other away, edges keep the length that they were drawn with, and
//! those that the tree does not have pull a little.

use std::collections::HashMap;

use super::Plan;
use super::parts::Part;

/// Nodes nearer than this push, in pixels.
const PUSH: f64 = 150.0;
/// How much of what they lack they gain in a round.
const PUSH_SHARE: f64 = 0.4;
/// How much of what an edge of the tree is too long or short it gives in a round,
const TREE_SHARE: f64 = 0.2;
/// and another edge.
const PULL_SHARE: f64 = 0.02;
/// Another edge pulls down to this, in pixels.
const PULL_TO: f64 = 200.0;
/// Rounds for a part of few nodes, and for one of many.
const ROUNDS: usize = 80;
const ROUNDS_OF_MANY: usize = 24;
const MANY: usize = 2_000;
/// Of a heap of pinned nodes no more than these push.
const PUSHING_MAX: usize = 32;

struct Edge {
    from: usize,
    to: usize,
    length: f64,
    share: f64,
}

pub(super) fn relax(plan: &Plan, part: &Part, mut drawn: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let held: Vec<Option<(f64, f64)>> = part
        .nodes
        .iter()
        .map(|node| plan.pinned[*node].map(|at| (f64::from(at.x), f64::from(at.y))))
        .collect();
    let hold = |drawn: &mut [(f64, f64)]| {
        for (at, held) in drawn.iter_mut().zip(&held) {
            *at = held.unwrap_or(*at);
        }
    };
    let edges = edges(plan, part, &drawn);
    hold(&mut drawn);
    for _ in 0..if drawn.len() > MANY { ROUNDS_OF_MANY } else { ROUNDS } {
        let mut moves = Moves(vec![(0.0, 0.0, 0.0); drawn.len()]);
        pull(&edges, &drawn, &mut moves);
        push(&drawn, &mut moves);
        moves.apply(&mut drawn);
        hold(&mut drawn);
    }
    drawn
}

fn edges(plan: &Plan, part: &Part, drawn: &[(f64, f64)]) -> Vec<Edge> {
    let place: HashMap<usize, usize> = part.nodes.iter().enumerate().map(|(at, node)| (*node, at)).collect();
    let mut edges = Vec::new();
    for (from, node) in part.nodes.iter().enumerate() {
        for to in plan.near[*node].iter().map(|near| place[near]).filter(|to| from < *to) {
            let of_tree = part.parents[to] == from || part.parents[from] == to;
            let drawn_length = length(drawn[from], drawn[to]);
            let (length, share) = if of_tree { (drawn_length, TREE_SHARE) } else { (PULL_TO, PULL_SHARE) };
            edges.push(Edge { from, to, length, share });
        }
    }
    edges
}

/// What moves each node in a round: the sum, and of how many.
struct Moves(Vec<(f64, f64, f64)>);

impl Moves {
    fn add(&mut self, node: usize, by: (f64, f64)) {
        let (x, y, count) = self.0[node];
        self.0[node] = (x + by.0, y + by.1, count + 1.0);
    }

    /// By the mean: what many pull at does not fly away.
    fn apply(&self, drawn: &mut [(f64, f64)]) {
        for (at, (x, y, count)) in drawn.iter_mut().zip(&self.0) {
            if *count > 0.0 {
                *at = (at.0 + x / count, at.1 + y / count);
            }
        }
    }
}

fn pull(edges: &[Edge], drawn: &[(f64, f64)], moves: &mut Moves) {
    for edge in edges {
        let (from, to) = (drawn[edge.from], drawn[edge.to]);
        let now = length(from, to).max(1.0);
        let by = (now - edge.length) / now * edge.share;
        let by = ((to.0 - from.0) * by, (to.1 - from.1) * by);
        moves.add(edge.from, by);
        moves.add(edge.to, (-by.0, -by.1));
    }
}

/// Only nodes in one square, or in squares beside each other, can be near.
fn push(drawn: &[(f64, f64)], moves: &mut Moves) {
    let square = |at: (f64, f64)| ((at.0 / PUSH).floor() as i64, (at.1 / PUSH).floor() as i64);
    let mut squares: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
    for (node, at) in drawn.iter().enumerate() {
        squares.entry(square(*at)).or_default().push(node);
    }
    for (node, at) in drawn.iter().enumerate() {
        let (column, row) = square(*at);
        for beside in (-1..=1).flat_map(|x| (-1..=1).map(move |y| (column + x, row + y))) {
            let others = squares.get(&beside).into_iter().flatten().filter(|other| **other > node);
            others.take(PUSHING_MAX).for_each(|other| push_apart(drawn, node, *other, moves));
        }
    }
}

fn push_apart(drawn: &[(f64, f64)], one: usize, other: usize, moves: &mut Moves) {
    let (from, to) = (drawn[one], drawn[other]);
    let now = length(from, to);
    if now >= PUSH {
        return;
    }
    // Two on one point part to the sides, the lower one to the left.
    let direction = if now < 1.0 { (1.0, 0.0) } else { ((to.0 - from.0) / now, (to.1 - from.1) / now) };
    let by = (PUSH - now) / 2.0 * PUSH_SHARE;
    moves.add(one, (-direction.0 * by, -direction.1 * by));
    moves.add(other, (direction.0 * by, direction.1 * by));
}

fn length(from: (f64, f64), to: (f64, f64)) -> f64 {
    (to.0 - from.0).hypot(to.1 - from.1)
}
