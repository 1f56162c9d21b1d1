//! Probes of every persisted operation: its variables are drawn by their names.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{BaseType, DocumentOperations, Type};
use intelgraph::gateway::operations::{ALL, Operation};
use serde_json::{Map, Value, json};

use super::Findings;
use super::answers::{lasting_headers, lasting_text};
use super::world::{Asker, Word, World};
use crate::http::{Answer, Http};
use crate::seed::Seeded;

/// Stands where a question would have a second hidden word.
const OTHERWISE: &str = "zqopenida";

/// A variable of an operation.
struct Variable {
    name: String,
    list: bool,
    needed: bool,
}

/// What is sent in a variable's place.
enum Drawn {
    Plain(Value),
    Word(Word),
}

pub(super) fn probe(world: &World, probes: u64, random: &mut Seeded, findings: &mut Findings) {
    let clients: Vec<_> = world.askers.iter().map(|asker| world.node.http_as(&asker.token)).collect();
    let operations: Vec<_> = ALL.iter().map(|operation| (operation, variables(operation))).collect();
    let mut made = 0;
    while made < probes {
        for (operation, variables) in &operations {
            for (asker, client) in world.askers.iter().zip(&clients) {
                one(world, asker, client, operation, variables, random, findings);
                made += 1;
            }
        }
    }
}

/// Asks one operation; if a hidden word is in the question, asks it again with one that never was.
fn one(
    world: &World,
    asker: &Asker,
    client: &Http,
    operation: &Operation,
    variables: &[Variable],
    random: &mut Seeded,
    findings: &mut Findings,
) {
    let (mut asked, mut hidden, mut absent) = (Map::new(), None, Map::new());
    for variable in variables {
        if !variable.needed && !random.one_in(3) {
            continue;
        }
        let (value, never) = match draw(world, asker, operation, variable, random) {
            Drawn::Plain(value) => (value.clone(), value),
            // One hidden word in a question: with two, nobody could tell which of them was answered.
            Drawn::Word(Word { text, absent: Some(never) }) if hidden.is_none() => {
                hidden = Some((text.clone(), never.clone()));
                (variable.value(&text), variable.value(&never))
            }
            Drawn::Word(Word { text, absent: None }) => (variable.value(&text), variable.value(&text)),
            Drawn::Word(_) => (variable.value(OTHERWISE), variable.value(OTHERWISE)),
        };
        asked.insert(variable.name.clone(), value);
        absent.insert(variable.name.clone(), never);
    }
    let probe = format!("operation {}", operation.id);
    let answer = whole(&client.post(&json!({"id": operation.id, "variables": asked})));
    let named = hidden.iter().map(|(text, _)| text.as_str()).chain([OTHERWISE]);
    findings.judge(world, asker, &probe, &named.collect::<Vec<_>>(), &answer);
    if let Some((text, never)) = hidden {
        let ask = |word: &str| {
            let variables = if word == text { &asked } else { &absent };
            whole(&client.post(&json!({"id": operation.id, "variables": variables})))
        };
        findings.compare(asker, &probe, &text, &never, &ask);
    }
}

fn whole(answer: &Answer) -> String {
    format!("{}\n{}\n{}", answer.status, lasting_headers(&answer.headers), lasting_text(&answer.body))
}

/// Something to send; what has a name that is not known here has no probe, and must get one.
fn draw(
    world: &World,
    asker: &Asker,
    operation: &Operation,
    variable: &Variable,
    random: &mut Seeded,
) -> Drawn {
    let pick =
        |random: &mut Seeded, values: &[Value]| Drawn::Plain(values[random.below(values.len())].clone());
    match variable.name.as_str() {
        "id" if operation.id.starts_with("token") => Drawn::Word(world.spare_token(asker, random)),
        "id" | "from" | "to" => Drawn::Word(world.id(asker, random)),
        "q" => Drawn::Word(query(world, asker, random)),
        "prefix" => Drawn::Word(beginning(world, asker, random)),
        "kind" => Drawn::Word(world.word(asker, random, &["kind"])),
        "types" => Drawn::Word(world.word(asker, random, &["type"])),
        "sources" => Drawn::Word(world.source(asker, random)),
        "tenant" => Drawn::Word(world.tenant(asker, random)),
        "lsn" | "atLeast" => Drawn::Plain((1 + random.below(60)).into()),
        "limit" | "depth" | "first" => pick(random, &[1.into(), 3.into(), 100.into(), 0.into()]),
        "after" => pick(random, &["".into(), "AAAA".into(), "1".into()]),
        "asOf" => pick(random, &["2000-01-01T00:00:00Z".into(), "2999-01-01T00:00:00Z".into()]),
        "expiresAt" => pick(random, &["2000-01-01T00:00:00Z".into(), "2999-01-01T00:00:00Z".into()]),
        "direction" => pick(random, &["OUT".into(), "IN".into(), "BOTH".into()]),
        "facets" | "includeRevoked" => pick(random, &[true.into(), false.into()]),
        "role" => pick(random, &["reader".into(), "auditor".into(), "owner".into()]),
        "clearance" => pick(random, &["public".into(), "secret".into()]),
        "purposes" => pick(random, &[json!(["demo"]), json!(["training"])]),
        "scopes" => pick(random, &[json!(["embargoed.read"]), json!([])]),
        name => panic!("the variable `{name}` of `{}` has no probe; add one", operation.id),
    }
}

/// Words as people search for them: alone, beside others, as a phrase, left out, mistyped.
fn query(world: &World, asker: &Asker, random: &mut Seeded) -> Word {
    let places = ["text", "name", "value", "title", "ida", "tag", "type", "kind", "attribute"];
    let word = world.word(asker, random, &places);
    let shapes: [fn(&str) -> String; 5] = [
        str::to_owned,
        |word| format!("kestrel {word}"),
        |word| format!("\"{word} in it\""),
        |word| format!("kestrel -{word}"),
        |word| word[..word.len() - 1].to_owned(),
    ];
    word.map(shapes[random.below(shapes.len())])
}

fn beginning(world: &World, asker: &Asker, random: &mut Seeded) -> Word {
    let word = world.word(asker, random, &["name", "ida", "title"]);
    let spoken: [fn(&str) -> String; 3] =
        [str::to_owned, |word| word[..6].to_owned(), |word| format!("kestrel {}", &word[..5])];
    word.map(spoken[random.below(spoken.len())])
}

impl Word {
    fn map(self, shape: impl Fn(&str) -> String) -> Word {
        Word { text: shape(&self.text), absent: self.absent.as_deref().map(shape) }
    }
}

impl Variable {
    fn value(&self, text: &str) -> Value {
        if self.list { json!([text]) } else { text.into() }
    }
}

fn variables(operation: &Operation) -> Vec<Variable> {
    let document = parse_query(operation.document).expect("a persisted operation");
    let DocumentOperations::Multiple(operations) = document.operations else {
        panic!("{}: has no name", operation.id)
    };
    let root = operations.into_values().next().expect("an operation");
    let variable = |name: &str, wanted: &Type| Variable {
        name: name.to_owned(),
        list: matches!(wanted.base, BaseType::List(_)),
        needed: !wanted.nullable,
    };
    let defined = root.node.variable_definitions.iter();
    defined.map(|defined| variable(&defined.node.name.node, &defined.node.var_type.node)).collect()
}
