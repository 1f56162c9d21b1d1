//! Every file that a node writes, damaged in every way: found when the node starts, when it is asked, by a scrub or by
//! `verify`; named. What is derived is made again; what is not is refused, and nothing is answered over it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::campaign::{Broken, Campaign, How, Trial, counts};
use crate::data;
use crate::disks::{files_in, serve, serve_for, verify};
use crate::http::Http;
use crate::kills::clock;
use crate::lasting::{self, Answered};
use crate::node::{Node, Ran, program, run};
use crate::seed::Seeded;

const DAMAGES: Campaign = Campaign { name: "damages", unit: "damages", per_seed: 1 };
/// Damages in a plain test run.
const COUNT: u64 = 60;
const PAGE_BYTES: usize = 4096;
/// Made again from the rest, or of no meaning while the node is stopped: to lose them loses nothing.
const DERIVED: [&str; 5] = ["index/", "ballast", "lock", "admin.sock", "store.redb.journal"];
const DATABASE: &str = "store.redb";
/// What is never made anew: it tells the node's own data from a copy.
const ANCHOR: &str = "anchor";
const KEY: &str = "keys/ledger.key";
/// Bits of a file that are flipped, one at a time.
const FLIPS: usize = 4;
/// Its pages are not looked at when it is opened: a larger database starts like that.
const UNCHECKED: [&str; 2] = ["/usr/bin/env", "INTELGRAPH_CHECKED_BYTES_MAX=0"];
/// A node that is told that its anchor is gone.
const WITHOUT_ANCHOR: [&str; 4] = ["/bin/sh", "-c", "exec \"$@\" --no-anchor", "sh"];

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

/// All but the database, whose free pages nobody reads.
#[test]
fn a_flip_in_any_file_that_is_not_derived_is_found_and_named() {
    let known = Known::new();
    let mut random = Seeded::new(clock(), 12);
    let mut kinds = Vec::new();
    for file in files_in(&known.node.data_dir()) {
        let name = file.strip_prefix(known.node.data_dir()).expect("below it").display().to_string();
        if is_derived(&name) || name == DATABASE {
            continue;
        }
        let length = fs::metadata(&file).expect("a file").len() as usize;
        // The last byte is the end of a line.
        let mut places = vec![0, length - 1];
        places.resize_with(FLIPS, || random.below(length));
        for place in places {
            let bit = random.below(8);
            let told = known.flipped(&name, place, bit);
            let names = ["`anchor`", "anchor", "format", "key", "decisions", "rejects"];
            let what = format!("bit {bit} of byte {place} of `{name}`: {told}");
            assert!(names.iter().any(|name| told.contains(name)), "{what}");
        }
        kinds.extend(name.split('/').next().map(str::to_owned));
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["anchor", "decisions", "format", "keys", "rejects"], "what a node writes");
}

#[test]
fn a_key_or_an_anchor_that_is_gone_is_missed_and_not_made_anew() {
    let (mut node, other) = (Node::start(), Node::start());
    node.stop();
    let home = node.data_dir();
    let copy_without = |gone: &[&str]| {
        let copy = node.file("copy");
        let _ = fs::remove_dir_all(&copy);
        copy_all(&home, &copy);
        gone.iter().for_each(|name| fs::remove_file(copy.join(name)).expect("removed"));
        copy
    };
    for (gone, named) in [(&[ANCHOR][..], ANCHOR), (&[KEY], KEY), (&[ANCHOR, KEY], KEY)] {
        let copy = copy_without(gone);
        is_missed(&copy, named);
        assert!(gone.iter().all(|name| !copy.join(name).exists()), "{gone:?}");
    }
    let copy = copy_without(&[ANCHOR]);
    fs::copy(other.data_dir().join(KEY), copy.join(KEY)).expect("copied");
    is_missed(&copy, "is another than");
    // Whoever knows that the database is the last one says so, once; the key is not given up like that.
    assert!(serve_for(&copy, &WITHOUT_ANCHOR, |_| ()).is_err());
    let copy = copy_without(&[ANCHOR]);
    serve_for(&copy, &WITHOUT_ANCHOR, |url| {
        assert!(copy.join(ANCHOR).exists(), "it was written anew");
        ["scrub", "doctor"].iter().for_each(|command| misses_its_anchor(command, &copy, url, &node.token));
    })
    .unwrap_or_else(|ran| panic!("it starts: {ran:?}"));
    verify(&copy).ok();
    serve_for(&copy, &[], |_| ()).unwrap_or_else(|ran| panic!("as ever: {ran:?}"));
}

/// A node that runs says it too; behind its last write, since it writes the anchor with each.
fn misses_its_anchor(command: &str, directory: &Path, url: &str, token: &str) {
    let since = Instant::now();
    loop {
        let _ = fs::remove_file(directory.join(ANCHOR));
        let ran = asked(command, url, token);
        if ran.exit == 1 && ran.json.to_string().contains("--no-anchor") {
            return;
        }
        assert!(since.elapsed() < Duration::from_secs(30), "{command}: {ran:?}");
    }
}

/// Whatever looks at the directory says what is missing, and what to do.
fn is_missed(directory: &Path, named: &str) {
    let message = serve(directory).failed(3, "corrupt");
    assert!(message.contains(named) && message.contains("restore a backup"), "{message}");
    for command in ["scrub", "doctor"] {
        let mut looking = program();
        looking.args([command, "--json", "--data-dir"]).arg(directory);
        let ran = run(looking);
        assert_eq!((command, ran.exit), (command, 1), "{ran:?}");
    }
    let verified = verify(directory);
    assert!(verified.exit == 1 && verified.json["problems"].to_string().contains(named), "{verified:?}");
}

#[test]
fn a_list_of_rejects_that_lacks_lines_is_named() {
    let known = Known::new();
    let home = known.node.data_dir();
    let lists = files_in(&home.join("rejects"));
    let list = lists.last().expect("something was refused");
    let name = list.strip_prefix(&home).expect("below it");
    let whole = fs::read(list).expect("a list");
    let last = memchr::memrchr(b'\n', &whole[..whole.len() - 1]).map_or(0, |at| at + 1);
    for left in [0, last] {
        let copy = known.copy();
        match left {
            0 => fs::remove_file(copy.join(name)).expect("removed"),
            left => fs::write(copy.join(name), &whole[..left]).expect("a file"),
        }
        let mut told = String::new();
        serve_for(&copy, &[], |url| told = scrub(url, &known.node.token).json["problems"].to_string())
            .unwrap_or_else(|ran| panic!("it starts: {ran:?}"));
        assert!(told.contains("lines are there") && told.contains("rejects"), "{left} bytes left: {told}");
        let verified = verify(&copy);
        assert!(verified.exit == 1 && verified.json.to_string().contains("lines are there"), "{verified:?}");
    }
}

/// What `verify` says of the pages of a stopped node a scrub says of them while it runs.
#[test]
fn a_scrub_sees_pages_that_are_older_versions_of_themselves() {
    let known = Known::new();
    let pages = |place: &Path| fs::read(place.join(DATABASE)).expect("the database");
    let (before, after) = (pages(&known.earlier), pages(&known.node.data_dir()));
    let is_other = |at: &usize| {
        let old = &before[*at..*at + PAGE_BYTES];
        *old != after[*at..*at + PAGE_BYTES] && old.iter().any(|byte| *byte != 0)
    };
    let others: Vec<_> =
        (PAGE_BYTES..before.len().min(after.len())).step_by(PAGE_BYTES).filter(is_other).collect();
    let mut seen = 0;
    for at in others.iter().step_by((others.len() / 12).max(1)) {
        let copy = known.copy();
        let mut damaged = after.clone();
        damaged[*at..*at + PAGE_BYTES].copy_from_slice(&before[*at..*at + PAGE_BYTES]);
        fs::write(copy.join(DATABASE), &damaged).expect("the database");
        let mut scrubbed = None;
        let started = serve_for(&copy, &UNCHECKED, |url| scrubbed = Some(scrub(url, &known.node.token)));
        let (Ok(()), Some(scrubbed)) = (started, scrubbed) else { continue };
        fs::write(copy.join(DATABASE), &damaged).expect("the database");
        let verified = verify(&copy);
        assert_eq!(scrubbed.exit == 0, verified.exit == 0, "page {at}: {scrubbed:?}, and {verified:?}");
        seen += usize::from(scrubbed.json["problems"].to_string().contains("older version"));
    }
    assert!(seen > 0, "no page of {} was one that counts: the test shows nothing", others.len());
}

/// The index is mapped into memory: whoever damages it does so under the node's feet.
#[test]
fn an_index_that_is_damaged_while_it_is_in_use_is_built_anew() {
    let mut node = Node::start();
    let made = data::jsonl("ring", 300);
    let file = node.write("ring.jsonl", &made.text);
    node.import(&file, "jsonl", "ring", &[]).ok();
    let is_store = |file: &PathBuf| file.extension().is_some_and(|kind| kind == "store");
    let store = files_in(&node.data_dir().join("index")).into_iter().find(is_store).expect("a file of texts");
    let damaged = fs::File::options().write(true).open(&store).expect("a file");
    damaged.write_all_at(&[0x5a; 8], 16).expect("damaged where it lies");
    node.cli(&["scrub"]).ok();
    let name = store.file_name().expect("a name").to_string_lossy().into_owned();
    let since = Instant::now();
    while !node.log().contains("is being rebuilt") {
        assert!(since.elapsed() < Duration::from_secs(30), "{}", node.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(node.log().contains(&name), "the file is named: {}", node.log());
    let lsn = node.http().graphql("node:v1", json!({}))["node"]["lsn"].clone();
    let found = node.http().graphql("search:v1", json!({"q": made.word, "atLeast": lsn}));
    assert_eq!(found["search"]["hits"][0]["id"].as_str(), Some(made.word_in.as_str()), "{found}");
    node.stop_and_verify();
}

impl Known {
    fn new() -> Known {
        let mut node = Node::start();
        let ring = lasting::begin(&node);
        node.stop();
        let earlier = node.file("earlier");
        copy_all(&node.data_dir(), &earlier);
        node.restart();
        let filled = lasting::go_on(&node, ring);
        let refused = node.write("refused.jsonl", "{\"id\": \"no-type\"}\nno line\n");
        assert_eq!(node.import(&refused, "jsonl", "ring", &[]).exit, 1);
        // What was there before lies in pages that are written anew: free ones are, from the next time but one that the
        // database is made durable.
        for round in 0..4 {
            let name = format!("round-{round}");
            let more = node.write(&format!("{name}.jsonl"), data::jsonl(&name, 40).text);
            node.import(&more, "jsonl", &name, &[]).ok();
            node.stop();
            node.restart();
        }
        let answers = filled.answers(&node.http());
        node.stop_and_verify();
        Known { node, earlier, answers }
    }

    fn copy(&self) -> PathBuf {
        let copy = self.node.file("damaged");
        let _ = fs::remove_dir_all(&copy);
        copy_all(&self.node.data_dir(), &copy);
        copy
    }

    /// What a node says on a copy in which a bit is another: when it is started, or scrubbed.
    fn flipped(&self, name: &str, place: usize, bit: usize) -> String {
        let copy = self.copy();
        let mut bytes = fs::read(copy.join(name)).expect("a file");
        bytes[place] ^= 1 << bit;
        fs::write(copy.join(name), bytes).expect("a file");
        let mut told = String::new();
        let started =
            serve_for(&copy, &[], |url| told = scrub(url, &self.node.token).json["problems"].to_string());
        started.map_or_else(|ran| ran.error()["message"].to_string(), |()| told)
    }

    /// Damages a file of a copy, and sees how that ends.
    fn damage(&self, random: &mut Seeded) -> Trial {
        let copy = self.copy();
        let files = files_in(&copy);
        let file = any_of_a_kind(&files, &copy, random);
        let name = file.strip_prefix(&copy).expect("below it").display().to_string();
        let Some((damage, place)) = damaged(file, &name, self, &files, random) else {
            return Ok(counts([("damages", 1), ("nothing_changed", 1)]));
        };
        let what = format!("{damage:?} of `{name}` at {place}");
        let found = self.judge(&copy, &name, &what)?;
        let is_lost = damage == Damage::Missing && [ANCHOR, KEY].contains(&name.as_str());
        assert!(!is_lost || found == Found::AtOpen, "{what}: {found:?}");
        let of_kind = format!("{} {}", kind_of(&name), found.name());
        Ok(counts([("damages", 1), (found.name(), 1), (&of_kind, 1)]))
    }

    /// Starts a node on the damaged directory, asks it everything, scrubs and stops it, and verifies what it leaves.
    fn judge(&self, directory: &Path, name: &str, what: &str) -> Result<Found, Broken> {
        let (mut refused, mut wrong, mut is_scrubbed) = (0_usize, Vec::new(), false);
        let token = &self.node.token;
        let started = serve_for(directory, &[], |url| {
            let http = Http::new(url, token);
            for (question, answer) in &self.answers {
                let now = lasting::ask(&http, question);
                match now == *answer {
                    true => {}
                    false if now.contains("\"errors\"") || !now.starts_with("200 ") => refused += 1,
                    false => wrong.push(format!("{question}: {now}, not {answer}")),
                }
            }
            // It finds something, or cannot even end.
            is_scrubbed = scrub(url, token).exit != 0;
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
        let is_told = matches!(verified.json["ok"].as_bool(), Some(ok) if ok == (verified.exit == 0));
        assert!(is_told && verified.exit < 2, "{what}: {verified:?}");
        let is_found = verified.exit != 0;
        let report = || format!("{what}: {wrong:?}");
        match (wrong.len(), refused) {
            (1.., _) if !is_found => Err(Broken { how: How::SilentlyWrong, report: report() }),
            (1.., _) => Err(Broken { how: How::Failed, report: format!("answered over, {}", report()) }),
            (0, 1..) => Ok(Found::OnRead),
            (0, 0) if is_scrubbed => Ok(Found::ByScrub),
            (0, 0) if is_found => {
                Err(Broken { how: How::Failed, report: format!("not found by a scrub, {}", report()) })
            }
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
            Found::Harmless => "harmless",
        }
    }
}

fn scrub(url: &str, token: &str) -> Ran {
    asked("scrub", url, token)
}

fn asked(command: &str, url: &str, token: &str) -> Ran {
    let mut asking = program();
    asking.args([command, "--json", "--url", url]).env("INTELGRAPH_TOKEN", token);
    run(asking)
}

/// Each kind of file is as likely as the next, however many there are of it; the database as three.
fn any_of_a_kind<'f>(files: &'f [PathBuf], home: &Path, random: &mut Seeded) -> &'f PathBuf {
    let mut kinds: BTreeMap<String, Vec<&PathBuf>> = BTreeMap::new();
    for file in files {
        let name = file.strip_prefix(home).expect("below it").display().to_string();
        kinds.entry(kind_of(&name)).or_default().push(file);
    }
    let database = kinds.get(DATABASE).cloned().unwrap_or_default();
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
