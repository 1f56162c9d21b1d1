//! Bits that flip in the file of a closed store, and nobody notices: until it is read.

use storage::Error;

use crate::campaign::{Broken, Campaign, Counts, How, Trial, counts};
use crate::disk::Disk;
use crate::seed::Seeded;
use crate::verdict::Violation;
use crate::workload::{Workload, new_disk, try_open};

const FLIPS: Campaign = Campaign { name: "flips", unit: "flips", per_seed: 25 };
/// Flips in a plain test run.
const COUNT: u64 = 500;
const PAGE_BYTES: usize = 4096;

#[test]
fn a_flipped_bit_is_never_a_silent_wrong_answer() {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let met = FLIPS.run(0, COUNT, cores, &flips);
    assert!(
        met.contains_key("at_open") && met.contains_key("on_read") && met.contains_key("harmless"),
        "{met:?}"
    );
}

fn flips(seed: u64) -> Trial {
    let bytes = lived(seed).map_err(|violation| violation.broken(&"no flip"))?;
    let (workload, mut seeded) = (Workload::draw(seed), Seeded::new(seed, 6));
    let mut met: Counts = counts([("flips", FLIPS.per_seed)]);
    for _ in 0..FLIPS.per_seed {
        let (bit, checked) = (draw_bit(&bytes, &mut seeded), seeded.one_in(2));
        let Some(outcome) = flip(&workload, bytes.clone(), bit, checked) else {
            return Err(Broken {
                how: How::SilentlyWrong,
                report: format!("by bit {bit}, checked: {checked}"),
            });
        };
        *met.entry(outcome.to_owned()).or_default() += 1;
    }
    Ok(met)
}

/// What the life of a seed leaves on its disk.
fn lived(seed: u64) -> Result<Vec<u8>, Violation> {
    let disk = new_disk()?;
    Workload::draw(seed).run(&disk)?;
    Ok(disk.bytes())
}

/// A bit of a page that holds something: most of a small file is empty.
fn draw_bit(bytes: &[u8], seeded: &mut Seeded) -> usize {
    let used: Vec<_> =
        bytes.chunks(PAGE_BYTES).enumerate().filter(|(_, page)| page.iter().any(|byte| *byte != 0)).collect();
    let (page, _) = used[seeded.below(used.len())];
    page * PAGE_BYTES * 8 + seeded.below(PAGE_BYTES * 8)
}

/// What a flipped bit came to; `None` if something read wrong, or was missing, and nothing says so.
fn flip(workload: &Workload, mut bytes: Vec<u8>, bit: usize, checked: bool) -> Option<&'static str> {
    bytes[bit / 8] ^= 1 << (bit % 8);
    let disk = Disk::of(bytes);
    disk.check_when_opened(checked);
    let Ok(store) = try_open(&disk) else { return Some("at_open") };
    let view = store.view().expect("just opened");
    match crate::observe::observe(&view) {
        Ok(found) if workload.is_last_state(&found) => match store.check_pages(Box::new(|_| Ok(()))) {
            Ok(()) => Some("harmless"),
            Err(_) => Some("by_scrub"),
        },
        // Two ways to ask that disagree: whoever asks one way only is misled.
        Err(error) if !matches!(error, Error::Corrupt { what: "view", .. }) => Some("on_read"),
        _ => match view.verify(&mut |_| ()) {
            Ok(report) if report.problems.is_empty() => None,
            _ => Some("answered_over"),
        },
    }
}
