use std::path::Path;
use std::sync::mpsc::TryRecvError;

use tempfile::TempDir;

use super::*;

#[path = "../../index/tests/embed_world/tiny.rs"]
#[allow(dead_code, reason = "every test file uses a part of it")]
mod tiny;

const PATIENCE: Duration = Duration::from_secs(20);

fn started(home: &Path, chosen: Option<&str>) -> Embedding {
    let (embedding, _thread) =
        Embedding::start(home.to_owned(), chosen.map(str::to_owned), 1 << 20, None).unwrap();
    embedding
}

fn with_model(home: &Path) -> Embedding {
    tiny::write(&home.join("tiny"), "tiny", "bert");
    let embedding = started(home, None);
    wait_for(|| embedding.model().is_some());
    embedding
}

fn wait_for(is_there: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < PATIENCE, "it does not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

#[test]
fn without_a_model_there_is_no_vector() {
    let home = TempDir::new().unwrap();
    let embedding = started(home.path(), None);
    assert_eq!(embedding.query("lateral", soon()), Err(NoVector::NoModel));
    assert!(embedding.documents().encoder().is_none() && embedding.model().is_none());
    assert_eq!(embedding.problem(), None);
}

#[test]
fn a_query_has_a_vector_and_the_same_the_next_time() {
    let home = TempDir::new().unwrap();
    let embedding = with_model(home.path());
    let vector = embedding.query("lateral movement", soon()).unwrap();
    assert_eq!(vector.len(), embedding.model().unwrap().dimension);
    let again = embedding.query("lateral movement", Instant::now()).unwrap();
    assert!(Arc::ptr_eq(&vector, &again), "it is kept, so it comes at once");
    assert_eq!(embedding.query("stolen tickets", Instant::now()), Err(NoVector::Deadline));
    assert_eq!(&*vector, embedding.documents().encoder().unwrap().encode("lateral movement").unwrap());
    embedding.stop();
    assert_eq!(
        embedding.query("a b c", soon()),
        Err(NoVector::Deadline),
        "a node that stops encodes nothing"
    );
}

#[test]
fn what_cannot_be_encoded_says_nothing_of_itself() {
    let home = TempDir::new().unwrap();
    let embedding = with_model(home.path());
    match embedding.query("\u{200b}", soon()) {
        Err(NoVector::Failed(why)) => assert!(!why.contains('\u{200b}'), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(embedding.query(&"pass ".repeat(1 << 20), soon()).is_ok(), "what is long is cut");
}

#[test]
fn no_more_queries_wait_than_there_are_places() {
    let home = TempDir::new().unwrap();
    tiny::write(&home.path().join("tiny"), "tiny", "bert");
    let shared = Shared {
        installed: Installed::new(home.path().to_owned(), None, 1 << 20),
        remote: None,
        in_use: RwLock::default(),
        cache: Mutex::default(),
        queue: Mutex::default(),
        moved: Condvar::new(),
    };
    shared.choose_again();
    let ask = |deadline| {
        let (answer, answered) = sync_channel(1);
        (shared.ask(Asked { text: "pass".to_owned(), deadline, answer }), answered)
    };
    let (_, late) = ask(Instant::now());
    let waiting: Vec<_> = (1..WAITING_MAX).map(|_| ask(soon()).1).collect();
    assert_eq!(ask(soon()).0, Err(NoVector::Deadline));
    let next = shared.next().unwrap();
    assert_eq!(late.try_recv(), Err(TryRecvError::Disconnected), "what is too late is passed over");
    next.answer.try_send(shared.answer(&next)).unwrap();
    assert!(waiting[0].try_recv().unwrap().is_ok(), "first come, first served");
}

#[test]
fn a_document_lets_queries_go_first_but_not_for_ever() {
    let home = TempDir::new().unwrap();
    let embedding = with_model(home.path());
    let documents = embedding.documents().encoder().unwrap();
    let encodes_in = || {
        let begun = Instant::now();
        documents.encode("lateral").unwrap();
        begun.elapsed()
    };
    encodes_in();
    // As if a query were being encoded, without end.
    embedding.0.queue().is_encoding = true;
    assert!(encodes_in() >= YIELD_MAX);
    let encoding = std::thread::spawn({
        let shared = Arc::clone(&embedding.0);
        move || {
            std::thread::sleep(Duration::from_millis(5));
            shared.queue().is_encoding = false;
            shared.moved.notify_all();
        }
    });
    let waited = encodes_in();
    encoding.join().unwrap();
    assert!(waited < YIELD_MAX, "{waited:?}");
}

#[test]
fn of_several_models_the_one_that_is_chosen_is_used() {
    let home = TempDir::new().unwrap();
    let embedding = with_model(home.path());
    tiny::write(&home.path().join("other"), "other", "mpnet");
    let names = |embedding: &Embedding| embedding.model().map(|model| model.name);
    let chosen = started(home.path(), Some("other"));
    wait_for(|| names(&chosen).is_some());
    assert_eq!(names(&chosen).as_deref(), Some("other"));
    let neither = started(home.path(), Some("third"));
    wait_for(|| neither.problem().is_some());
    assert_eq!(names(&neither), None);
    assert!(neither.problem().unwrap().contains("`third`"));
    embedding.0.installed.note_in_use("tiny").unwrap();
    let noted = started(home.path(), None);
    wait_for(|| names(&noted).is_some());
    assert_eq!(names(&noted).as_deref(), Some("tiny"));
}

#[test]
fn what_did_not_come_whole_before_a_stop_is_gone_after_it() {
    let home = TempDir::new().unwrap();
    std::fs::create_dir(home.path().join(".new")).unwrap();
    std::fs::write(home.path().join(".new/model.onnx"), "half").unwrap();
    let embedding = started(home.path(), None);
    assert!(!home.path().join(".new").exists());
    assert_eq!(embedding.model(), None);
}

#[test]
fn a_model_that_is_damaged_or_too_large_is_not_used_and_said() {
    let home = TempDir::new().unwrap();
    tiny::write(&home.path().join("tiny"), "tiny", "bert");
    let (small, _thread) = Embedding::start(home.path().to_owned(), None, 100, None).unwrap();
    wait_for(|| small.problem().is_some());
    assert!(small.problem().unwrap().contains("memory_bytes_max"));
    std::fs::write(home.path().join("tiny/tokenizer.json"), "{}").unwrap();
    let damaged = started(home.path(), None);
    wait_for(|| damaged.problem().is_some());
    assert!(damaged.problem().unwrap().contains("tokenizer.json"));
    assert_eq!(damaged.query("pass", soon()), Err(NoVector::NoModel));
}
