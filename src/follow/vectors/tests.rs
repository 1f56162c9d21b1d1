//! The runner over a store in memory, and an encoder that needs no model.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use index::embed::{Encoder, ModelId};
use index::text::Allowed;
use index::vector::Filter;
use storage::commands::{Assert, Command, CreateTenant, IfEndMissing, SetSource};
use storage::ids::{ActorId, Lsn, TenantId};
use storage::model::{
    Classification, Form, Label, Licence, Part, Purpose, Purposes, Retention, Said, SourceSpec, Status, Text,
};
use storage::{EngineOptions, Options, Store};

use super::{Encoders, Terms, Vectors};
use crate::commit;

const PATIENCE: Duration = Duration::from_secs(30);
const TENANT: TenantId = TenantId(1);

/// A text's first letter is its vector.
struct Letters(ModelId);

impl Letters {
    fn named(name: &str) -> Arc<dyn Encoder> {
        let digest = [name.len() as u8; 32];
        Arc::new(Letters(ModelId { name: name.to_owned(), digest, dimension: 26 }))
    }
}

impl Encoder for Letters {
    fn model(&self) -> &ModelId {
        &self.0
    }

    fn encode(&self, text: &str) -> index::Result<Vec<f32>> {
        let letter = text.bytes().next().unwrap_or(b'a').saturating_sub(b'a');
        Ok((0..26).map(|at| f32::from(u8::from(at == letter))).collect())
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
        let encoders: Encoders = Arc::new(move || asked.lock().expect("no panic").clone());
        let terms = Terms { window: "02:00-02:01".parse().expect("a window"), build_bytes_max: 1 << 30 };
        let log = (Arc::clone(&store), Arc::clone(commit.tail()));
        let (vectors, runner) = Vectors::start(home.to_owned(), encoders, terms, log).expect("a thread");
        let node = Node { store, commit, vectors, model, runner };
        node.write(Command::CreateTenant(CreateTenant { name: "default".to_owned(), actor: ActorId::NODE }));
        node.write(Command::SetSource(SetSource { tenant: TENANT, actor: ActorId::NODE, spec: source() }));
        node
    }

    fn write(&self, command: Command) {
        let answers = self.commit.submit_blocking(vec![command]).expect("written");
        answers.into_iter().for_each(|answer| assert!(answer.is_ok(), "{answer:?}"));
    }

    fn say(&self, id: &str, text: &str) {
        let view = self.store.view().expect("open");
        let source = view.source(TENANT, "letters").expect("read").expect("declared");
        let said = said(id, text);
        self.write(Command::Assert(Box::new(Assert {
            tenant: TENANT,
            source,
            actor: ActorId::NODE,
            purpose: Purpose::ThreatIntel.code(),
            said,
            if_end_missing: IfEndMissing::Refuse,
        })));
    }

    fn use_model(&self, model: Option<Arc<dyn Encoder>>) {
        *self.model.lock().expect("no panic") = model;
        self.commit.tail().publish();
    }

    fn head(&self) -> Lsn {
        self.store.view().expect("open").head(TENANT).expect("read").head()
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
