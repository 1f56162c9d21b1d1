//! Whatever is done to a store, it answers and holds what the reference model says: on disk and in
//! memory alike, row for row.

#![allow(unreachable_pub, reason = "the simulation includes these modules as well")]

mod increments;
mod missing;
mod observe;
mod orders;
mod reference;

use std::ops::ControlFlow;

use proptest::prelude::*;
use storage::tables::Table;
use storage::tx::Read;
use storage::{Directory, EngineOptions, Options, Stamp, Store, View};

use observe::observe;
use orders::{Order, batches, clock_step_us};
use reference::{Answer, Model, answer_of};

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn every_store_does_what_the_model_says(
        batches in batches(1..=10),
        steps in prop::collection::vec((clock_step_us(), any::<bool>()), 11),
    ) {
        let directory = tempfile::tempdir().expect("a directory");
        let held = Directory::hold(directory.path()).expect("free");
        let disk = held.open_store(1 << 20, NODE_ID.to_owned()).expect("opens");
        let memory = in_memory();
        let (mut model, mut time_us) = (Model::default(), 1_700_000_000_000_000);
        for (orders, (step, is_settled)) in batches.iter().zip(steps) {
            if is_settled {
                // Before that the database takes in what only the journal has.
                disk.check_pages(Box::new(|_| Ok(()))).expect("whole");
            }
            time_us += step;
            let batch = Batch::carry_out(&mut model, orders, time_us);
            for store in [&disk, &memory] {
                batch.check(store, &model);
            }
            assert_eq!(rows(&view(&disk)), rows(&view(&memory)));
        }
    }
}

const NODE_ID: &str = "00112233aabbccdd";

/// Commands, and what the model answered to them.
struct Batch {
    commands: Vec<storage::commands::Command>,
    answers: Vec<Answer>,
    time_us: i64,
}

impl Batch {
    fn carry_out(model: &mut Model, orders: &[Order], time_us: i64) -> Batch {
        let (mut commands, mut answers) = (Vec::new(), Vec::new());
        for order in orders {
            for command in order.commands(model, time_us) {
                answers.push(model.execute(&command, time_us));
                commands.push(command);
            }
        }
        Batch { commands, answers, time_us }
    }

    fn write(&self, store: &Store) {
        let stamp = Stamp { time_us: self.time_us, seed: [7; 32] };
        let committed = store.write(&self.commands, stamp).expect("commits");
        let answers = self.commands.iter().zip(committed.answers);
        let answers: Vec<Answer> = answers.map(|(command, answer)| answer_of(command, answer)).collect();
        assert_eq!(answers, self.answers);
    }

    fn check(&self, store: &Store, model: &Model) {
        self.write(store);
        let view = view(store);
        assert_eq!(observe(&view).expect("readable"), *model);
        let report = view.verify(&mut |_| ()).expect("readable");
        assert_eq!(report.problems, Vec::<String>::new());
        let sizes: Vec<_> = report.roots.values().map(|root| root.size).collect();
        let mut logs: Vec<_> = model.tenants.iter().map(|t| (&t.name, t.log.len() as u64)).collect();
        logs.sort();
        assert_eq!(sizes, logs.into_iter().map(|(_, size)| size).collect::<Vec<_>>());
    }
}

fn in_memory() -> Store {
    let options = Options { engine: EngineOptions::Memory, space: None, new_node_id: NODE_ID.to_owned() };
    Store::open(options).expect("memory opens")
}

fn view(store: &Store) -> View {
    store.view().expect("open")
}

/// Every row of every table.
fn rows(view: &View) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    for table in Table::ALL {
        view.scan(*table, &[], None, &mut |key, value| {
            rows.push((*table, key.to_vec(), value.to_vec()));
            Ok(ControlFlow::Continue(()))
        })
        .expect("readable");
    }
    rows
}
