//! Saved graphs: each its maker's, replaced only by who saw the last version.

use storage::commands::{DeleteGraph, Effect, SaveGraph};
use storage::model::Graph;
use storage::record::Kind;

use super::{Answer, Model, Tenant, What, refuse_if};

/// A saved graph: maker, since when, the graph, its position, saved when.
pub(crate) type Kept = (u64, i64, Graph, u64, i64);

impl Model {
    pub(super) fn save_graph(&mut self, c: &SaveGraph, time_us: i64) -> Answer {
        refuse_if(is_invalid(&c.graph), "invalid")?;
        self.tenant(c.tenant)?.save_graph(c, time_us)
    }
}

impl Tenant {
    fn save_graph(&mut self, c: &SaveGraph, time_us: i64) -> Answer {
        let (graph, maker) = (&c.graph, c.actor.0);
        let is_there = |number: u64, of: usize| (1..=of as u64).contains(&number);
        let things = graph.nodes.iter().all(|node| is_there(node.thing, self.unseen.numbers.len()));
        let labels = graph
            .labels
            .iter()
            .chain(&graph.relation_labels)
            .all(|label| is_there(u64::from(*label), self.labels.len()));
        refuse_if(!things || !labels, "not_found")?;
        let known = self.graphs.get(&graph.id).map(|kept| (kept.0, kept.1, kept.3));
        refuse_if(known.map_or(graph.replaces != 0, |(owner, ..)| owner != maker), "not_found")?;
        refuse_if(known.is_some_and(|(.., version)| version != graph.replaces), "superseded")?;
        let saved_us = self.log(Kind::GraphSaved, c.actor, time_us, What::Graph(graph.clone()));
        let made_us = known.map_or(saved_us, |(_, made_us, _)| made_us);
        let kept = (maker, made_us, graph.clone(), self.log.len() as u64, saved_us);
        self.graphs.insert(graph.id.clone(), kept);
        self.answer(if known.is_some() { Effect::Updated } else { Effect::Created })
    }

    pub(super) fn delete_graph(&mut self, c: &DeleteGraph, time_us: i64) -> Answer {
        refuse_if(self.graphs.remove(&c.id).is_none(), "not_found")?;
        self.log(Kind::GraphDeleted, c.actor, time_us, What::Id(c.id.clone()));
        self.answer(Effect::Done)
    }
}

fn is_invalid(graph: &Graph) -> bool {
    let far = |place: i32| !(-1_000_000..=1_000_000).contains(&place);
    let wrong = |at: usize| {
        let node = &graph.nodes[at];
        far(node.x) || far(node.y) || graph.nodes[..at].iter().any(|earlier| earlier.thing == node.thing)
    };
    graph.name.trim().is_empty() || graph.nodes.is_empty() || (0..graph.nodes.len()).any(wrong)
}
