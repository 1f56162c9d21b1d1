//! A new layout of everything: each part of the graph by itself, as a tree round its best connected node, then loosened
//! where nodes press and pulled together where other edges join, and at last put on the grid.

mod parts;
mod relax;
mod tree;

use super::cells::Cells;
use super::{CELL, Point};
use parts::{Part, parts};

/// What is to be laid out: nodes by their place in a list that is in order of ids, and which of them are joined.
pub(super) struct Plan {
    /// The neighbours of each, in order, each once.
    pub(super) near: Vec<Vec<usize>>,
    pub(super) pinned: Vec<Option<Point>>,
}

/// Where each node goes, in the order in which they are given.
///
/// Each comes with its id and, if it is pinned, where; `edges` join them by their places in the list. Pinned nodes stay; of
/// the others no two lie on each other, nor on those.
#[must_use]
pub fn arrange(nodes: &[(&str, Option<Point>)], edges: &[(usize, usize)]) -> Vec<Point> {
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|node| nodes[*node].0);
    let mut rank = vec![0; nodes.len()];
    order.iter().enumerate().for_each(|(place, node)| rank[*node] = place);
    let mut near = vec![Vec::new(); nodes.len()];
    for (from, to) in edges.iter().map(|(from, to)| (rank[*from], rank[*to])).filter(|(from, to)| from != to)
    {
        near[from].push(to);
        near[to].push(from);
    }
    near.iter_mut().for_each(|near| {
        near.sort_unstable();
        near.dedup();
    });
    let plan = Plan { near, pinned: order.iter().map(|node| nodes[*node].1).collect() };
    let places = plan.places();
    rank.iter().map(|rank| places[*rank]).collect()
}

impl Plan {
    fn places(&self) -> Vec<Point> {
        let mut drawn = vec![(0.0, 0.0); self.near.len()];
        let mut loose = Vec::new();
        for part in parts(self) {
            let laid = relax::relax(self, &part, tree::tree(self, &part));
            if part.is_anchored(self) {
                part.nodes.iter().zip(&laid).for_each(|(node, at)| drawn[*node] = *at);
            } else {
                loose.push((part, laid));
            }
        }
        self.pack(loose, &mut drawn);
        self.on_the_grid(&drawn)
    }

    /// Puts parts that nothing holds beside each other in rows, the largest first, below what is held.
    fn pack(&self, mut loose: Vec<(Part, Vec<(f64, f64)>)>, drawn: &mut [(f64, f64)]) {
        loose.sort_by_key(|(part, _)| (std::cmp::Reverse(part.nodes.len()), part.nodes[0]));
        let sizes: Vec<Bounds> = loose.iter().map(|(_, laid)| Bounds::of(laid)).collect();
        let area: f64 = sizes.iter().map(|size| size.width() * size.height()).sum();
        let row_max = (area.sqrt() * 1.5).max(sizes.iter().map(Bounds::width).fold(0.0, f64::max));
        let held: Vec<_> =
            self.pinned.iter().flatten().map(|at| (f64::from(at.x), f64::from(at.y))).collect();
        let held = (!held.is_empty()).then(|| Bounds::of(&held));
        let (left, top) =
            held.as_ref().map_or((0.0, 0.0), |held| (held.left, held.bottom + f64::from(CELL.y)));
        let (mut x, mut y, mut row_height) = (left, top, 0.0);
        for ((part, laid), size) in loose.iter().zip(&sizes) {
            if x > left && x - left + size.width() > row_max {
                (x, y, row_height) = (left, y + row_height, 0.0);
            }
            for (node, at) in part.nodes.iter().zip(laid) {
                drawn[*node] = (at.0 - size.left + x, at.1 - size.top + y);
            }
            x += size.width();
            row_height = f64::max(row_height, size.height());
        }
        if held.is_none() {
            centre(drawn);
        }
    }

    /// Pinned nodes first, then the best connected, so that leaves make way for them.
    fn on_the_grid(&self, drawn: &[(f64, f64)]) -> Vec<Point> {
        let mut cells: Cells = self.pinned.iter().flatten().copied().collect();
        let mut order: Vec<usize> = (0..drawn.len()).filter(|node| self.pinned[*node].is_none()).collect();
        order.sort_by_key(|node| (std::cmp::Reverse(self.near[*node].len()), *node));
        let mut places: Vec<Point> = self.pinned.iter().map(|pinned| pinned.unwrap_or_default()).collect();
        for node in order {
            places[node] = cells.take_nearest(Point::within(drawn[node].0, drawn[node].1));
        }
        places
    }
}

/// What a part takes, with room round it.
struct Bounds {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Bounds {
    fn of(places: &[(f64, f64)]) -> Bounds {
        let (x, y) = (f64::from(CELL.x), f64::from(CELL.y));
        let empty = Bounds { left: f64::MAX, top: f64::MAX, right: f64::MIN, bottom: f64::MIN };
        places.iter().fold(empty, |all, at| Bounds {
            left: all.left.min(at.0 - x),
            top: all.top.min(at.1 - y),
            right: all.right.max(at.0 + x),
            bottom: all.bottom.max(at.1 + y),
        })
    }

    fn width(&self) -> f64 {
        self.right - self.left
    }

    fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

fn centre(drawn: &mut [(f64, f64)]) {
    if drawn.is_empty() {
        return;
    }
    let all = Bounds::of(drawn);
    let (x, y) = (f64::midpoint(all.left, all.right), f64::midpoint(all.top, all.bottom));
    drawn.iter_mut().for_each(|at| *at = (at.0 - x, at.1 - y));
}
