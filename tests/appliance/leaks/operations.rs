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

/// Something open that is drawn beside what is asked for: what is hidden must not show in what joins the two.
const BESIDE: &str = "zqopenidb";

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

/// A question: two forms of it, if there is a hidden word in it.
#[derive(Default)]
struct Question {
    variables: Map<String, Value>,
    /// The same with a word that never was in the place of the hidden one.
    never: Map<String, Value>,
    /// The tenant that the request names.
    tenant: Option<(String, String)>,
    /// The hidden word, and the one that never was.
    hidden: Option<(String, String)>,
}

/// What probes learn on their way: cursors that others were given.
struct Probes<'w> {
    world: &'w World,
    cursors: Vec<String>,
}

/// The most cursors that are remembered; they expire by being too many.
const CURSORS_MAX: usize = 64;

pub(super) fn probe(world: &World, probes: u64, random: &mut Seeded, findings: &mut Findings) {
    let clients: Vec<_> = world.askers.iter().map(|asker| world.node.http_as(&asker.token)).collect();
    let operations: Vec<_> = ALL.iter().map(|operation| (operation, variables(operation))).collect();
    let mut probe = Probes { world, cursors: vec!["AAAA".to_owned()] };
    let mut made = 0;
    while made < probes {
        for (operation, variables) in &operations {
            for (asker, client) in world.askers.iter().zip(&clients) {
                let question = probe.question(asker, operation, variables, random);
                probe.ask(asker, client, operation, &question, findings);
                made += 1;
            }
        }
    }
}

impl Probes<'_> {
    fn question(
        &self,
        asker: &Asker,
        operation: &Operation,
        variables: &[Variable],
        random: &mut Seeded,
    ) -> Question {
        let mut question = Question::default();
        if random.one_in(8) {
            let tenant = self.world.tenant(asker, random);
            question.tenant =
                Some((tenant.text.clone(), tenant.absent.clone().unwrap_or(tenant.text.clone())));
            question.hidden = tenant.absent.map(|absent| (tenant.text, absent));
        }
        for variable in variables {
            let can_lead_back = variable.name == "to" && question.variables.contains_key("from");
            if can_lead_back && random.one_in(4) {
                question.lead_to_itself();
            } else if variable.needed || random.one_in(3) {
                question.add(variable, self.draw(asker, operation, variable, random));
            }
        }
        question
    }

    /// Asks; if a hidden word is in the question, asks again with one that never was.
    fn ask(
        &mut self,
        asker: &Asker,
        client: &Http,
        operation: &Operation,
        question: &Question,
        findings: &mut Findings,
    ) {
        let probe = format!("operation {}", operation.id);
        let send = |never: bool| {
            let variables = if never { &question.never } else { &question.variables };
            let tenant = question.tenant.as_ref().map(|(known, absent)| if never { absent } else { known });
            client.post_for(tenant.map(String::as_str), &json!({"id": operation.id, "variables": variables}))
        };
        let answer = send(false);
        let named = question.hidden.iter().map(|(text, _)| text.as_str()).chain([OTHERWISE]);
        findings.judge(self.world, asker, &probe, &named.collect::<Vec<_>>(), &whole(&answer));
        if let Some((text, never)) = &question.hidden {
            findings.compare(asker, &probe, text, never, &|word| whole(&send(word == never)));
        }
        self.learn(&answer);
    }

    fn learn(&mut self, answer: &Answer) {
        let found =
            ["\"nextCursor\":\"", "\"endCursor\":\""].iter().find_map(|name| answer.body.split(name).nth(1));
        if let Some(cursor) = found.and_then(|rest| rest.split('"').next()) {
            if self.cursors.len() == CURSORS_MAX {
                self.cursors.remove(0);
            }
            self.cursors.push(cursor.to_owned());
        }
    }
}

impl Question {
    fn lead_to_itself(&mut self) {
        for variables in [&mut self.variables, &mut self.never] {
            let from = variables["from"].clone();
            variables.insert("to".to_owned(), from);
        }
    }

    fn add(&mut self, variable: &Variable, drawn: Drawn) {
        let (value, never) = match drawn {
            Drawn::Plain(value) => (value.clone(), value),
            // One hidden word in a question: with two, nobody could tell which of them was answered.
            Drawn::Word(Word { text, absent: Some(never) }) if self.hidden.is_none() => {
                self.hidden = Some((text.clone(), never.clone()));
                (variable.value(&text), variable.value(&never))
            }
            Drawn::Word(Word { text, absent: None }) => (variable.value(&text), variable.value(&text)),
            Drawn::Word(_) => (variable.value(OTHERWISE), variable.value(OTHERWISE)),
        };
        self.variables.insert(variable.name.clone(), value);
        self.never.insert(variable.name.clone(), never);
    }
}

fn whole(answer: &Answer) -> String {
    format!("{}\n{}\n{}", answer.status, lasting_headers(&answer.headers), lasting_text(&answer.body))
}

impl Probes<'_> {
    /// Something to send; what has a name that is not known here has no probe, and must get one.
    fn draw(&self, asker: &Asker, operation: &Operation, variable: &Variable, random: &mut Seeded) -> Drawn {
        let world = self.world;
        let pick =
            |random: &mut Seeded, values: &[Value]| Drawn::Plain(values[random.below(values.len())].clone());
        match variable.name.as_str() {
            "id" | "token" if operation.id.starts_with("token") || variable.name == "token" => {
                Drawn::Word(world.spare_token(asker, random))
            }
            "id" | "ids" | "near" | "from" | "to" | "thing" | "entity" => {
                Drawn::Word(world.id(asker, random))
            }
            // A graph that is kept has a new id each time, so it must be refused or not for one thing alone.
            "nodes" => {
                let id = world.id(asker, random);
                // Two different things, or one in both drawings: by their number alone they would differ.
                let alone = operation.id == "graphSave:v1" || id.text == BESIDE;
                let beside = if alone { String::new() } else { format!("\n{BESIDE}\t300\t0") };
                Drawn::Word(id.map(|id| format!("{id}\t0\t0{beside}")))
            }
            "q" => Drawn::Word(query(world, asker, random)),
            "prefix" => Drawn::Word(beginning(world, asker, random)),
            "kind" | "among" => Drawn::Word(world.word(asker, random, &["kind"])),
            "find" => Drawn::Word(beginning(world, asker, random)),
            "order" => pick(random, &["STRONGEST".into(), "MOST_CONNECTED".into()]),
            "name" | "note" => Drawn::Plain("what I know".into()),
            "reason" => Drawn::Plain("asked for".into()),
            "wholeTenant" | "dryRun" | "acceptClock" => pick(random, &[false.into(), Value::Null]),
            "types" | "notTypes" => Drawn::Word(world.word(asker, random, &["type"])),
            "sources" | "notSources" | "source" => Drawn::Word(world.source(asker, random)),
            "tenant" => Drawn::Word(world.tenant(asker, random)),
            "lsn" | "atLeast" => Drawn::Plain((1 + random.below(60)).into()),
            "limit" | "depth" | "first" => pick(random, &[1.into(), 3.into(), 100.into(), 0.into()]),
            "after" => Drawn::Plain(self.cursors[random.below(self.cursors.len())].clone().into()),
            "text" => pick(random, &["permit (principal, action, resource);".into(), "permit (".into()]),
            "replaces" | "version" | "label" => Drawn::Plain(random.below(40).into()),
            "confirm" => pick(random, &[json!([]), json!(["everything"])]),
            "action" => pick(random, &["entity.read".into(), "token.manage".into(), "fly".into()]),
            "purpose" => pick(random, &["demo".into(), "investigation".into()]),
            "decision" => pick(random, &["1".into(), "1.1".into(), "".into()]),
            "classifications" => pick(random, &[json!(["secret"]), json!(["public", "internal"]), json!([])]),
            "form" => pick(random, &["ENTITY".into(), "RELATION".into()]),
            "since" => pick(random, &["2000-01-01T00:00:00Z".into(), Value::Null]),
            "before" => pick(random, &["2999-01-01T00:00:00Z".into(), Value::Null]),
            "asOf" => pick(random, &["2000-01-01T00:00:00Z".into(), "2999-01-01T00:00:00Z".into()]),
            "expiresAt" => pick(random, &["2000-01-01T00:00:00Z".into(), "2999-01-01T00:00:00Z".into()]),
            "direction" => pick(random, &["OUT".into(), "IN".into(), "BOTH".into()]),
            "request" => pick(random, &["0af7651916cd43dd".into(), "".into()]),
            "subject" | "jti" => pick(random, &["somebody".into(), "-".into()]),
            "facets" | "includeRevoked" | "denied" | "shared" | "newest" | "typing" | "explain" => {
                pick(random, &[true.into(), false.into()])
            }
            "value" => pick(random, &["on".into(), Value::Null]),
            "resume" => pick(random, &[true.into(), Value::Null]),
            "mode" => pick(random, &["KEYWORD".into(), "VECTOR".into(), "HYBRID".into()]),
            "fusion" => pick(random, &["SCORES".into(), "RANKS".into()]),
            "keywordWeight" | "alpha" => pick(random, &[0.3.into(), 0.7.into(), 2.into()]),
            "role" => pick(random, &["reader".into(), "auditor".into(), "owner".into()]),
            "clearance" => pick(random, &["public".into(), "secret".into()]),
            "purposes" => pick(random, &[json!(["demo"]), json!(["training"])]),
            "scopes" => pick(random, &[json!(["embargoed.read"]), json!([])]),
            name => panic!("the variable `{name}` of `{}` has no probe; add one", operation.id),
        }
    }
}

/// Words as people search for them: alone, beside others, as a phrase, left out, mistyped.
fn query(world: &World, asker: &Asker, random: &mut Seeded) -> Word {
    if random.one_in(10) {
        return world.near_miss(asker);
    }
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
        match self.name.as_str() {
            "among" => json!([{"kind": text, "direction": "BOTH"}]),
            "nodes" if !text.contains('\t') => format!("{text}\t0\t0").into(),
            _ if self.list => json!([text]),
            _ => text.into(),
        }
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
