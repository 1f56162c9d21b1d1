//! Pages of the database that are older versions of themselves: their rows are right, and of another time.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::fs;
use std::path::Path;

use storage::{Directory, Error, Report, Store};
use world::{World, entity};

const PAGE_BYTES: usize = 4096;

/// What a directory's store holds, or why it does not open.
fn opened(directory: &Path, checked_bytes_max: u64) -> Result<Report, Error> {
    let held = Directory::hold(directory)?.checking(checked_bytes_max);
    let store: Store = held.open_store(1 << 20, String::new())?;
    store.view()?.verify(&mut |_| ())
}

/// The database some while ago, and now.
fn two_states(directory: &Path) -> [Vec<u8>; 2] {
    let database = directory.join("store.redb");
    ["before", "after"].map(|name| {
        let mut world = World::on_disk(directory);
        for number in 0..40 {
            world.say(entity(&format!("host-{number}"), "host", name));
        }
        drop(world);
        fs::read(&database).expect("the database")
    })
}

#[test]
fn a_page_as_it_was_before_is_found_when_the_store_is_opened() {
    let place = tempfile::tempdir().expect("a directory");
    let [before, after] = two_states(place.path());
    let sound = opened(place.path(), u64::MAX).expect("sound");
    let (mut found, mut passed_over) = (0, 0);
    for at in (PAGE_BYTES..before.len().min(after.len())).step_by(PAGE_BYTES) {
        let page = at..at + PAGE_BYTES;
        if before[page.clone()] == after[page.clone()] || before[page.clone()].iter().all(|byte| *byte == 0) {
            continue;
        }
        let mut damaged = after.clone();
        damaged[page.clone()].copy_from_slice(&before[page]);
        let put_back = || fs::write(place.path().join("store.redb"), &damaged).expect("the database");
        put_back();
        match opened(place.path(), u64::MAX) {
            Err(error) => {
                found += 1;
                assert!(error.to_string().contains("older version"), "page {at}: {error}");
                put_back();
                passed_over += u64::from(opened(place.path(), 0).is_ok());
            }
            // Of no tree that counts any more.
            Ok(report) => {
                assert_eq!((report.problems, report.roots), (vec![], sound.roots.clone()), "page {at}")
            }
        }
    }
    assert!(found > 0 && passed_over > 0, "{found} pages were found, {passed_over} of them by nothing else");
}
