//! The relations of a thing, and paths between two.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::client::{Client, next_cursor, nodes};
use super::output::{Output, plain};
use super::{Answer, Failure, Global, Result};

/// Whose relations, and which.
#[derive(Args)]
pub(super) struct Relations {
    /// The thing's id
    id: String,
    /// As the node knew them then (RFC 3339)
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Of this kind only
    #[arg(long)]
    kind: Option<String>,
    /// Those that leave it, those that point to it, or both
    #[arg(long, value_enum, default_value = "both")]
    direction: Direction,
    /// Relations on a page
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// The next page: the `next_cursor` of the one before
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Direction {
    Out,
    In,
    Both,
}

/// Between which things, and how far.
#[derive(Args)]
pub(super) struct PathBetween {
    /// The id to start at
    from: String,
    /// The id to reach
    to: String,
    /// Most hops
    #[arg(long, default_value_t = 3)]
    depth: u32,
    /// Over relations of this kind only
    #[arg(long)]
    kind: Option<String>,
}

impl Relations {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let direction = match self.direction {
            Direction::Out => "OUT",
            Direction::In => "IN",
            Direction::Both => "BOTH",
        };
        let variables = json!({
            "id": self.id, "asOf": self.as_of, "kind": self.kind,
            "direction": direction, "first": self.limit, "after": self.after,
        });
        let found = Client::new(global)?.run("relations:v2", variables).await?;
        let page = &found["relations"];
        if page.is_null() {
            return Err(Failure::from_node("not_found", &format!("no entity `{}`", self.id)));
        }
        let relations = nodes(page);
        let any = !relations.is_empty();
        let document = json!({"relations": relations, "next_cursor": next_cursor(page)});
        output.result(&document, |output| print(&document, output));
        Ok(if any { Answer::Yes } else { Answer::No })
    }
}

impl PathBetween {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let variables = json!({"from": self.from, "to": self.to, "depth": self.depth, "kind": self.kind});
        let found = Client::new(global)?.run("paths:v1", variables).await?;
        let paths = &found["paths"];
        if paths.is_null() {
            let (from, to) = (&self.from, &self.to);
            return Err(Failure::from_node("not_found", &format!("no entity `{from}` or no entity `{to}`")));
        }
        output.result(paths, |output| {
            for path in paths["paths"].as_array().into_iter().flatten() {
                let ids = path.as_array().into_iter().flatten().map(plain);
                output.line(&ids.collect::<Vec<_>>().join(" -> "));
            }
        });
        let any = paths["paths"].as_array().is_some_and(|paths| !paths.is_empty());
        Ok(if any { Answer::Yes } else { Answer::No })
    }
}

fn print(page: &Value, output: &Output) {
    let columns = ["kind", "from", "to", "weight", "since", "source", "status", "id"];
    let relations = page["relations"].as_array().into_iter().flatten();
    let rows: Vec<_> =
        relations.map(|relation| columns.map(|name| plain(&relation[name])).to_vec()).collect();
    if rows.is_empty() {
        output.note("no relation of these");
    }
    output.table(&columns, &rows, "relation");
    if let Some(cursor) = page["next_cursor"].as_str() {
        output.line(&output.dim(&format!("more with --after {cursor}")));
    }
}
