//! Bits that flip in the files of a store that was closed, or whose process died, and nobody notices: until they are read.

use storage::Error;

use crate::campaign::{Broken, Campaign, Counts, How, Trial, counts};
use crate::disk::{Cut, Disk, Files};
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
    let lived = lived(seed).map_err(|violation| violation.broken(&"no flip"))?;
    let (workload, mut seeded) = (Workload::draw(seed), Seeded::new(seed, 6));
    let mut met: Counts = counts([("flips", FLIPS.per_seed)]);
    for _ in 0..FLIPS.per_seed {
        let files = &lived[seeded.below(lived.len())];
        let (bit, checked) = (draw_bit(files, &mut seeded), seeded.one_in(2));
        let Some(outcome) = flip(&workload, files.clone(), bit, checked) else {
            return Err(Broken {
                how: How::SilentlyWrong,
                report: format!("by {bit:?}, checked: {checked}"),
            });
        };
        *met.entry(outcome.to_owned()).or_default() += 1;
    }
    Ok(met)
}

/// What the life of a seed leaves on its disk: when the store was closed, and when its process died just before that.
fn lived(seed: u64) -> Result<[Files; 2], Violation> {
    let disk = new_disk()?;
    let acknowledged = Workload::draw(seed).run(&disk)?;
    let last = acknowledged.last().copied().unwrap_or_default();
    let died = disk.after(Cut { at: last, keep: 1000, tear: false, seed });
    Ok([disk.files(), died])
}

/// A bit of a file.
#[derive(Clone, Copy, Debug)]
struct Bit {
    file: usize,
    bit: usize,
}

/// A bit of a page that holds something: most of small files is empty.
fn draw_bit(files: &Files, seeded: &mut Seeded) -> Bit {
    let is_used = |page: &[u8]| page.iter().any(|byte| *byte != 0);
    let used: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(file, bytes)| (file, bytes.chunks(PAGE_BYTES).enumerate()))
        .flat_map(|(file, pages)| pages.filter(|(_, page)| is_used(page)).map(move |(page, _)| (file, page)))
        .collect();
    let (file, page) = used[seeded.below(used.len())];
    Bit { file, bit: page * PAGE_BYTES * 8 + seeded.below(PAGE_BYTES * 8) }
}

/// What a flipped bit came to; `None` if something read wrong, or was missing, and nothing says so.
fn flip(
    workload: &Workload,
    mut files: Files,
    Bit { file, bit }: Bit,
    checked: bool,
) -> Option<&'static str> {
    files[file][bit / 8] ^= 1 << (bit % 8);
    let disk = Disk::of(files);
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
