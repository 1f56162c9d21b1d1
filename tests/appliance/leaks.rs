//! Leak probes: whoever asks, and however, learns nothing of what he may not see.
//!
//! Every place that can hold a word holds one that says where it is from ([`world`]). Each probe asks one thing of the node as
//! one principal, and is judged twice: no word of anything hidden is in the answer, and where the question itself named
//! something hidden, the answer is the one that a name which never was gets. What may be asked is not listed here but read
//! from the node itself: its persisted operations, its routes, its commands. One that is new and has no probe fails.

mod answers;
mod commands;
mod operations;
mod routes;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::campaign::{Broken, Campaign, How, Trial};
use crate::kills::clock;
use crate::seed::Seeded;
use world::{Asker, World};

const PROBES: Campaign = Campaign { name: "probes", unit: "probes", per_seed: 7_000 };
/// Of a seed so many are of operations, and the rest, about as many as there are routes and commands, of those.
const OF_OPERATIONS: u64 = 5_000;
/// An index reflects by then what was written before.
const SETTLING: Duration = Duration::from_millis(500);

/// What the probes found.
#[derive(Default)]
struct Findings {
    made: BTreeMap<String, u64>,
    leaks: Vec<String>,
}

#[test]
fn nobody_learns_anything_of_what_is_hidden() {
    PROBES.run(clock(), PROBES.per_seed, 1, &probe);
}

/// Probes of everything in a world of its own: what probes make is not more and more.
fn probe(seed: u64) -> Trial {
    let mut random = Seeded::new(seed, 7);
    let mut world = World::new();
    let mut findings = Findings::default();
    operations::probe(&world, OF_OPERATIONS, &mut random, &mut findings);
    routes::probe(&world, &mut random, &mut findings);
    commands::probe(&world, &mut random, &mut findings);
    println!("probes: {:?}, together {}", findings.made, findings.made.values().sum::<u64>());
    if !findings.leaks.is_empty() {
        let report = format!("{} leaks:\n{}", findings.leaks.len(), findings.leaks.join("\n"));
        return Err(Broken { how: How::SilentlyWrong, report });
    }
    world.log_is_clean();
    world.node.stop_and_verify();
    findings.made.insert("probes".to_owned(), findings.made.values().sum());
    Ok(findings.made)
}

/// A guard that never met anything guards nothing: whoever may see everything is shown every word.
#[test]
fn every_word_is_there_to_be_leaked() {
    let world = World::new();
    world.everything_is_shown_to_owners();
}

impl Findings {
    /// Judges one answer by the words in it; those that were `asked` may come back.
    fn judge(&mut self, world: &World, asker: &Asker, probe: &str, asked: &[&str], answer: &str) {
        *self.made.entry(probe.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
        let answer = &world.without_labels(asker, probe, answer);
        let answer = asked.iter().fold(answer.to_owned(), |answer, asked| answer.replace(asked, "ASKED"));
        for secret in world.secrets_from(asker).filter(|secret| answer.contains(*secret)) {
            self.leaks.push(format!("{}: {probe} {asked:?} shows `{secret}`: {answer}", asker.name));
        }
    }

    /// Judges whether something hidden gets the answer of something that never was. An index that was behind at one of
    /// the two answers is no leak: they are asked again, and a leak does not go away.
    fn compare(
        &mut self,
        asker: &Asker,
        probe: &str,
        hidden: &str,
        absent: &str,
        ask: &dyn Fn(&str) -> String,
    ) {
        let differ = || {
            // Some probes name a second thing, and it may be the same one.
            let masked = |answer: String| answer.replace(hidden, "ASKED").replace(absent, "ASKED");
            let (denied, missing) = (masked(ask(hidden)), masked(ask(absent)));
            (denied != missing).then(|| format!("  {denied}\n  {missing}"))
        };
        let mut difference = differ();
        for _ in 0..2 {
            if difference.is_none() {
                return;
            }
            std::thread::sleep(SETTLING);
            difference = differ();
        }
        if let Some(difference) = difference {
            let told = format!("{probe} tells `{hidden}` from `{absent}`:\n{difference}");
            self.leaks.push(format!("{}: {told}", asker.name));
        }
    }
}
