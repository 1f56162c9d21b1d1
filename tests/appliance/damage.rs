//! Every file that a node writes, damaged in every way: found when the node starts, when it is asked, by a scrub or by
//! `verify`; named. What is derived is made again; what is not is refused, and nothing is answered over it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::campaign::{Broken, Campaign, How, Trial, counts};
use crate::disks::{files_in, serve_for, verify};
use crate::http::Http;
use crate::kills::clock;
use crate::lasting::{self, Answered};
use crate::node::{Node, program, run};
use crate::seed::Seeded;

const DAMAGES: Campaign = Campaign { name: "damages", unit: "damages", per_seed: 1 };
/// Damages in a plain test run.
const COUNT: u64 = 60;
const PAGE_BYTES: usize = 4096;
/// Made again from the rest, or of no meaning while the node is stopped: to lose them loses nothing.
const DERIVED: [&str; 4] = ["index/", "ballast", "lock", "admin.sock"];

/// What can happen to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Damage {
    Flip,
    Zeroes,
    /// A page as it was before.
    StalePage,
    Shorter,
    Empty,
    Missing,
    /// The bytes of another file.
    Swapped,
    /// All of it as it was before.
    Stale,
}

/// How a damage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// The node refused to start, and named it.
    AtOpen,
    /// Some question was refused; the rest was answered as before.
    OnRead,
    /// Every answer was as before, and a scrub of the running node said so.
    ByScrub,
    /// Only `verify` said so.
    ByVerify,
    /// Every answer was as before and `verify` found everything in order: it was made again, or nothing was there.
    Harmless,
}

/// A stopped node's directory, the same a while before, and what the node answers.
struct Known {
    node: Node,
    earlier: PathBuf,
    answers: Vec<Answered>,
}

#[test]
fn damage_is_found_wherever_it_is() {
    let known = Known::new();
    let met = DAMAGES.run(clock(), COUNT, 1, &|seed| known.damage(&mut Seeded::new(seed, 11)));
    println!("{met:#?}");
    let of = |found: Found| met.get(found.name()).copied().unwrap_or_default();
    assert!(of(Found::AtOpen) + of(Found::OnRead) + of(Found::ByScrub) > 0, "no damage met anything");
}

impl Known {
    fn new() -> Known {
        let mut node = Node::start();
        let ring = lasting::begin(&node);
        node.stop();
        let earlier = node.file("earlier");
        copy_all(&node.data_dir(), &earlier);
        node.restart();
        let answers = lasting::go_on(&node, ring).answers(&node.http());
        node.stop_and_verify();
        Known { node, earlier, answers }
    }

    /// Damages a file of a copy, and sees how that ends.
    fn damage(&self, random: &mut Seeded) -> Trial {
        let copy = self.node.file("damaged");
        let _ = fs::remove_dir_all(&copy);
        copy_all(&self.node.data_dir(), &copy);
        let files = files_in(&copy);
        let file = any_of_a_kind(&files, &copy, random);
        let name = file.strip_prefix(&copy).expect("below it").display().to_string();
        let Some((damage, place)) = damaged(file, &name, self, &files, random) else {
            return Ok(counts([("damages", 1), ("nothing_changed", 1)]));
        };
        let what = format!("{damage:?} of `{name}` at {place}");
        let found = self.judge(&copy, &name, &what)?;
        let of_kind = format!("{} {}", kind_of(&name), found.name());
        Ok(counts([("damages", 1), (found.name(), 1), (&of_kind, 1)]))
    }

    /// Starts a node on the damaged directory, asks it everything, scrubs and stops it, and verifies what it leaves.
    fn judge(&self, directory: &Path, name: &str, what: &str) -> Result<Found, Broken> {
        let (mut refused, mut wrong, mut is_scrubbed) = (0_usize, Vec::new(), false);
        let token = &self.node.token;
        let started = serve_for(directory, |url| {
            let http = Http::new(url, token);
            for (question, answer) in &self.answers {
                let now = lasting::ask(&http, question);
                match now == *answer {
                    true => {}
                    false if now.contains("\"errors\"") || !now.starts_with("200 ") => refused += 1,
                    false => wrong.push(format!("{question}: {now}, not {answer}")),
                }
            }
            is_scrubbed = finds_by_scrubbing(url, token);
        });
        if let Err(ran) = started {
            assert_eq!(ran.exit, 3, "{what}: {ran:?}");
            assert!(!ran.stderr.contains("panicked"), "{what}: {ran:?}");
            let message = ran.error()["message"].as_str().unwrap_or_default().to_owned();
            assert!(
                !message.is_empty() && !is_derived(name),
                "{what}: what is derived is made again: {ran:?}"
            );
            return Ok(Found::AtOpen);
        }
        assert!(
            wrong.is_empty() && refused == 0 || !is_derived(name),
            "{what}: what is derived is made again; {refused} refused, wrong: {wrong:?}"
        );
        let verified = verify(directory);
        assert!(matches!(verified.exit, 0 | 1 | 3), "{what}: {verified:?}");
        let is_found = verified.exit != 0;
        let report = || format!("{what}: {wrong:?}");
        match (wrong.len(), refused) {
            (1.., _) if !is_found => Err(Broken { how: How::SilentlyWrong, report: report() }),
            (1.., _) => Err(Broken { how: How::Failed, report: format!("answered over, {}", report()) }),
            (0, 1..) => Ok(Found::OnRead),
            (0, 0) if is_scrubbed => Ok(Found::ByScrub),
            (0, 0) if is_found => Ok(Found::ByVerify),
            (0, 0) => Ok(Found::Harmless),
        }
    }
}

impl Found {
    fn name(self) -> &'static str {
        match self {
            Found::AtOpen => "at_open",
            Found::OnRead => "on_read",
            Found::ByScrub => "by_scrub",
            Found::ByVerify => "by_verify",
            Found::Harmless => "harmless",
        }
    }
}

/// Whether a scrub of the running node finds anything, or cannot even end.
fn finds_by_scrubbing(url: &str, token: &str) -> bool {
    let mut command = program();
    command.args(["scrub", "--json", "--url", url]).env("INTELGRAPH_TOKEN", token);
    run(command).exit != 0
}

/// Each kind of file is as likely as the next, however many there are of it; the database as three.
fn any_of_a_kind<'f>(files: &'f [PathBuf], home: &Path, random: &mut Seeded) -> &'f PathBuf {
    let mut kinds: BTreeMap<String, Vec<&PathBuf>> = BTreeMap::new();
    for file in files {
        let name = file.strip_prefix(home).expect("below it").display().to_string();
        kinds.entry(kind_of(&name)).or_default().push(file);
    }
    let database = kinds.get("store.redb").cloned().unwrap_or_default();
    let kinds: Vec<_> = kinds.into_values().chain([database.clone(), database]).collect();
    let kind = &kinds[random.below(kinds.len())];
    kind[random.below(kind.len())]
}

/// Damages a file in some way that changes it; which, and where.
fn damaged(
    file: &Path,
    name: &str,
    known: &Known,
    files: &[PathBuf],
    random: &mut Seeded,
) -> Option<(Damage, usize)> {
    use Damage::{Empty, Flip, Missing, Shorter, Stale, StalePage, Swapped, Zeroes};
    let ways =
        [Flip, Flip, Flip, Zeroes, Zeroes, StalePage, StalePage, Shorter, Empty, Missing, Swapped, Stale];
    let damage = ways[random.below(ways.len())];
    let before = fs::read(file).ok()?;
    let place = random.below(before.len());
    let page = place / PAGE_BYTES * PAGE_BYTES..before.len().min((place / PAGE_BYTES + 1) * PAGE_BYTES);
    let mut bytes = before.clone();
    match damage {
        Flip => *bytes.get_mut(place)? ^= 1 << random.below(8),
        Zeroes => bytes[page].fill(0),
        StalePage => {
            let old = fs::read(known.earlier.join(name)).ok()?;
            bytes[page.clone()].copy_from_slice(old.get(page)?);
        }
        Shorter => bytes.truncate(place),
        Empty => bytes.clear(),
        Swapped => bytes = fs::read(&files[random.below(files.len())]).ok()?,
        Stale => bytes = fs::read(known.earlier.join(name)).ok()?,
        Missing => {
            fs::remove_file(file).ok()?;
            return Some((damage, 0));
        }
    }
    if bytes == before {
        return None;
    }
    fs::write(file, bytes).expect("a file");
    Some((damage, place))
}

fn is_derived(name: &str) -> bool {
    DERIVED.iter().any(|derived| name.starts_with(derived))
}

/// The kind of file: names without their numbers.
fn kind_of(name: &str) -> String {
    if name.starts_with("index/") { "index".to_owned() } else { name.to_owned() }
}

/// A copy that costs no room for what is empty.
fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").args(["-a", "--sparse=always"]).arg(from).arg(to).status();
    assert!(copied.expect("cp").success());
}
