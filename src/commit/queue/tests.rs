use storage::commands::CreateTenant;
use storage::ids::ActorId;

use super::*;

const SOON: Duration = Duration::from_millis(1);

/// A submission that is told from others by its name.
fn submission(name: &str) -> Submission {
    let command = Command::CreateTenant(CreateTenant { name: name.to_owned(), actor: ActorId::NODE });
    Submission { commands: vec![command], answer: oneshot::channel().0 }
}

fn names(batch: &[Submission]) -> Vec<String> {
    let name = |command: &Command| match command {
        Command::CreateTenant(create) => create.name.clone(),
        other => panic!("{other:?}"),
    };
    batch.iter().flat_map(|submission| submission.commands.iter().map(name)).collect()
}

#[test]
fn a_single_write_waits_for_one_chunk_of_an_import_at_most() {
    let queue = Queue::default();
    for number in 0..3 {
        let chunk = submission(&format!("chunk {number}"));
        queue.push_chunk(TenantId(1), chunk, 4 << 20).expect("room");
    }
    queue.push(submission("single")).expect("room");
    assert_eq!(names(&queue.take(false)), ["single"]);
    assert_eq!(names(&queue.take(false)), ["chunk 0"], "another may come any moment");
    queue.lock().single_at = Some(Instant::now() - SINGLE_RECENT);
    queue.push_chunk(TenantId(1), submission("chunk 3"), 1).expect("room");
    assert_eq!(names(&queue.take(false)), ["chunk 1", "chunk 2", "chunk 3"]);
    assert_eq!(names(&queue.take(false)), [""; 0]);
    assert!(queue.wait(SOON, false), "more may come");
}

#[test]
fn an_import_goes_on_beside_single_writes_that_always_wait() {
    let queue = Queue::default();
    let taken = (0..4).flat_map(|number| {
        queue.push_chunk(TenantId(1), submission(&format!("chunk {number}")), 1).expect("room");
        queue.push(submission("single")).expect("room");
        names(&queue.take(false))
    });
    assert_eq!(taken.collect::<Vec<_>>(), ["single", "single", "chunk 0", "single", "single", "chunk 1"]);
}

#[test]
fn while_the_journal_is_filling_chunks_wait_as_long_as_others_write() {
    let queue = Queue::default();
    queue.push_chunk(TenantId(1), submission("alone"), 1).expect("room");
    assert_eq!(names(&queue.take(true)), ["alone"]);
    queue.push_chunk(TenantId(1), submission("chunk"), 1).expect("room");
    queue.push(submission("single")).expect("room");
    assert_eq!(names(&queue.take(true)), ["single"]);
    assert_eq!(names(&queue.take(true)), [""; 0]);
    assert_eq!(names(&queue.take(false)), ["chunk"], "there is room again");
    queue.push_chunk(TenantId(1), submission("last"), 1).expect("room");
    queue.close();
    assert_eq!(names(&queue.take(true)), ["last"]);
}

#[test]
fn chunks_come_by_turns_of_their_tenants_and_in_the_order_of_each() {
    let queue = Queue::default();
    for number in 0..6 {
        queue.push_chunk(TenantId(1), submission(&format!("flood {number}")), 8 << 20).expect("room");
    }
    queue.push_chunk(TenantId(2), submission("other"), 8 << 20).expect("room");
    assert_eq!(names(&queue.take(false)), ["flood 0", "other"]);
    assert_eq!(names(&queue.take(false)), ["flood 1", "flood 2"]);
}

#[test]
fn too_many_writes_are_told_so_and_what_waits_at_the_end_is_taken() {
    let queue = Queue::default();
    for _ in 0..SINGLE_MAX {
        queue.push(submission("waiting")).expect("room");
    }
    assert!(matches!(queue.push(submission("one more")), Err(Error::Busy { .. })));
    queue.close();
    assert!(matches!(queue.push(submission("late")), Err(Error::Poisoned { .. })));
    assert_eq!(names(&queue.take(false)).len(), SINGLE_MAX);
    assert!(!queue.wait(SOON, false), "nothing more can come");
}
