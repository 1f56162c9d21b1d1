use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use index::ErrorKind;
use storage::model::{Classification, Form, Purposes, Retention};
use tempfile::TempDir;

use super::super::Embedding;
use super::*;
use crate::config::Config;

#[path = "../../../tests/appliance/embedder/server.rs"]
#[allow(dead_code, reason = "the tests of the node use the rest")]
mod server;

use server::{DIMENSION, Manner, Server};

const KEY: &str = "canary-key";
/// A text that is in no error.
const TEXT: &str = "canary text";

struct World {
    server: Server,
    remote: Arc<Remote>,
    documents: Documents,
    _place: TempDir,
}

impl World {
    fn begin() -> World {
        let (server, place) = (Server::start(), TempDir::new().unwrap());
        let remote = Arc::new(Remote::start(embedder(&server, &place)).unwrap());
        World { server, documents: Documents(Arc::clone(&remote)), remote, _place: place }
    }

    /// What an attempt at a text fails with; it says nothing of the text, its vector or the key.
    fn fails(&self, manner: Manner) -> index::Error {
        // As after a pause.
        *self.remote.pause() = Pause::default();
        self.server.be(manner);
        let error = self.documents.encode(TEXT).expect_err("it fails");
        let told = format!("{error} {error:?}");
        for secret in [KEY, TEXT, "0.25", "Bearer"] {
            assert!(!told.contains(secret), "{told}");
        }
        error
    }
}

fn embedder(server: &Server, place: &TempDir) -> Embedder {
    let key_file = place.path().join("key");
    fs::write(&key_file, KEY).unwrap();
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
    let config = Config {
        embedder_url: Some(server.url.clone()),
        embedder_model: Some("words".to_owned()),
        embedder_dimension: DIMENSION,
        embedder_key_file: Some(key_file),
        ..Config::default()
    };
    Embedder::new(&config).unwrap().unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn says(status: u16, body: &str) -> Manner {
    Manner::Says(status, String::new(), body.to_owned())
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[test]
fn many_texts_are_one_request_and_each_has_its_own_vector() {
    let world = World::begin();
    let texts: Vec<String> = (0..BATCH_TEXTS).map(|n| format!("text {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for manner in [Manner::Well, Manner::Backwards] {
        world.server.be(manner);
        let vectors = world.documents.encode_all(&texts).unwrap();
        assert_eq!(vectors.len(), BATCH_TEXTS);
        for (text, vector) in texts.iter().zip(&vectors) {
            let mut wanted = server::vector(text);
            assert!(index::embed::normalise(&mut wanted));
            assert!(cosine(vector, &wanted) > 0.9999, "{text}");
        }
    }
    let asked = world.server.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[0].model.as_str(), asked[0].texts.len()), ("words", BATCH_TEXTS));
    assert!(asked[0].head.starts_with("POST /v1/embeddings HTTP/1.1\r\n"), "{}", asked[0].head);
    assert!(asked[0].head.contains("Bearer canary-key"), "{}", asked[0].head);
}

#[test]
fn a_fault_is_said_for_what_it_is_and_for_nothing_more() {
    let world = World::begin();
    let answer = |parts: &str| says(200, &format!(r#"{{"data":[{{"index":0,"embedding":[{parts}]}}]}}"#));
    let components = |part: &str| vec![part; DIMENSION].join(",");
    for (manner, told) in [
        (says(500, TEXT), "status 500"),
        (says(429, TEXT), "status 429"),
        (says(401, KEY), "status 401"),
        (says(204, ""), "status 204"),
        (says(400, TEXT), "status 400"),
        (Manner::HangsUp, "broke the connection off"),
        (says(200, "no JSON"), "is not `"),
        (says(200, r#"{"data":[]}"#), "0 vectors for 1"),
        (answer("0.25,0.25"), "2 components; `embedder_dimension` is 32"),
        (answer(&components("0")), "without direction"),
        (answer(&components("null")), "without direction"),
        (answer(&components("NaN")), "is not `"),
        (says(200, &" ".repeat(2 << 20)), "longer than"),
    ] {
        let error = world.fails(manner.clone());
        assert!(error.to_string().contains(told), "{manner:?}: {error}");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Model, "model_remote"));
    }
}

#[test]
fn a_redirect_leads_nowhere() {
    let (world, other) = (World::begin(), Server::start());
    for status in [301, 302, 307, 308] {
        let place = format!("location: {}/v1/embeddings\r\n", other.url);
        let error = world.fails(Manner::Says(status, place, String::new()));
        assert!(error.to_string().contains(&format!("redirects with status {status}")), "{error}");
    }
    assert!(other.asked().is_empty());
}

#[test]
fn where_nobody_listens_is_said() {
    let World { server, remote, documents, _place } = World::begin();
    drop(server);
    std::thread::sleep(Duration::from_millis(50));
    let error = documents.encode(TEXT).expect_err("nobody listens");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(
        matches!(remote.query(TEXT, soon()), Err(NoVector::Failed(why)) if why.contains("cannot be reached"))
    );
}

#[test]
fn a_text_that_is_refused_keeps_no_other_from_its_vector() {
    let world = World::begin();
    world.server.be(Manner::Refuses("poison"));
    let error = world.documents.encode_all(&["good", "poison", "sound"]).expect_err("one is refused");
    assert_eq!(error.kind(), ErrorKind::Invalid, "which it is shows when each is sent alone");
    assert!(world.documents.encode("good").is_ok() && world.documents.encode("sound").is_ok());
    assert_eq!(world.documents.encode("poison").expect_err("refused").kind(), ErrorKind::Invalid);
    assert!(world.documents.encode("good").is_ok(), "it is not left alone for that");
}

#[test]
fn after_a_failure_it_is_left_alone_for_a_while() {
    let world = World::begin();
    let error = world.fails(says(503, ""));
    world.server.be(Manner::Well);
    let again = world.documents.encode("other").expect_err("it is left alone");
    assert_eq!(again, error, "and says why");
    assert_eq!(world.server.asked().len(), 1);
    assert!(world.remote.query("a query", soon()).is_ok(), "who waits for an answer asks all the same");
    let begun = Instant::now();
    while world.documents.encode("other").is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    world.fails(Manner::Says(429, "retry-after: 300\r\n".to_owned(), String::new()));
    assert!(world.remote.pause().holds(Instant::now() + Duration::from_secs(299)).is_some());
}

#[test]
fn a_query_has_its_time_and_no_more() {
    let world = World::begin();
    world.server.be(Manner::Late(Duration::from_secs(3)));
    let begun = Instant::now();
    assert_eq!(world.remote.query(TEXT, begun + Duration::from_millis(100)), Err(NoVector::Deadline));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let asked = world.server.asked().len();
    assert_eq!(world.remote.query(TEXT, Instant::now()), Err(NoVector::Deadline));
    assert_eq!(world.server.asked().len(), asked, "what would be too late is not asked");
    world.server.be(says(500, TEXT));
    assert_eq!(
        world.remote.query(TEXT, soon()),
        Err(NoVector::Failed("the embedder answers with status 500".to_owned()))
    );
}

#[test]
fn it_is_used_in_place_of_a_model_and_queries_are_kept() {
    let (server, place) = (Server::start(), TempDir::new().unwrap());
    let embedder = embedder(&server, &place);
    let (embedding, thread) =
        Embedding::start(place.path().join("models"), None, 1 << 20, Some(embedder)).unwrap();
    let begun = Instant::now();
    while embedding.model().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(embedding.model().unwrap().name, "words");
    let vector = embedding.query("stolen tickets", soon()).unwrap();
    assert!(Arc::ptr_eq(&vector, &embedding.query("stolen tickets", Instant::now()).unwrap()));
    assert_eq!(server.texts(), ["stolen tickets"], "nothing else was sent");
    assert_eq!(&*vector, embedding.documents().encoder().unwrap().encode("stolen tickets").unwrap());
    embedding.stop();
    thread.join().unwrap();
    assert_eq!(embedding.query("other", soon()), Err(NoVector::Deadline));
    assert_eq!(embedding.documents().encoder().unwrap().encode("other"), Err(index::Error::Stopped));
}

#[test]
fn who_waits_for_documents_does_not_outlast_the_node() {
    let world = World::begin();
    world.server.be(Manner::Late(Duration::from_secs(15)));
    let remote = Arc::clone(&world.remote);
    let stopping = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        remote.stop();
    });
    let begun = Instant::now();
    assert_eq!(world.documents.encode(TEXT), Err(index::Error::Stopped));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    stopping.join().unwrap();
}

#[test]
fn only_what_everybody_may_see_goes_out_unless_more_is_said() {
    let label = Label {
        kind: Form::Entity.into(),
        thing_type: "report".to_owned(),
        classification: Classification::Public,
        licence: Licence::OpenDataOk,
        purposes: Purposes::ALL,
        retention: Retention::Standard365d,
        personal: false,
        source: "feed".to_owned(),
        compartments: vec![],
    };
    let world = World::begin();
    let may_have = |change: fn(&mut Label)| {
        let mut changed = label.clone();
        change(&mut changed);
        world.documents.may_have(&changed)
    };
    assert!(may_have(|_| ()));
    assert!(may_have(|label| label.licence = Licence::MitOk));
    assert!(!may_have(|label| label.licence = Licence::RestrictedTos));
    assert!(!may_have(|label| label.licence = Licence::ProprietaryClient));
    assert!(!may_have(|label| label.classification = Classification::Internal));
    assert!(!may_have(|label| label.classification = Classification::Secret));
    assert!(!may_have(|label| label.licence = Licence::Embargoed));
    assert!(!may_have(|label| label.compartments = vec!["mine".to_owned()]));
    assert!(!may_have(|label| label.personal = true));
}
