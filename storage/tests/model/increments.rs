//! A full backup and the increments on it are, read together, what the store holds; whatever happened in between.

use std::collections::VecDeque;

use proptest::prelude::*;
use storage::View;
use storage::backup::{Blocks, Gone, Merged};
use storage::ids::CommitNo;
use storage::tables::Table;

use crate::orders::{batches, clock_step_us};
use crate::reference::Model;
use crate::{Batch, in_memory, rows, view};

/// One backup.
#[derive(Clone)]
struct Kept(VecDeque<Vec<u8>>);

impl Blocks for Kept {
    fn next(&mut self) -> storage::Result<Option<Vec<u8>>> {
        Ok(self.0.pop_front())
    }
}

proptest! {
    #[test]
    fn a_backup_and_its_increments_are_the_store(
        batches in batches(1..=24),
        steps in prop::collection::vec(clock_step_us(), 25),
        taken in prop::collection::vec(any::<bool>(), 25),
    ) {
        let (store, mut model, mut time_us) = (in_memory(), Model::default(), 1_700_000_000_000_000);
        let (mut chain, mut commit) = (vec![full(&view(&store))], 0);
        for ((orders, step), taken) in batches.iter().zip(steps).zip(taken) {
            time_us += step;
            Batch::carry_out(&mut model, orders, time_us).write(&store);
            let view = view(&store);
            if !taken {
                continue;
            }
            let epoch_is_the_same = view.notes_changes_since(CommitNo(commit)).expect("readable");
            if epoch_is_the_same {
                chain.push(increment(&view, CommitNo(commit)));
            } else {
                chain = vec![full(&view)];
            }
            commit = view.node().expect("readable").commit;
            assert_eq!(merged(&chain), stored(&view));
        }
    }
}

/// What nobody has noted, nobody is told to be known; and what is noted is not forgotten.
#[test]
fn increments_begin_when_they_are_asked_for() {
    use storage::commands::{Command, CreateTenant, NoteChanges};
    use storage::ids::ActorId;
    let store = in_memory();
    let write = |command| {
        let stamp = storage::Stamp { time_us: 1, seed: [7; 32] };
        store.write(&[command], stamp).expect("commits");
        view(&store).node().expect("readable").commit
    };
    let tenant =
        |name: &str| Command::CreateTenant(CreateTenant { name: name.to_owned(), actor: ActorId::NODE });
    let knows = |since| view(&store).notes_changes_since(CommitNo(since)).expect("readable");
    let before = write(tenant("before"));
    assert!(!knows(before), "nothing is noted yet");
    let on = write(Command::NoteChanges(NoteChanges));
    assert!(!knows(before) && knows(on));
    let after = write(tenant("after"));
    assert!(knows(on) && knows(after) && !knows(after + 1), "nobody knows what will change");
    let blocks = increment(&view(&store), CommitNo(on)).0;
    let bytes: usize = blocks.iter().map(Vec::len).sum();
    let text = blocks.iter().flatten().copied().collect::<Vec<u8>>();
    let holds = |word: &str| text.windows(word.len()).any(|part| part == word.as_bytes());
    assert!(bytes < 1_000 && holds("after") && !holds("before"), "{bytes} bytes");
}

/// Increments in another order are not taken for a store: rows of the older would win.
#[test]
fn rows_out_of_order_are_refused() {
    let block = |table: Table, keys: &[u8]| {
        let rows = keys.iter().flat_map(|key| [0, 1, *key, 1]);
        std::iter::once(table as u8).chain(rows).collect::<Vec<u8>>()
    };
    let read = |blocks: Vec<Vec<u8>>| {
        let mut seen = Vec::new();
        let merged = Merged::new([Kept(blocks.into())], Gone::default())?;
        merged.each(&mut |table, key, _| {
            seen.push((table, key.to_vec()));
            Ok(())
        })?;
        Ok::<_, storage::Error>(seen.len())
    };
    assert_eq!(
        read(vec![block(Table::Log, &[1, 2]), block(Table::Log, &[3]), block(Table::Names, &[1])]),
        Ok(4)
    );
    for blocks in [
        vec![block(Table::Log, &[2, 1])],
        vec![block(Table::Log, &[1, 1])],
        vec![block(Table::Log, &[1]), block(Table::Log, &[1])],
        vec![block(Table::Names, &[1]), block(Table::Log, &[2])],
        vec![vec![255]],
        vec![vec![]],
        vec![block(Table::Log, &[])],
        vec![vec![Table::Log as u8, 0, 9, 1]],
        vec![vec![Table::Log as u8, 5, 1, 1, 1]],
        vec![vec![Table::Log as u8, 0, 1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
    ] {
        assert!(matches!(read(blocks.clone()), Err(storage::Error::Corrupt { .. })), "{blocks:?}");
    }
}

fn full(view: &View) -> Kept {
    let mut kept = Kept(VecDeque::new());
    let taken = view.blocks(&mut |block| {
        kept.0.push_back(block);
        Ok(())
    });
    taken.expect("readable");
    kept
}

fn increment(view: &View, since: CommitNo) -> Kept {
    let mut kept = Kept(VecDeque::new());
    let taken = view.changed_blocks(since, &mut |block| {
        kept.0.push_back(block);
        Ok(())
    });
    taken.expect("readable");
    kept
}

fn merged(chain: &[Kept]) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    let gone = Gone::of(chain.iter().skip(1).cloned()).expect("blocks");
    let merged = Merged::new(chain.iter().cloned(), gone).expect("blocks");
    let read = merged.each(&mut |table, key, value| {
        rows.push((table, key.to_vec(), value.to_vec()));
        Ok(())
    });
    read.expect("in order");
    rows
}

fn stored(view: &View) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let mut rows = rows(view);
    rows.retain(|(table, _, _)| *table != Table::Changed);
    rows
}
