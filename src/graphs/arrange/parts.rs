//! The parts of a graph that no edge joins.

use super::Plan;

/// Nodes that are joined, directly or over others; the first is its middle, the others follow as the edges lead to them.
pub(super) struct Part {
    pub(super) nodes: Vec<usize>,
    /// By which node each was reached, by its place in `nodes`; the middle by itself.
    pub(super) parents: Vec<usize>,
}

impl Part {
    /// Whether somebody pinned a node of it.
    pub(super) fn is_anchored(&self, plan: &Plan) -> bool {
        self.nodes.iter().any(|node| plan.pinned[*node].is_some())
    }
}

/// Every part, round a pinned node if it has one, else round its best connected.
pub(super) fn parts(plan: &Plan) -> Vec<Part> {
    let mut middles: Vec<usize> = (0..plan.near.len()).collect();
    middles
        .sort_by_key(|node| (plan.pinned[*node].is_none(), std::cmp::Reverse(plan.near[*node].len()), *node));
    let mut known = vec![false; plan.near.len()];
    let mut parts = Vec::new();
    for middle in middles {
        if !known[middle] {
            parts.push(part(plan, middle, &mut known));
        }
    }
    parts
}

fn part(plan: &Plan, middle: usize, known: &mut [bool]) -> Part {
    let mut part = Part { nodes: vec![middle], parents: vec![0] };
    known[middle] = true;
    let mut at = 0;
    while at < part.nodes.len() {
        for near in &plan.near[part.nodes[at]] {
            if !std::mem::replace(&mut known[*near], true) {
                part.nodes.push(*near);
                part.parents.push(at);
            }
        }
        at += 1;
    }
    part
}
