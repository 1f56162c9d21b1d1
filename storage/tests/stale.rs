//! Pages of the database that are older versions of themselves: their rows are right, and of another time.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use storage::{Directory, Error, Report, Stamp, Store};
use world::{World, entity};

const PAGE_BYTES: usize = 4096;

/// What a directory's store holds, or why it does not open; and what is said of its pages when it is open.
fn opened(directory: &Path, checked_bytes_max: u64) -> Result<(Report, Result<(), Error>), Error> {
    let held = Directory::hold(directory)?.checking(checked_bytes_max);
    let store: Store = held.open_store(1 << 20, String::new())?;
    let report = store.view()?.verify(&mut |_| ())?;
    Ok((report, store.check_pages(Box::new(|_| Ok(())))))
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
fn a_page_as_it_was_before_is_found_when_the_store_is_opened_and_when_it_is_open() {
    let place = tempfile::tempdir().expect("a directory");
    let [before, after] = two_states(place.path());
    let (sound, pages) = opened(place.path(), u64::MAX).expect("sound");
    assert_eq!(pages, Ok(()));
    let (mut found, mut passed_over, mut refused) = (0, 0, 0);
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
                // Where nobody looks at pages when it is opened.
                match opened(place.path(), 0) {
                    Ok((_, pages)) => {
                        passed_over += 1;
                        let told = pages.expect_err("a page is not what it was").to_string();
                        assert!(told.contains("older version"), "page {at}: {told}");
                    }
                    // Of those that say which pages are free.
                    Err(error) => {
                        refused += usize::from(error.to_string().contains("nothing can be written by it"))
                    }
                }
            }
            // Of no tree that counts any more.
            Ok((report, pages)) => {
                let expected = (vec![], sound.roots.clone(), Ok(()));
                assert_eq!((report.problems, report.roots, pages), expected, "page {at}");
            }
        }
    }
    assert!(
        passed_over > 0 && refused > 0,
        "{found} pages were found, {passed_over} of them by nothing else, {refused} before anything was written by them"
    );
}

/// Pages that are free are written over while others are looked at: that is no damage, and no writer waits for the end.
#[test]
fn pages_are_looked_at_while_others_write() {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let place = tempfile::tempdir().expect("a directory");
    let mut world = World::on_disk(place.path());
    let things =
        |name: &str| (0..400).map(|n| entity(&format!("host-{n}"), "host", &name.repeat(1_000))).collect();
    let said =
        |world: &World, said: Vec<_>| said.into_iter().map(|said| world.assert(said)).collect::<Vec<_>>();
    for name in ["first", "second", "third"] {
        let commands = said(&world, things(name));
        world.write(commands);
    }
    // It is there for as long as whoever looks at pages asks for it.
    let world: &'static World = Box::leak(Box::new(world));
    let write = move |_: u64| {
        let round = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let commands = said(world, things(&format!("round {round} ")));
        let stamp = Stamp { time_us: world.time_us, seed: [9; 32] };
        world.store.write(&commands, stamp).map(drop)
    };
    world.store.check_pages(Box::new(write)).expect("nothing is damaged");
    assert!(WRITTEN.load(Ordering::Relaxed) >= 3, "so much was written meanwhile: {WRITTEN:?}");
    world.store.check_pages(Box::new(|_| Ok(()))).expect("nor afterwards");
    let ended = world.store.check_pages(Box::new(|bytes| Err(Error::Io(format!("ended after {bytes}")))));
    assert!(
        ended.is_err_and(|error| error.to_string().contains("ended after")),
        "whoever paces it may end it"
    );
}
