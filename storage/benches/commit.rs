//! How fast records become durable, tables and ledger included, and what they take on disk; beside the
//! disk's own limit and a bare redb that is given the same rows.
//!
//! `cargo bench -p storage --bench commit -- [--quick] [one] [small] [bulk] [relations] [noted]`

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench measures, prints and stops at the first failure"
)]

use std::fs::File;
use std::io::{Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redb::{Database, TableDefinition};
use storage::commands::{Assert, Command, CreateTenant, Effect, IfEndMissing, NoteChanges, SetSource};
use storage::ids::{ActorId, SourceId, TenantId};
use storage::model::{
    Claim, Classification, EdgeSaid, Form, Label, Licence, Part, Purpose, Purposes, Retention, Said,
    SourceSpec, Status, Text,
};
use storage::{Directory, Stamp, Store};

const CACHE_BYTES: usize = 128 << 20;
/// What a client brings who waits for each answer, and how many of these are written.
const ONE: usize = 1;
const ONES: usize = 20_000;
/// About what 10 ms bring.
const SMALL: usize = 500;
/// What an import commits at once.
const BULK: usize = 16_384;
const RECORD_BYTES: usize = 1000;

fn main() {
    let rows = rows_wanted();
    let directory = tempfile::tempdir().unwrap();
    println!("{rows} records of {RECORD_BYTES} bytes, random ids, cache {} MiB\n", CACHE_BYTES >> 20);
    let disk = disk(directory.path());
    if wanted("one") {
        let store = store(&directory.path().join("one"), rows.min(ONES), ONE, Mix::Entities, false);
        println!("    (one fdatasync each alone would allow {disk:.0}/s)");
        let peer = bare(&directory.path().join("one.redb"), rows.min(ONES), ONE);
        println!("    ratio to bare redb: {:.2}\n", store / peer);
    }
    if wanted("small") {
        let store = store(&directory.path().join("small"), rows, SMALL, Mix::Entities, false);
        let floor = disk * SMALL as f64;
        println!("    (one fdatasync a batch alone would allow {floor:.0}/s)");
        let peer = bare(&directory.path().join("small.redb"), rows, SMALL);
        println!("    ratio to bare redb: {:.2}\n", store / peer);
    }
    if wanted("bulk") {
        let store = store(&directory.path().join("bulk"), rows, BULK, Mix::Entities, false);
        let peer = bare(&directory.path().join("bulk.redb"), rows, BULK);
        println!("    ratio to bare redb: {:.2}\n", store / peer);
    }
    if wanted("relations") {
        store(&directory.path().join("relations"), rows, BULK, Mix::Relations, false);
    }
    if wanted("noted") {
        for batch in [SMALL, BULK] {
            for noted in [false, true, false, true] {
                store(&directory.path().join("noted"), rows, batch, Mix::Relations, noted);
            }
        }
    }
}

fn rows_wanted() -> usize {
    let given = std::env::var("INTELGRAPH_BENCH_ROWS");
    let quick = std::env::args().any(|arg| arg == "--quick");
    let default = if quick { 100_000 } else { 1_000_000 };
    given.map_or(default, |rows| rows.parse().unwrap())
}

/// Everything, unless some are named.
fn wanted(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).peekable();
    named.peek().is_none() || named.any(|arg| arg == part)
}

/// The disk's own limit: how often it syncs 4 KiB, and how fast it takes 16 MiB at a time.
fn disk(directory: &Path) -> f64 {
    let mut file = File::create(directory.join("raw")).unwrap();
    file.write_all(&vec![1; 64 << 20]).unwrap();
    file.sync_all().unwrap();
    let mut syncs = Times::default();
    for turn in 0..300u64 {
        file.seek(std::io::SeekFrom::Start(turn * 7919 % 16384 * 4096)).unwrap();
        syncs.add(|| {
            file.write_all(&[turn as u8; 4096]).unwrap();
            file.sync_data().unwrap();
        });
    }
    let block: Vec<u8> = (0..16u32 << 20).map(|n| n.wrapping_mul(2_654_435_761) as u8).collect();
    let mut bulk = Times::default();
    for _ in 0..16 {
        bulk.add(|| {
            file.write_all(&block).unwrap();
            file.sync_data().unwrap();
        });
    }
    let (rate, mib) = (300.0 / syncs.total(), 256.0 / bulk.total());
    println!("disk: {rate:.0} fdatasync/s of 4 KiB ({syncs}); {mib:.0} MiB/s appended\n");
    drop(file);
    std::fs::remove_file(directory.join("raw")).unwrap();
    rate
}

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mix {
    Entities,
    /// Half relations.
    Relations,
}

/// Through the store: everything that a client waits for.
fn store(path: &Path, rows: usize, batch: usize, mix: Mix, noted: bool) -> f64 {
    let relations = mix == Mix::Relations;
    let directory = Directory::hold(path).unwrap();
    let store = directory.open_store(CACHE_BYTES, "00112233aabbccdd".to_owned()).unwrap();
    let (tenant, source) = begin(&store);
    if noted {
        store.write(&[Command::NoteChanges(NoteChanges)], stamp(0)).unwrap();
    }
    let mut maker = Maker::new(tenant, source);
    let (mut times, mut bytes, mut cpu) = (Times::default(), 0, Duration::ZERO);
    let mut written = 0;
    while written < rows {
        let count = batch.min(rows - written);
        let commands: Vec<_> = (0..count)
            .map(|place| match relations && written > 0 && place % 2 == 1 {
                true => maker.relation(&mut bytes),
                false => maker.entity(&mut bytes),
            })
            .collect();
        let before = on_cpu();
        times.add(|| {
            let done = store.write(&commands, stamp(written)).unwrap();
            assert!(done.answers.iter().all(Result::is_ok));
        });
        cpu += on_cpu() - before;
        written += count;
    }
    let mix = if relations { ", half relations" } else { "" };
    let mix = if noted { format!("{mix}, changes noted") } else { mix.to_owned() };
    report(&format!("store, {batch} a commit{mix}"), rows, &times, cpu, bytes, &path.join("store.redb"));
    drop(store);
    let closed = path.join("store.redb").metadata().unwrap();
    println!(
        "    when closed: {:.2} bytes a byte ({:.2} allocated)",
        closed.len() as f64 / bytes as f64,
        (closed.blocks() * 512) as f64 / bytes as f64
    );
    std::fs::remove_dir_all(path).unwrap();
    rows as f64 / times.total()
}

/// The same rows without records, ledger or checksums: what the engine itself can do.
fn bare(path: &Path, rows: usize, batch: usize) -> f64 {
    const NAMES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("names");
    const THINGS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("things");
    const LOG: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("log");
    let database = Database::builder().set_cache_size(CACHE_BYTES).create(path).unwrap();
    let mut random = Random(1);
    let (mut times, mut cpu) = (Times::default(), Duration::ZERO);
    let payload = vec![7u8; 63 * (RECORD_BYTES + 61)];
    let (mut written, mut log_row) = (0, 0u64);
    while written < rows {
        let count = batch.min(rows - written);
        let mut names: Vec<(Vec<u8>, u64)> =
            (0..count).map(|place| (named(&mut random).into_bytes(), (written + place) as u64)).collect();
        let before = on_cpu();
        times.add(|| {
            let mut write = database.begin_write().unwrap();
            write.set_quick_repair(true);
            {
                let mut things = write.open_table(THINGS).unwrap();
                for (name, thing) in &names {
                    let mut row = [0; 100];
                    row[..name.len()].copy_from_slice(name);
                    things.insert(thing.to_be_bytes().as_slice(), row.as_slice()).unwrap();
                }
                names.sort_unstable();
                let mut by_name = write.open_table(NAMES).unwrap();
                for (name, thing) in &names {
                    by_name.insert(name.as_slice(), thing.to_be_bytes().as_slice()).unwrap();
                }
                let mut log = write.open_table(LOG).unwrap();
                let mut left = count * (RECORD_BYTES + 61);
                while left > 0 {
                    let row = &payload[..left.min(61 * (RECORD_BYTES + 61))];
                    log.insert(log_row.to_be_bytes().as_slice(), row).unwrap();
                    log_row += 1;
                    left -= row.len();
                }
            }
            write.commit().unwrap();
        });
        cpu += on_cpu() - before;
        written += count;
    }
    let name = format!("bare redb, {batch} a commit");
    report(&name, rows, &times, cpu, rows * RECORD_BYTES, path);
    drop(database);
    std::fs::remove_file(path).unwrap();
    rows as f64 / times.total()
}

fn report(name: &str, rows: usize, times: &Times, cpu: Duration, bytes: usize, file: &Path) {
    let file = file.metadata().unwrap();
    println!(
        "{name}: {:.0}/s ({times}), {:.1} us of processor each; {:.2} bytes a byte ({:.2} allocated)",
        rows as f64 / times.total(),
        cpu.as_secs_f64() * 1e6 / rows as f64,
        file.len() as f64 / bytes as f64,
        (file.blocks() * 512) as f64 / bytes as f64,
    );
}

fn begin(store: &Store) -> (TenantId, SourceId) {
    let one = |command| match store.write(&[command], stamp(0)).unwrap().answers.remove(0) {
        Ok(applied) => applied.effect,
        Err(error) => panic!("{error}"),
    };
    let create = CreateTenant { name: "default".to_owned(), actor: ActorId::NODE };
    let Effect::Tenant(tenant) = one(Command::CreateTenant(create)) else { panic!("a tenant was made") };
    let set = SetSource { tenant, actor: ActorId::NODE, spec: terms() };
    let Effect::Source(source) = one(Command::SetSource(set)) else { panic!("a source was made") };
    (tenant, source)
}

fn terms() -> SourceSpec {
    SourceSpec {
        name: "bench".to_owned(),
        purposes: Purposes::from_iter([Purpose::ThreatIntel]),
        licence: Licence::OpenDataOk,
        retention: Retention::Standard365d,
        classification: Classification::Internal,
        personal: false,
    }
}

fn stamp(turn: usize) -> Stamp {
    Stamp { time_us: 1_790_000_000_000_000 + turn as i64 * 10, seed: [turn as u8; 32] }
}

/// Makes things as an import does: labels are shared, everything else is each record's own.
struct Maker {
    tenant: TenantId,
    source: SourceId,
    entity: Arc<Label>,
    relation: Arc<Label>,
    random: Random,
    ids: Vec<String>,
}

impl Maker {
    fn new(tenant: TenantId, source: SourceId) -> Maker {
        Maker {
            tenant,
            source,
            entity: label(Form::Entity, "indicator"),
            relation: label(Form::Relation, "uses"),
            random: Random(1),
            ids: Vec::new(),
        }
    }

    fn entity(&mut self, bytes: &mut usize) -> Command {
        let id = named(&mut self.random);
        if self.ids.len() < 1 << 20 {
            self.ids.push(id.clone());
        }
        let label = Arc::clone(&self.entity);
        self.say(id, Form::Entity, "indicator", vec![], label, bytes)
    }

    fn relation(&mut self, bytes: &mut usize) -> Command {
        // Not from those of this batch alone: an end is a random place in the table.
        let mut end = || self.ids[self.random.next() as usize % self.ids.len()].clone();
        let edge = EdgeSaid { kind: "uses".to_owned(), from: end(), to: end() };
        let id = named(&mut self.random);
        let label = Arc::clone(&self.relation);
        self.say(id, Form::Relation, "uses", vec![edge], label, bytes)
    }

    fn say(
        &mut self,
        id: String,
        form: Form,
        thing_type: &str,
        edges: Vec<EdgeSaid>,
        label: Arc<Label>,
        bytes: &mut usize,
    ) -> Command {
        let claims: Vec<_> = ["name", "pattern", "created", "valid_from"]
            .into_iter()
            .map(|name| Claim {
                name: name.to_owned(),
                json: format!("\"{:016x}{:016x}\"", self.random.next(), self.random.next()),
            })
            .collect();
        let taken = id.len() + 16 + claims.len() * 50 + edges.len() * 106;
        let text: String = std::iter::repeat_with(|| WORDS[self.random.next() as usize % WORDS.len()])
            .flat_map(str::chars)
            .take(RECORD_BYTES - taken - 20)
            .collect();
        let said = Said {
            id,
            form,
            thing_type: thing_type.to_owned(),
            base: None,
            tags: vec![],
            status: Status::Active,
            observed_at_us: Some(1_790_000_000_000_000),
            version_us: Some(1_790_000_000_000_000),
            edges,
            weight: None,
            since: None,
            until: None,
            parts: vec![Part {
                label,
                claims,
                texts: vec![Text { text, of_claim: String::new() }],
                embedding: None,
            }],
        };
        *bytes += prost::Message::encoded_len(&said.assertion(&said.parts[0]));
        Command::Assert(Box::new(Assert {
            tenant: self.tenant,
            source: self.source,
            actor: ActorId::NODE,
            purpose: Purpose::ThreatIntel.code(),
            said,
            if_end_missing: IfEndMissing::Refuse,
        }))
    }
}

const WORDS: [&str; 8] =
    ["malware ", "beacon ", "of the ", "actor ", "seen in ", "network ", "traffic ", "and "];

fn label(form: Form, thing_type: &str) -> Arc<Label> {
    let spec = terms();
    Arc::new(Label {
        kind: form.into(),
        thing_type: thing_type.to_owned(),
        classification: spec.classification,
        licence: spec.licence,
        purposes: spec.purposes,
        retention: spec.retention,
        personal: false,
        source: spec.name,
        compartments: vec![],
    })
}

fn named(random: &mut Random) -> String {
    let (a, b) = (random.next(), random.next());
    format!(
        "indicator--{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xffff,
        b >> 48,
        b & 0xffff_ffff_ffff
    )
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn add(&mut self, act: impl FnOnce()) {
        let start = Instant::now();
        act();
        self.0.push(start.elapsed());
    }

    /// In seconds.
    fn total(&self) -> f64 {
        self.0.iter().sum::<Duration>().as_secs_f64()
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        write!(f, "p50 {:.1} p95 {:.1} max {:.1} ms", at(50), at(95), at(100))
    }
}

/// Time that this thread was on a processor.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
