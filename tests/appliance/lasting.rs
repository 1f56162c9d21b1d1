//! A node with something of everything in it, and what it answers, less what is of the moment: what must be the same
//! after damage was mended, and for a later program.

use serde_json::{Value, json};

use crate::data::{self, Made};
use crate::http::Http;
use crate::node::Node;

/// What an answer tells of its moment, or of an index that was made anew: its statistics are of other segments.
const OF_THE_MOMENT: [&str; 8] =
    ["tookMs", "lsn", "lastSeen", "usedAt", "extensions", "size", "position", "keywordRaw"];
/// Kept for ever: nothing of it falls due while it lies in a fixture.
const KEPT: [&str; 2] = ["--retention", "legal-hold"];

/// A question, and its answer.
pub(crate) type Answered = (Value, String);

/// What was put into a node.
pub(crate) struct Filled {
    ring: Made,
    net: Made,
    /// The last record that a search has to reflect.
    lsn: Value,
}

/// The first half: a ring of JSONL, and a token.
pub(crate) fn begin(node: &Node) -> Made {
    let ring = data::jsonl("ring", 200);
    let file = node.write("ring.jsonl", &ring.text);
    node.import(&file, "jsonl", "ring", &KEPT).ok();
    node.cli(&["token", "create", "--role", "reader"]).ok();
    ring
}

/// The second: a bundle, something that was deleted and came back, and a saved graph.
pub(crate) fn go_on(node: &Node, ring: Made) -> Filled {
    let net = data::stix("net", 40);
    let file = node.write("net.json", &net.text);
    let lsn = node.import(&file, "stix", "net", &KEPT).ok()["lsn"].clone();
    node.cli(&["entity", "delete", &ring.entities[3]]).ok();
    node.cli(&["entity", "restore", &ring.entities[3]]).ok();
    let graph = json!({"name": "kept", "shared": true, "nodes": format!("0,0,{}", ring.entities[0])});
    node.http().post(&json!({"id": "graphSave:v1", "variables": graph}));
    Filled { ring, net, lsn }
}

impl Filled {
    /// Whatever can be asked of it all, answered.
    pub(crate) fn answers(&self, http: &Http) -> Vec<Answered> {
        self.questions().into_iter().map(|question| (question.clone(), ask(http, &question))).collect()
    }

    fn questions(&self) -> Vec<Value> {
        let ask = |id: &str, variables: Value| json!({"id": id, "variables": variables});
        let mut questions = Vec::new();
        for made in [&self.ring, &self.net] {
            for id in made.entities.iter().step_by(5) {
                questions.push(ask("entity:v2", json!({"id": id})));
                questions.push(ask("entityHistory:v1", json!({"id": id})));
                questions.push(ask("relations:v3", json!({"id": id})));
            }
            questions.push(ask("search:v1", json!({"q": made.word, "atLeast": self.lsn})));
        }
        for lsn in (1..300).step_by(7) {
            questions.push(ask("ledgerReceipt:v1", json!({"lsn": lsn})));
        }
        for id in ["tokenList:v1", "graphs:v1", "sources:v1", "runs:v2", "policy:v1"] {
            questions.push(ask(id, json!({})));
        }
        questions
    }
}

/// The status and what is lasting of the answer: one that took longer is the same.
pub(crate) fn ask(http: &Http, question: &Value) -> String {
    let answer = http.post(question);
    let mut document = answer.json();
    forget(&mut document);
    format!("{} {document}", answer.status)
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !OF_THE_MOMENT.contains(&name.as_str()));
            fields.values_mut().for_each(forget);
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}
