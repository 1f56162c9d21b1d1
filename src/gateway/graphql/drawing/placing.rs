//! From what a client has and wants to what is drawn, and where.

use std::collections::{BTreeMap, HashMap, HashSet};

use storage::ids::ThingId;

use super::answers::{Drawn, DrawnNode, Expanded, Placed, edges, kinds};
use crate::gateway::errors::Failure;
use crate::graphs::{self, CELL, Point, Spot, Spots};
use crate::read::{Drawing, Node, Order, Tie, Wish};

/// What is drawn and may be seen, with where.
pub(super) fn found<'s>(
    drawing: &Drawing<'_, '_>,
    spots: &'s Spots,
) -> Result<Vec<(ThingId, &'s Spot)>, Failure> {
    let mut found = Vec::with_capacity(spots.0.len());
    for spot in &spots.0 {
        found.extend(drawing.find(&spot.id)?.map(|thing| (thing, spot)));
    }
    Ok(found)
}

/// Things by their ids, each once and none that is drawn already.
pub(super) fn add<'i>(
    drawing: &mut Drawing<'_, '_>,
    spots: &Spots,
    ids: impl Iterator<Item = &'i str>,
    near: Option<&str>,
) -> Result<Drawn, Failure> {
    let present = found(drawing, spots)?;
    let mut known: HashSet<ThingId> = present.iter().map(|(thing, _)| *thing).collect();
    let mut nodes = Vec::new();
    for id in ids {
        let node = drawing.find(id)?.filter(|thing| known.insert(*thing)).map(|thing| drawing.node(thing));
        nodes.extend(node.transpose()?.flatten());
    }
    nodes.sort_by(|one, other| one.id.cmp(&other.id));
    let ties = drawing.ties(&things(&nodes), &known)?;
    let places = places(&nodes, &ties, &present, spots, near);
    let ids = ids_of(&present, &nodes);
    Ok(Drawn {
        nodes: placed(drawing, nodes, places)?,
        edges: Some(edges(ties, &ids)),
        truncated: drawing.is_truncated(),
    })
}

/// The neighbours of a thing, as many as are wanted; `None` if there is no such thing.
pub(super) fn expand(
    drawing: &mut Drawing<'_, '_>,
    spots: &Spots,
    id: &str,
    wishes: &[Wish],
    order: Order,
    count: usize,
) -> Result<Option<Expanded>, Failure> {
    let Some(thing) = drawing.find(id)? else { return Ok(None) };
    let present = found(drawing, spots)?;
    let mut known: HashSet<ThingId> = present.iter().map(|(thing, _)| *thing).collect();
    let wanted = drawing.neighbours(thing, wishes, order, &known)?;
    let mut nodes = Vec::new();
    for thing in wanted.iter().take(count) {
        nodes.extend(drawing.node(*thing)?);
    }
    // By type, so that what is alike comes to lie together.
    nodes.sort_by(|one, other| (&one.thing_type, &one.id).cmp(&(&other.thing_type, &other.id)));
    known.extend(things(&nodes));
    let ties = drawing.ties(&things(&nodes), &known)?;
    let points: Vec<Point> = spots.points().collect();
    let places = graphs::near(spots.at(id).unwrap_or_default(), &points, nodes.len());
    let ids = ids_of(&present, &nodes);
    let (of, rest) = (wanted.len() as u64, (wanted.len() - nodes.len()) as u64);
    Ok(Some(Expanded {
        nodes: placed(drawing, nodes, places)?,
        edges: Some(edges(ties, &ids)),
        of,
        rest,
        truncated: drawing.is_truncated(),
    }))
}

/// A new place for everything that is not pinned.
pub(super) fn arrange(drawing: &mut Drawing<'_, '_>, spots: &Spots) -> Result<Vec<Placed>, Failure> {
    let found = found(drawing, spots)?;
    let ties = drawing.ties_among(&found.iter().map(|(thing, _)| *thing).collect())?;
    let nodes: Vec<_> = found
        .iter()
        .map(|(thing, spot)| (*thing, spot.id.as_str(), spot.pinned.then_some(spot.at)))
        .collect();
    let places = arranged(&nodes, &ties);
    let placed = |((_, spot), at): (&(ThingId, &Spot), Point)| Placed::new(spot.id.clone(), at);
    Ok(found.iter().zip(places).map(placed).collect())
}

fn arranged(nodes: &[(ThingId, &str, Option<Point>)], ties: &[Tie]) -> Vec<Point> {
    let at: HashMap<ThingId, usize> =
        nodes.iter().enumerate().map(|(at, (thing, ..))| (*thing, at)).collect();
    let joined = ties.iter().filter_map(|tie| Some((*at.get(&tie.from)?, *at.get(&tie.to)?)));
    let nodes: Vec<_> = nodes.iter().map(|(_, id, pinned)| (*id, *pinned)).collect();
    graphs::arrange(&nodes, &joined.collect::<Vec<_>>())
}

/// Where new things go: round the one that was named, else round one that they are joined to, else beside everything.
fn places(
    nodes: &[Node],
    ties: &[Tie],
    present: &[(ThingId, &Spot)],
    spots: &Spots,
    near: Option<&str>,
) -> Vec<Point> {
    if spots.0.is_empty() {
        let nodes: Vec<_> = nodes.iter().map(|node| (node.thing, node.id.as_str(), None)).collect();
        return arranged(&nodes, ties);
    }
    let mut points: Vec<Point> = spots.points().collect();
    let beside = beside(&points);
    let at: HashMap<ThingId, Point> = present.iter().map(|(thing, spot)| (*thing, spot.at)).collect();
    let named = near.and_then(|near| spots.at(near));
    let mut round: BTreeMap<Point, Vec<usize>> = BTreeMap::new();
    for (place, node) in nodes.iter().enumerate() {
        let parent = named.or_else(|| joined_to(node.thing, ties, &at)).unwrap_or(beside);
        round.entry(parent).or_default().push(place);
    }
    let mut places = vec![Point::default(); nodes.len()];
    for (parent, group) in round {
        let found = graphs::near(parent, &points, group.len());
        points.extend(&found);
        group.into_iter().zip(found).for_each(|(place, at)| places[place] = at);
    }
    places
}

fn joined_to(thing: ThingId, ties: &[Tie], at: &HashMap<ThingId, Point>) -> Option<Point> {
    let others = ties.iter().filter_map(|tie| match (tie.from == thing, tie.to == thing) {
        (true, _) => Some(tie.to),
        (_, true) => Some(tie.from),
        _ => None,
    });
    others.filter_map(|other| at.get(&other)).min().copied()
}

/// To the right of everything, half way down.
fn beside(points: &[Point]) -> Point {
    let right = points.iter().map(|point| point.x).max().unwrap_or_default();
    let (top, bottom) = (points.iter().map(|point| point.y).min(), points.iter().map(|point| point.y).max());
    let middle = i32::midpoint(top.unwrap_or_default(), bottom.unwrap_or_default());
    Point { x: (right + 3 * CELL.x).min(storage::model::GRAPH_COORDINATE_MAX), y: middle }
}

fn placed(
    drawing: &mut Drawing<'_, '_>,
    nodes: Vec<Node>,
    places: Vec<Point>,
) -> Result<Vec<DrawnNode>, Failure> {
    let mut placed = Vec::with_capacity(nodes.len());
    for (node, at) in nodes.into_iter().zip(places) {
        let kinds = kinds_of(drawing, &node)?;
        placed.push(DrawnNode::new(node, at, false, kinds));
    }
    Ok(placed)
}

fn kinds_of(
    drawing: &mut Drawing<'_, '_>,
    node: &Node,
) -> Result<(u64, Vec<super::answers::DrawnKind>), Failure> {
    let found = drawing.degree(node.thing)?;
    Ok((found.all as u64, kinds(found)))
}

fn things(nodes: &[Node]) -> HashSet<ThingId> {
    nodes.iter().map(|node| node.thing).collect()
}

/// The ids of what is drawn and of what comes.
fn ids_of(present: &[(ThingId, &Spot)], nodes: &[Node]) -> HashMap<ThingId, String> {
    let present = present.iter().map(|(thing, spot)| (*thing, spot.id.clone()));
    present.chain(nodes.iter().map(|node| (node.thing, node.id.clone()))).collect()
}
