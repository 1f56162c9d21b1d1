//! Two tenants whose every place holds a word that tells where it leaked from, and the people who look at them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::data;
use crate::models::{install, published};
use crate::node::Node;
use crate::seed::Seeded;

/// The mark of what everybody in its tenant sees who reads for work.
const OPEN: &str = "zqopen";
/// A mark that is on nothing: a name that has it never was.
const ABSENT: &str = "zqvwkjg";

/// What one source says on one set of terms. Its mark is in everything that it says.
pub(super) struct Class {
    mark: &'static str,
    tenant: &'static str,
    classification: &'static str,
    purposes: &'static [&'static str],
    licence: &'static str,
    personal: bool,
    /// Ids that hold no mark: those of relations, and of STIX.
    ids: Vec<String>,
}

/// Somebody who asks.
pub(super) struct Asker {
    pub(super) name: &'static str,
    tenant: &'static str,
    role: &'static str,
    clearance: &'static str,
    purposes: &'static [&'static str],
    pub(super) token: String,
}

/// A node full of marks.
pub(super) struct World {
    pub(super) node: Node,
    pub(super) askers: Vec<Asker>,
    classes: Vec<Class>,
    /// Tokens that nobody here uses: to be listed and revoked.
    spare_tokens: Vec<(&'static str, String)>,
}

/// A word for a place of a request, and one that never was and looks the same, if the word is hidden.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) absent: Option<String>,
}

/// The class of things that are many, and hidden from every asker.
const CROWD: &str = "zqcrowd";
const CROWD_SIZE: usize = 1_200;
/// What of something judged queries are about.
pub(super) const JUDGED: &[&str] = &["text", "name", "value", "ida", "idb"];
const WORK: &[&str] = &["threat-intel", "demo", "investigation"];

impl World {
    pub(super) fn new() -> World {
        // Whoever has no token is asked about everything as well.
        let node = Node::start_with(&[("failed_sign_ins_per_minute_max", "10000000")]);
        node.cli(&["--tenant", "far", "token", "create", "--role", "admin"]).ok();
        let mut classes = classes();
        crowd(&node);
        classes.iter().for_each(|class| class.import(&node));
        bridges(&node);
        moved(&node, &mut classes);
        over(&node);
        for class in &mut classes {
            class.learn_ids(&node);
        }
        graphs(&node, &mut classes);
        let askers = askers().into_iter().map(|asker| asker.with_token(&node)).collect();
        keep(&node);
        meaning(&node);
        let spare = |tenant: &'static str| (tenant, public_id(&node, tenant));
        let spare_tokens = vec![spare("default"), spare("far")];
        World { node, askers, classes, spare_tokens }
    }

    /// Everything that must not be shown to somebody: words and ids.
    pub(super) fn secrets_from<'w>(&'w self, asker: &'w Asker) -> impl Iterator<Item = &'w str> {
        let hidden = self.classes.iter().filter(|class| !asker.may_see(class));
        let secrets =
            hidden.flat_map(|class| std::iter::once(class.mark).chain(class.ids.iter().map(String::as_str)));
        let foreign = self.spare_tokens.iter().filter(|(tenant, _)| *tenant != asker.tenant);
        secrets.chain(foreign.map(|(_, id)| id.as_str()))
    }

    /// What an answer tells, but for the attributes of labels where a policy is tried out: whoever may set a policy
    /// sees what it decides on, in his own tenant.
    pub(super) fn without_labels(&self, asker: &Asker, probe: &str, answer: &str) -> String {
        let own = self.classes.iter().filter(|class| class.tenant == asker.tenant);
        let known = own.flat_map(|class| ["source", "type", "kind"].map(|place| class.word(place)));
        let is_officer = asker.role == "admin" && probe.contains("olicy");
        known.filter(|_| is_officer).fold(answer.to_owned(), |answer, word| answer.replace(&word, "LABEL"))
    }

    /// A word of something: of what is hidden from the asker more often than not.
    pub(super) fn word(&self, asker: &Asker, random: &mut Seeded, places: &[&str]) -> Word {
        let class = &self.classes[random.below(self.classes.len())];
        let word = format!("{}{}", class.mark, places[random.below(places.len())]);
        self.hide(asker, class, word)
    }

    /// An id: of an entity, a relation or a STIX object. Of an open one more often: what is seen and touches something hidden
    /// is where it leaks.
    pub(super) fn id(&self, asker: &Asker, random: &mut Seeded) -> Word {
        let open = random.one_in(3);
        let among = if open { &self.classes[..1] } else { &self.classes[..] };
        let class = &among[random.below(among.len())];
        let ids: Vec<_> = class.ids.iter().cloned().chain(["ida", "idb"].map(|id| class.word(id))).collect();
        self.hide(asker, class, ids[random.below(ids.len())].clone())
    }

    /// A word that only a secret text has, one letter from a word of an open one: whoever is not corrected to that one learns
    /// that somebody has the other.
    pub(super) fn near_miss(&self, asker: &Asker) -> Word {
        let secret = self.classes.iter().find(|class| class.mark == "zqsecret").expect("a secret class");
        let absent = (!asker.may_see(secret)).then(|| "quorvez".to_owned());
        Word { text: "quorvex".to_owned(), absent }
    }

    /// An id and a source of the asker's own tenant, hidden or not.
    pub(super) fn known_in_tenant(&self, asker: &Asker, random: &mut Seeded) -> (String, String) {
        let home: Vec<_> = self.classes.iter().filter(|class| class.tenant == asker.tenant).collect();
        let mut any = |place: &str| home[random.below(home.len())].word(place);
        (any("ida"), any("source"))
    }

    /// The name of a source.
    pub(super) fn source(&self, asker: &Asker, random: &mut Seeded) -> Word {
        self.word(asker, random, &["source"])
    }

    /// The public part of a token that may be revoked without locking out an asker.
    pub(super) fn spare_token(&self, asker: &Asker, random: &mut Seeded) -> Word {
        let (tenant, id) = &self.spare_tokens[random.below(self.spare_tokens.len())];
        let absent = (*tenant != asker.tenant).then(|| "0000000000".to_owned());
        Word { text: id.clone(), absent }
    }

    /// The name of a tenant.
    pub(super) fn tenant(&self, asker: &Asker, random: &mut Seeded) -> Word {
        let text = ["default", "far", "nowhere"][random.below(3)].to_owned();
        let absent =
            (text != asker.tenant && text != "nowhere").then(|| "elsewhere"[..text.len().min(9)].to_owned());
        Word { text, absent }
    }

    fn hide(&self, asker: &Asker, class: &Class, word: String) -> Word {
        let absent = (!asker.may_see(class)).then(|| absent_like(&word, class.mark));
        Word { text: word, absent }
    }

    /// No word of anybody's data, and no token, is in the log.
    pub(super) fn log_is_clean(&self) {
        let log = self.node.log();
        let secrets = self
            .classes
            .iter()
            .map(|class| class.mark)
            .chain(self.askers.iter().map(|asker| asker.token.as_str()));
        let found: Vec<_> = secrets.filter(|secret| !secret.is_empty() && log.contains(*secret)).collect();
        assert!(found.is_empty(), "the log tells {found:?}:\n{log}");
    }

    pub(super) fn everything_is_shown_to_owners(&self) {
        for class in self.classes.iter().filter(|class| class.licence != "Embargoed") {
            let see =
                |args: &[&str]| self.node.cli(&[&["--tenant", class.tenant], args].concat()).ok().to_string();
            let shown = see(&["search", &class.word("text")]) + &see(&["entity", "get", &class.word("ida")]);
            let shown = shown + &see(&["relations", &class.word("ida")]);
            let shared = json!({"id": "graphs:v1", "variables": {"first": 100}});
            let shown = shown + &self.node.http().post_for(Some(class.tenant), &shared).body;
            for place in
                ["graph", "ida", "idb", "type", "tag", "name", "attribute", "value", "text", "kind", "source"]
            {
                assert!(shown.contains(&class.word(place)), "no `{}` in {shown}", class.word(place));
            }
        }
    }
}

impl Asker {
    /// The rules of the contract, in one sentence each: the model that the policy is held against.
    pub(super) fn may_see(&self, class: &Class) -> bool {
        let shared: Vec<_> =
            class.purposes.iter().filter(|purpose| self.purposes.contains(purpose)).collect();
        let operational =
            |purpose: &&&str| ["investigation", "threat-intel", "fraud-risk", "t&s"].contains(*purpose);
        let reads = matches!(self.role, "owner" | "admin" | "analyst" | "reader");
        let person = !class.personal || (level(self.clearance) >= 2 && shared.iter().any(operational));
        reads
            && self.tenant == class.tenant
            && level(self.clearance) >= level(class.classification)
            && !shared.is_empty()
            && class.licence != "Embargoed"
            && person
    }

    fn with_token(mut self, node: &Node) -> Asker {
        if self.role.is_empty() {
            return self;
        }
        let purposes = self.purposes.join(",");
        let create = ["--tenant", self.tenant, "token", "create", "--role", self.role];
        let terms = ["--clearance", self.clearance, "--purpose", &purposes];
        self.token =
            node.cli(&[&create[..], &terms].concat()).ok()["token"].as_str().expect("a token").to_owned();
        self
    }
}

impl Class {
    fn word(&self, place: &str) -> String {
        format!("{}{place}", self.mark)
    }

    /// Two entities and what joins them; everything that can be named is.
    fn import(&self, node: &Node) {
        let entity = |id: &str| {
            json!({
                "id": self.word(id), "type": self.word("type"), "labels": [self.word("tag")],
                "attributes": {"name": format!("kestrel {}", self.word("name")), self.word("attribute"): self.word("value")},
                "texts": [{"text": format!("A kestrel with {} in it. {}", self.word("text"), self.near_word())}],
            })
        };
        let joined = json!({"relation": self.word("kind"), "from": self.word("ida"), "to": self.word("idb")});
        self.say(node, &self.word("source"), &[entity("ida"), entity("idb"), joined]);
    }

    fn say(&self, node: &Node, source: &str, lines: &[Value]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let file = node.write(&self.word("file.jsonl"), text);
        let purposes = self.purposes.join(",");
        let file = file.to_str().expect("UTF-8");
        let mut args = vec!["--tenant", self.tenant, "import", file, "--format", "jsonl", "--source", source];
        args.extend([
            "--purpose",
            &purposes,
            "--licence",
            self.licence,
            "--classification",
            self.classification,
        ]);
        args.extend(self.personal.then_some("--personal"));
        node.cli(&args).ok();
    }

    fn near_word(&self) -> &'static str {
        match self.mark {
            OPEN => "quorvel",
            "zqsecret" | CROWD => "quorvex",
            _ => "",
        }
    }

    /// The ids that the node itself made for the relations of this class: what joins it to the open one is hidden with it.
    fn learn_ids(&mut self, node: &Node) {
        let listed = node.cli(&["--tenant", self.tenant, "relations", &self.word("ida")]);
        let mut relations = listed.json["relations"].as_array().cloned().unwrap_or_default();
        relations.retain(|relation| relation["kind"] == self.word("kind") || self.mark != OPEN);
        self.ids.extend(relations.iter().filter_map(|relation| Some(relation["id"].as_str()?.to_owned())));
    }
}

fn classes() -> Vec<Class> {
    let class = |mark, classification| Class {
        mark,
        tenant: "default",
        classification,
        purposes: WORK,
        licence: "Open-Data-OK",
        personal: false,
        ids: Vec::new(),
    };
    vec![
        class(OPEN, "public"),
        Class { purposes: &["threat-intel"], ..class("zqinner", "internal") },
        Class { purposes: &["investigation"], ..class("zqconf", "confidential") },
        class("zqsecret", "secret"),
        Class { licence: "Embargoed", ..class("zqbargo", "public") },
        Class { personal: true, ..class("zqperson", "public") },
        Class { purposes: &["fraud-risk"], ..class("zqfraud", "public") },
        class("zqmantle", "secret"),
        Class { licence: "Embargoed", ..class(CROWD, "secret") },
        Class { tenant: "far", ..class("zqfaropen", "public") },
        Class { tenant: "far", ..class("zqyonder", "secret") },
    ]
}

fn askers() -> Vec<Asker> {
    let asker = |name, role, clearance, purposes| Asker {
        name,
        tenant: "default",
        role,
        clearance,
        purposes,
        token: String::new(),
    };
    vec![
        asker("a public reader", "reader", "public", &["threat-intel"]),
        asker("an internal analyst", "analyst", "internal", &["threat-intel", "demo"]),
        // As the one before in all but clearance: an answer that was remembered for him must not do.
        asker("a public analyst", "analyst", "public", &["threat-intel", "demo"]),
        asker("a confidential analyst", "analyst", "confidential", &["investigation"]),
        asker("a secret reader for demos", "reader", "secret", &["demo"]),
        asker("an auditor", "auditor", "secret", WORK),
        asker("a writer", "writer", "secret", WORK),
        asker("an internal admin", "admin", "internal", WORK),
        Asker { tenant: "far", ..asker("an admin of another tenant", "admin", "secret", WORK) },
        asker("nobody", "", "public", &[]),
    ]
}

/// So many hidden texts that each asker may see few of all: who may see few is answered in a way of its own.
fn crowd(node: &Node) {
    let classes = classes();
    let crowd = classes.iter().find(|class| class.mark == CROWD).expect("a class");
    let text = format!("A kestrel with {} in it. {}", crowd.word("text"), crowd.near_word());
    let one = |n: usize| json!({"id": crowd.word(&format!("id{n}")), "type": crowd.word("type"), "texts": [{"text": text}]});
    crowd.say(node, &crowd.word("source"), &(0..CROWD_SIZE).map(one).collect::<Vec<_>>());
}

/// What is open is joined to everything: the joint is hidden with its end.
fn bridges(node: &Node) {
    let classes = classes();
    let (open, others) = classes.split_first().expect("classes");
    let near = others.iter().filter(|class| class.tenant == open.tenant && class.licence != "Embargoed");
    let join = |class: &Class| {
        let (open, hidden) = (open.word("ida"), class.word("ida"));
        [
            json!({"relation": "bridge", "from": open, "to": hidden}),
            json!({"relation": "bridge", "from": hidden, "to": "zqopenidb"}),
        ]
    };
    let lines: Vec<_> = near.flat_map(join).collect();
    open.say(node, "bridges", &lines);
}

/// An open relation that once led to something hidden and no longer does.
fn moved(node: &Node, classes: &mut [Class]) {
    let id = |name: &str| data::stix_id("malware", name);
    let (open, end, hidden) = (id("open"), id("end"), id("hidden"));
    let say = |source: &str, classification: &str, objects: Vec<Value>| {
        let file = node.write("moved.json", data::bundle(objects).to_string());
        node.import(
            &file,
            "stix",
            source,
            &["--classification", classification, "--purpose", "demo,investigation"],
        )
        .ok();
    };
    say("moved-secret", "secret", vec![data::malware(&hidden, "zqsecretname", "zqsecrettext")]);
    let relationship = data::stix_id("relationship", "moved");
    let drawn = |to: &str| data::relationship(&relationship, &open, "uses", to);
    say(
        "moved",
        "public",
        vec![data::malware(&open, "one", ""), data::malware(&end, "two", ""), drawn(&hidden)],
    );
    let mut moved = drawn(&end);
    moved["modified"] = "2025-01-01T00:00:00.000Z".into();
    say("moved", "public", vec![moved]);
    let secret = classes.iter_mut().find(|class| class.mark == "zqsecret").expect("a secret class");
    secret.ids.push(hidden);
    let open_class = classes.iter_mut().find(|class| class.mark == OPEN).expect("an open class");
    open_class.ids.extend([open, end, relationship]);
}

/// A secret source that speaks of a thing which everybody sees.
fn over(node: &Node) {
    let classes = classes();
    let mantle = classes.iter().find(|class| class.mark == "zqmantle").expect("a class");
    let said = json!({
        "id": "zqopenida", "type": "zqopentype", "labels": [mantle.word("tag")],
        "attributes": {"name": mantle.word("name"), mantle.word("attribute"): mantle.word("value"), "title": mantle.word("title")},
        "texts": [{"text": mantle.word("text")}], "observed_at": "2030-01-01T00:00:00Z",
    });
    mantle.say(node, &mantle.word("source"), &[said]);
}

/// Saved graphs that their maker shares: of each class, and one of which a thing became secret after it was saved.
fn graphs(node: &Node, classes: &mut [Class]) {
    let save = |class: &Class, name: &str, ids: &[String]| {
        let nodes: String = ids.iter().map(|id| format!("{id}\t0\t0\n")).collect();
        let variables =
            json!({"name": class.word(name), "note": class.word("note"), "shared": true, "nodes": nodes});
        let body = json!({"id": "graphSave:v1", "variables": variables});
        let saved = node.http().post_for(Some(class.tenant), &body).json();
        saved["data"]["graphSave"]["id"].as_str().unwrap_or_else(|| panic!("not saved: {saved}")).to_owned()
    };
    let later = |classification: &str| json!({"id": "zqsecretlater", "type": "zqopentype", "classification": classification});
    classes[0].say(node, "later", &[later("public")]);
    let id = save(&classes[0], "later", &["zqopenidb".to_owned(), "zqsecretlater".to_owned()]);
    classes[0].say(node, "later", &[later("secret")]);
    classes[0].ids.push(id);
    for class in classes.iter_mut().filter(|class| class.licence != "Embargoed") {
        let mut ids = vec![class.word("idb")];
        ids.extend((class.mark != OPEN).then(|| class.word("ida")));
        ids.extend((class.tenant == "default" && class.mark != OPEN).then(|| "zqopenidb".to_owned()));
        let id = save(class, "graph", &ids);
        class.ids.push(id);
    }
}

/// Nobody takes anything out of this world: admins ask for that as well, and are told of the hold.
fn keep(node: &Node) {
    for tenant in ["default", "far"] {
        node.cli(&["--tenant", tenant, "hold", "add", "--whole-tenant", "--reason", "kept"]).ok();
    }
}

/// There are vectors, whose passages hold what was said, and meaning is looked for in both tenants: by a model that knows none of these
/// words, to which what is hidden and what never was mean the same.
fn meaning(node: &Node) {
    install(node, &[&published(node, "small-model", "bert")], &[]).ok();
    for tenant in ["default", "far"] {
        node.cli(&["--tenant", tenant, "flag", "set", "vector-preview", "on"]).ok();
        let begun = Instant::now();
        let used = || {
            let body = json!({"id": "searchHybrid:v1", "variables": {"q": "kestrel", "first": 1}});
            let found = node.http().post_for(Some(tenant), &body).json()["data"]["searchHybrid"].take();
            found["vector"]["used"] == true && found["vector"]["lsn"].as_u64() >= found["lsn"].as_u64()
        };
        while !used() {
            assert!(begun.elapsed() < Duration::from_secs(60), "no vectors in `{tenant}`");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Judged queries: enough to be asked, all of what everybody may ask but for one, and to each of them a word is relevant.
pub(super) fn judged(word: &str) -> String {
    let line = |query: &str| format!("{}\n", json!({"query": query, "relevant": [word]}));
    let open: String = (0..10).map(|number| line(&format!("kestrel {number}"))).collect();
    open + &line(word)
}

fn public_id(node: &Node, tenant: &str) -> String {
    let made = node.cli(&["--tenant", tenant, "token", "create", "--role", "reader"]).ok();
    made["id"].as_str().expect("an id").to_owned()
}

/// A word of the same shape and length that is nowhere.
fn absent_like(word: &str, mark: &str) -> String {
    if word.contains(mark) {
        let never: String = ABSENT.chars().cycle().take(mark.len()).collect();
        return word.replace(mark, &never);
    }
    // An id whose last digits are changed.
    let kept = word.len() - 8;
    format!("{}{}", &word[..kept], "0".repeat(8))
}

fn level(classification: &str) -> usize {
    ["public", "internal", "confidential", "restricted", "secret"]
        .iter()
        .position(|known| *known == classification)
        .expect("a level")
        + 1
}
