//! A part as a tree round its middle: each step outward is a ring, and each branch has a sector as wide as it has ends.

use std::f64::consts::TAU;

use super::Plan;
use super::parts::Part;

/// From one ring to the next, in pixels.
const RING: f64 = 230.0;
/// What a node takes of a ring, in pixels.
const ROOM: f64 = 140.0;
/// From one row to the next of a ring that has several, in pixels.
const ROW: f64 = 100.0;
/// A ring of more nodes than this has several rows, so that a hub does not draw a circle that nobody can see as a whole.
const ROW_NODES: f64 = 12.0;

/// Where each node of the part is, in the order of its nodes.
pub(super) fn tree(plan: &Plan, part: &Part) -> Vec<(f64, f64)> {
    let count = part.nodes.len();
    let mut depth = vec![0; count];
    for node in 1..count {
        depth[node] = depth[part.parents[node]] + 1;
    }
    let ends = ends(part);
    // Where the sector of each begins, and how much of it its branches have taken.
    let (mut begins, mut taken) = (vec![0.0; count], vec![0.0; count]);
    let whole = ends[0];
    let rings = Rings::of(&depth);
    let middle = plan.pinned[part.nodes[0]].map_or((0.0, 0.0), |at| (f64::from(at.x), f64::from(at.y)));
    let mut drawn = vec![middle; count];
    let mut nth = vec![0; rings.0.len()];
    for node in 1..count {
        let parent = part.parents[node];
        begins[node] = begins[parent] + taken[parent];
        let width = ends[node] / whole * TAU;
        taken[parent] += width;
        let (radius, angle) = (rings.radius(depth[node], nth[depth[node]]), begins[node] + width / 2.0);
        nth[depth[node]] += 1;
        drawn[node] = (middle.0 + radius * angle.cos(), middle.1 + radius * angle.sin());
    }
    drawn
}

/// How many ends the branches of each node have; one that has none is an end itself.
fn ends(part: &Part) -> Vec<f64> {
    let mut ends = vec![0.0; part.nodes.len()];
    for node in (1..part.nodes.len()).rev() {
        ends[node] = f64::max(ends[node], 1.0);
        ends[part.parents[node]] += ends[node];
    }
    ends[0] = f64::max(ends[0], 1.0);
    ends
}

/// For each ring its inner radius and how many rows it has.
struct Rings(Vec<(f64, usize)>);

impl Rings {
    fn of(depth: &[usize]) -> Rings {
        let mut counts = vec![0.0; depth.iter().max().map_or(1, |deepest| deepest + 1)];
        depth.iter().for_each(|depth| counts[*depth] += 1.0);
        let (mut rings, mut inner) = (Vec::new(), 0.0);
        for (step, count) in counts.into_iter().enumerate() {
            let rows = f64::sqrt(count / ROW_NODES).ceil().max(1.0);
            let radius = if step == 0 { 0.0 } else { f64::max(inner + RING, count / rows * ROOM / TAU) };
            inner = radius + (rows - 1.0) * ROW;
            rings.push((radius, rows as usize));
        }
        Rings(rings)
    }

    fn radius(&self, depth: usize, nth: usize) -> f64 {
        let (inner, rows) = self.0[depth];
        inner + (nth % rows) as f64 * ROW
    }
}
