//! The runner over a store in memory, and an encoder that needs no model.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use index::embed::{Encoder, ModelId};
use index::text::Allowed;
use index::vector::{Filter, GRAPH_ROWS_MIN};
use sha2::{Digest as _, Sha256};
use storage::commands::{Assert, Command, CreateTenant, IfEndMissing, Redact, SetSource};
use storage::ids::{ActorId, Lsn, TenantId};
use storage::model::{
    Classification, Form, Label, Licence, Part, Purpose, Purposes, Retention, Said, Selection, SourceSpec,
    Status, Text,
};
use storage::{EngineOptions, Options, Store};

use super::{Encoders, Terms, Vectors};
use crate::commit;
use crate::embedding::Encoding;

const PATIENCE: Duration = Duration::from_secs(30);
const TENANT: TenantId = TenantId(1);

const DIMENSION: usize = 26;

/// A text's first letter is its vector.
struct Letters(ModelId);

impl Letters {
    fn named(name: &str) -> Arc<dyn Encoder> {
        Arc::new(Letters(model(name)))
    }
}

fn model(name: &str) -> ModelId {
    ModelId { name: name.to_owned(), digest: [name.len() as u8; 32], dimension: DIMENSION }
}

/// As [`Letters`], but what begins with `s` takes long.
struct Slow(Letters);

impl Encoder for Slow {
    fn model(&self) -> &ModelId {
        self.0.model()
    }

    fn encode(&self, text: &str) -> index::Result<Vec<f32>> {
        if text.starts_with('s') {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.0.encode(text)
    }

    fn passages(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        self.0.passages(text)
    }
}

/// Every text has a direction of its own.
struct Scattered(ModelId);

impl Encoder for Scattered {
    fn model(&self) -> &ModelId {
        &self.0
    }

    fn encode(&self, text: &str) -> index::Result<Vec<f32>> {
        let digest = Sha256::digest(text);
        let mut vector: Vec<f32> =
            digest.iter().take(DIMENSION).map(|byte| f32::from(*byte) - 127.5).collect();
        assert!(index::embed::normalise(&mut vector));
        Ok(vector)
    }

    fn passages(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        (!text.is_empty()).then_some(0..text.len()).into_iter().collect()
    }
}

impl Encoder for Letters {
    fn model(&self) -> &ModelId {
        &self.0
    }

    fn encode(&self, text: &str) -> index::Result<Vec<f32>> {
        let letter = text.bytes().next().unwrap_or(b'a').saturating_sub(b'a');
        Ok((0..DIMENSION).map(|at| f32::from(u8::from(at == usize::from(letter)))).collect())
    }

    fn passages(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        (!text.is_empty()).then_some(0..text.len()).into_iter().collect()
    }
}

struct Node {
    store: Arc<Store>,
    commit: commit::Handle,
    vectors: Vectors,
    model: Arc<Mutex<Option<Arc<dyn Encoder>>>>,
    runner: JoinHandle<()>,
}

impl Node {
    fn start(home: &Path) -> Node {
        let options = Options {
            engine: EngineOptions::Memory,
            space: None,
            new_node_id: "00112233aabbccdd".to_owned(),
        };
        let store = Arc::new(Store::open(options).expect("memory opens"));
        let (commit, _) = commit::start(Arc::clone(&store)).expect("a thread");
        let model: Arc<Mutex<Option<Arc<dyn Encoder>>>> = Arc::default();
        let asked = Arc::clone(&model);
        let encoders: Encoders = Arc::new(move || {
            let model = asked.lock().expect("no panic").clone();
            model.map_or(Encoding::NoModel, Encoding::By)
        });
        let window = "02:00-02:01".parse().expect("a window");
        let terms = Terms { window, build_bytes_max: 1 << 30, measure_every: Duration::from_millis(1) };
        let log = (Arc::clone(&store), Arc::clone(commit.tail()));
        let (vectors, runner) = Vectors::start(home.to_owned(), encoders, terms, log).expect("a thread");
        let node = Node { store, commit, vectors, model, runner };
        node.create_tenant(TENANT, "default");
        node
    }

    fn create_tenant(&self, tenant: TenantId, name: &str) {
        self.write(Command::CreateTenant(CreateTenant { name: name.to_owned(), actor: ActorId::NODE }));
        self.write(Command::SetSource(SetSource { tenant, actor: ActorId::NODE, spec: source() }));
    }

    fn write(&self, command: Command) {
        let answers = self.commit.submit_blocking(vec![command]).expect("written");
        answers.into_iter().for_each(|answer| assert!(answer.is_ok(), "{answer:?}"));
    }

    fn say(&self, id: &str, text: &str) {
        self.write(self.assert(TENANT, id, text));
    }

    fn assert(&self, tenant: TenantId, id: &str, text: &str) -> Command {
        let view = self.store.view().expect("open");
        let source = view.source(tenant, "letters").expect("read").expect("declared");
        let said = said(id, text);
        Command::Assert(Box::new(Assert {
            tenant,
            source,
            actor: ActorId::NODE,
            purpose: Purpose::ThreatIntel.code(),
            said,
            if_end_missing: IfEndMissing::Refuse,
        }))
    }

    fn use_model(&self, model: Option<Arc<dyn Encoder>>) {
        *self.model.lock().expect("no panic") = model;
        self.commit.tail().publish();
    }

    fn head(&self) -> Lsn {
        self.head_of(TENANT)
    }

    fn head_of(&self, tenant: TenantId) -> Lsn {
        self.store.view().expect("open").head(tenant).expect("read").head()
    }

    fn is_current(&self) -> bool {
        self.vectors.wait(TENANT, self.head(), PATIENCE)
    }

    fn found(&self, letter: u8) -> usize {
        let query: Vec<f32> = (0..26).map(|at| f32::from(u8::from(at == letter - b'a'))).collect();
        let filter = Filter { labels: &Allowed::Every, form: None, time: None, include_revoked: false };
        let pinned = self.vectors.reader(TENANT).expect("open").pin();
        let nearest = pinned.nearest(&query, 10, &filter, &|| false).expect("answers");
        nearest.near.iter().filter(|near| near.cosine > 0.5).count()
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let since = Instant::now();
        while !is_so() {
            assert!(since.elapsed() < PATIENCE, "not yet so: {what}; {:?}", self.vectors.status(TENANT));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn stop(self) {
        self.vectors.stop();
        self.commit.tail().close();
        self.runner.join().expect("no panic");
    }
}

#[test]
fn it_follows_builds_scrubs_and_ends_with_the_model() {
    let home = tempfile::tempdir().expect("tempdir");
    let node = Node::start(home.path());
    node.say("a", "apples");
    assert_eq!(node.vectors.status(TENANT).state, "no_model");
    assert!(node.vectors.reader(TENANT).is_none() && !node.vectors.build_now(TENANT));

    node.use_model(Some(Letters::named("one")));
    assert!(node.is_current());
    assert_eq!((node.found(b'a'), node.found(b'b')), (1, 0));
    node.say("b", "bees");
    assert!(node.is_current());
    assert_eq!(node.found(b'b'), 1);

    assert!(node.vectors.build_now(TENANT));
    node.until("it is built", || node.vectors.status(TENANT).builds == 1);
    let status = node.vectors.status(TENANT);
    assert_eq!((status.fresh, status.sealed, status.state), (0, 2, "current"), "{status:?}");
    assert!(matches!(status.built, Some(Ok(_))), "{status:?}");
    assert_eq!((node.found(b'a'), node.found(b'b')), (1, 1));
    assert!(node.vectors.scrub(TENANT, node.head(), PATIENCE));

    // Another model's vectors are others, and without one there are none; what was erased does not wait for one.
    node.use_model(Some(Letters::named("three")));
    node.say("c", "cats");
    node.until("the index is of the new model", || {
        node.vectors.reader(TENANT).is_some_and(|reader| reader.pin().model().name == "three")
    });
    assert!(node.is_current());
    assert_eq!((node.found(b'a'), node.found(b'c')), (1, 1));
    node.use_model(None);
    node.until("there is no model", || node.vectors.status(TENANT).state == "no_model");
    assert!(node.vectors.reader(TENANT).is_none());
    assert!(node.vectors.scrub(TENANT, node.head(), PATIENCE));
    assert!(!home.path().join("vectors").join(TENANT.to_string()).exists());
    node.stop();
}

/// Vectors of a large import take long; who is to be forgotten does not wait for them.
#[test]
fn an_index_that_lags_is_rid_of_what_was_erased() {
    let home = tempfile::tempdir().expect("tempdir");
    let node = Node::start(home.path());
    node.use_model(Some(Arc::new(Slow(Letters(model("one"))))));
    node.say("a", "apples");
    node.say("b", "bees");
    assert!(node.is_current());
    for n in 0..1000 {
        node.say(&format!("s{n}"), &format!("slow text {n}"));
    }
    let redact = Redact {
        tenant: TENANT,
        actor: ActorId::NODE,
        selection: Selection::Thing("a".to_owned()),
        reason: "asked for".to_owned(),
    };
    node.write(Command::Redact(redact));
    assert!(node.vectors.scrub(TENANT, node.head(), PATIENCE));
    let status = node.vectors.status(TENANT);
    assert!(status.position < node.head(), "it lags: {status:?}");
    assert_eq!((node.found(b'a'), node.found(b'b')), (0, 1));
    node.say("c", "cats");
    node.until("it goes on where it was", || node.vectors.status(TENANT).position > status.position);
    node.stop();
}

#[test]
fn a_small_tenant_does_not_wait_for_the_bootstrap_of_a_large_one() {
    let home = tempfile::tempdir().expect("tempdir");
    let (node, large) = (Node::start(home.path()), TenantId(2));
    node.create_tenant(large, "large");
    for n in 0..300 {
        node.write(node.assert(large, &format!("s{n}"), &format!("slow text {n}")));
    }
    node.use_model(Some(Arc::new(Slow(Letters(model("one"))))));
    let is_under_way = || {
        let nothing = node.vectors.reader(large).is_none_or(|reader| reader.pin().vectors() == 0);
        nothing && ["missing", "rebuilding"].contains(&node.vectors.status(large).state)
    };
    for (id, letter) in [("apples", b'a'), ("bees", b'b'), ("cats", b'c')] {
        node.say(id, id);
        assert!(node.is_current());
        assert_eq!(node.found(letter), 1, "{id}");
        assert!(is_under_way(), "{:?}", node.vectors.status(large));
    }
    assert!(node.vectors.build_now(large), "it is put off until there is something to build");
    // It makes no progress that anybody could see before it is done.
    node.until("the large one is there", || node.vectors.wait(large, node.head_of(large), PATIENCE));
    node.until("it is built", || node.vectors.status(large).builds == 1);
    assert_eq!((node.vectors.status(large).sealed, node.vectors.status(large).fresh), (300, 0));
    node.stop();
}

#[test]
fn what_walks_find_is_measured_again_and_again() {
    let home = tempfile::tempdir().expect("tempdir");
    let node = Node::start(home.path());
    node.use_model(Some(Arc::new(Scattered(model("scattered")))));
    let texts =
        (0..GRAPH_ROWS_MIN + 100).map(|n| node.assert(TENANT, &format!("t{n}"), &format!("text {n}")));
    let texts: Vec<_> = texts.collect();
    node.commit.submit_blocking(texts).expect("written");
    assert!(node.is_current());
    assert_eq!(node.vectors.status(TENANT).recall, None, "nothing is walked");
    assert!(node.vectors.build_now(TENANT));
    node.until("it is built", || node.vectors.status(TENANT).builds == 1);
    node.until("it is measured", || {
        node.commit.tail().publish();
        node.vectors.status(TENANT).recall.is_some()
    });
    let recall = node.vectors.status(TENANT).recall.expect("measured");
    assert!((0.9..=1.0).contains(&recall), "{recall}");
    node.stop();
}

#[test]
fn what_is_damaged_is_found_by_a_check_and_made_anew() {
    let home = tempfile::tempdir().expect("tempdir");
    let node = Node::start(home.path());
    node.say("a", "apples");
    node.use_model(Some(Letters::named("one")));
    assert!(node.is_current());
    let files = home.path().join("vectors").join(TENANT.to_string());
    let log = std::fs::read_dir(&files).expect("files").next().expect("a log").expect("read").path();
    let mut bytes = std::fs::read(&log).expect("read");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&log, bytes).expect("write");
    node.vectors.check_all();
    node.until("the damaged file is gone", || !log.exists());
    assert!(node.is_current());
    assert_eq!(node.found(b'a'), 1);
    node.stop();
}

fn source() -> SourceSpec {
    SourceSpec {
        name: "letters".to_owned(),
        purposes: Purposes::from_iter([Purpose::ThreatIntel]),
        licence: Licence::OpenDataOk,
        retention: Retention::Standard365d,
        classification: Classification::Internal,
        personal: false,
    }
}

fn said(id: &str, text: &str) -> Said {
    let spec = source();
    let label = Label {
        kind: Form::Entity.into(),
        thing_type: "word".to_owned(),
        classification: spec.classification,
        licence: spec.licence,
        purposes: spec.purposes,
        retention: spec.retention,
        personal: false,
        source: spec.name,
        compartments: vec![],
    };
    let texts = vec![Text { text: text.to_owned(), of_claim: String::new() }];
    Said {
        id: id.to_owned(),
        form: Form::Entity,
        thing_type: "word".to_owned(),
        base: None,
        tags: vec![],
        status: Status::Active,
        observed_at_us: None,
        version_us: None,
        edges: vec![],
        weight: None,
        since: None,
        until: None,
        parts: vec![Part { label: Arc::new(label), claims: vec![], texts, embedding: None }],
    }
}
