//! How fast and how well what is near a vector is found; beside hnsw_rs, which finds the links, served by itself, and beside
//! a comparison of everything. One thread asks; every answer is held against the exact one.
//!
//! `cargo bench -p index --bench vectors -- [--rows N] [--fbin FILE] [--write DIR]`
//!
//! Without a file the vectors are made: 768 components, of 48 that matter, in 200 clusters. A file has the count and the
//! dimension, four bytes each, and then the components as 32-bit numbers, all little-endian. What is written lets other
//! programs answer the same: `base.npy`, `queries.npy`, `exact.npy`, and what was measured here as `ours.json`.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench measures, prints and stops at the first failure"
)]

#[path = "../../storage/tests/world/mod.rs"]
#[allow(dead_code, reason = "the world is shared, each test uses a part of it")]
mod world;

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hnsw_rs::prelude::{Distance, Hnsw};
use index::embed::{Encoder, ModelId};
use index::follower::{self, Limits};
use index::text::Allowed;
use index::vector::{Filter, Home, Means, Pinned, VectorIndex};
use rayon::prelude::*;
use roaring::RoaringBitmap;
use serde_json::{Value, json};
use simsimd::SpatialSimilarity;
use storage::commands::Command;
use storage::model::{Said, Text};
use world::{World, entity};

const QUERIES: usize = 500;
const NEAREST: usize = 10;
const WIDTHS: [usize; 6] = [16, 32, 64, 128, 256, 512];
/// One row in so many is in the compartment of this name.
const SHARES: [usize; 6] = [1000, 200, 100, 20, 10, 4];
const BATCH: usize = 16_384;
/// The number of the first thing in a world.
const FIRST: u64 = 1;

fn main() {
    let data = Data::wanted();
    let (rows, dimension) = (data.rows.len(), data.dimension());
    println!(
        "{rows} vectors of {dimension} components, {} queries, the {NEAREST} nearest\n",
        data.queries.len()
    );
    let directory = tempfile::tempdir().unwrap();
    let files = directory.path().join("vectors");
    let (world, mut index) = fill(&data, &files);
    let exact = data.exact();

    let mut told = Vec::new();
    let scanned = measure(&index.reader().pin(), &data, &exact, &Allowed::Every);
    println!("{:>28} {}", "compared one by one", scanned.line());

    let means = Means { threads: 2, bytes_max: usize::MAX };
    let (took, built) = timed(|| index.begin_build().run(means, &|| false, &|_, _| ()).unwrap());
    println!("\nbuilt, checked, calibrated and sealed in {took:.1?}: {:?}", built.report);
    index.adopt(built).unwrap();
    let bytes: u64 =
        std::fs::read_dir(&files).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    let sealed = (data.dimension() * 4 + 4) as u64;
    println!(
        "{} bytes a vector on the disk, {} of them in memory",
        bytes / rows as u64,
        bytes / rows as u64 - sealed
    );
    let pinned = index.reader().pin();
    for width in WIDTHS {
        let measured = measure(&pinned.clone().walking(width), &data, &exact, &Allowed::Every);
        println!("{:>28} {}", format!("walked {width} wide"), measured.line());
        told.push(measured.json(&format!("ours, {width} wide"), width));
    }
    let measured = measure(&pinned, &data, &exact, &Allowed::Every);
    println!("{:>28} {}", "as it is asked", measured.line());
    told.push(measured.json("ours, defaults", 0));
    if let Some(directory) = argument("--write") {
        data.write(Path::new(&directory), &exact, &told);
    }
    for share in SHARES {
        let labels = labels_of(&world, &data, share);
        let exact = data.exact_of(&|row| is_in(row, share));
        let measured = measure(&pinned, &data, &exact, &labels);
        println!("{:>28} {}", format!("{} % allowed", 100.0 / share as f64), measured.line());
    }
    println!();
    engine(&data, &exact);
}

/// hnsw_rs, with the fastest distance there is for it.
fn engine(data: &Data, exact: &[Vec<usize>]) {
    let engine = Hnsw::new(16, data.rows.len(), 16, 200, Dot);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let (took, ()) = timed(|| {
        pool.install(|| {
            data.rows.par_iter().enumerate().for_each(|(row, vector)| engine.insert((vector, row)))
        });
    });
    println!("hnsw_rs built in {took:.1?}");
    for width in WIDTHS {
        let ask = |query: &[f32]| {
            let found = engine.search(query, NEAREST, width.max(NEAREST));
            found.into_iter().map(|found| found.d_id).collect()
        };
        println!("{:>28} {}", format!("hnsw_rs, ef {width}"), measure_by(data, exact, &ask).line());
    }
}

struct Dot;

impl Distance<f32> for Dot {
    fn eval(&self, one: &[f32], other: &[f32]) -> f32 {
        (1.0 - f32::dot(one, other).unwrap() as f32).max(0.0)
    }
}

/// What follows a flag on the command line.
fn argument(name: &str) -> Option<String> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1).cloned()
}

/// An array as numpy reads it: rows of four bytes a number.
fn write_npy(file: &Path, kind: &str, width: usize, numbers: impl ExactSizeIterator<Item = [u8; 4]>) {
    let shape = format!("({}, {width})", numbers.len() / width);
    let head = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let head = format!("{head:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(head.len() as u16).to_le_bytes());
    bytes.extend_from_slice(head.as_bytes());
    numbers.for_each(|number| bytes.extend_from_slice(&number));
    std::fs::write(file, bytes).unwrap();
}

struct Measured {
    recall: f64,
    times: Vec<Duration>,
}

impl Measured {
    fn json(&self, engine: &str, width: usize) -> Value {
        json!({"engine": engine, "ef": width, "qps": self.rate(), "recall": self.recall})
    }

    fn rate(&self) -> f64 {
        self.times.len() as f64 / self.times.iter().sum::<Duration>().as_secs_f64()
    }

    fn line(&self) -> String {
        let at = |share: f64| self.times[((self.times.len() - 1) as f64 * share) as usize];
        format!(
            "{:>7.0} a second, p50 {:>7.0?}, p95 {:>7.0?}, worst {:>7.0?}, recall {:.4}",
            self.rate(),
            at(0.5),
            at(0.95),
            at(1.0),
            self.recall
        )
    }
}

fn measure(pinned: &Pinned, data: &Data, exact: &[Vec<usize>], labels: &Allowed) -> Measured {
    let filter = Filter { labels, form: None, time: None, include_revoked: false };
    let ask = |query: &[f32]| {
        let nearest = pinned.nearest(query, NEAREST, &filter, &|| false).unwrap();
        nearest.near.iter().map(|near| (near.thing.0 - FIRST) as usize).collect()
    };
    measure_by(data, exact, &ask)
}

fn measure_by(data: &Data, exact: &[Vec<usize>], ask: &dyn Fn(&[f32]) -> Vec<usize>) -> Measured {
    let (mut times, mut found, mut wanted) = (Vec::new(), 0, 0);
    for (query, exact) in data.queries.iter().zip(exact) {
        let (took, rows) = timed(|| ask(query));
        times.push(took);
        wanted += exact.len();
        found += exact.iter().filter(|row| rows.contains(row)).count();
    }
    times.sort_unstable();
    Measured { recall: found as f64 / wanted.max(1) as f64, times }
}

struct Data {
    rows: Arc<Vec<Vec<f32>>>,
    queries: Vec<Vec<f32>>,
}

impl Data {
    fn wanted() -> Data {
        let rows = argument("--rows").map_or(50_000, |rows| rows.parse().unwrap());
        match argument("--fbin") {
            Some(file) => Data::read(Path::new(&file), rows),
            None => Data::made(rows),
        }
    }

    fn made(rows: usize) -> Data {
        let mut random = Random(1);
        let basis: Vec<Vec<f32>> = (0..48).map(|_| random.vector(768)).collect();
        let centres: Vec<Vec<f32>> = (0..200).map(|_| random.vector(48)).collect();
        let mut vectors: Vec<_> = (0..rows + QUERIES)
            .map(|_| {
                let centre = &centres[random.below(200)];
                let inner: Vec<f32> = centre.iter().map(|part| part + 0.7 * random.normal()).collect();
                let outer =
                    (0..768).map(|at| inner.iter().zip(&basis).map(|(part, base)| part * base[at]).sum());
                unit(outer.collect())
            })
            .collect();
        let queries = vectors.split_off(rows);
        Data { rows: Arc::new(vectors), queries }
    }

    fn read(file: &Path, rows: usize) -> Data {
        let bytes = std::fs::read(file).unwrap();
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let dimension = number(4);
        let component = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
        let vectors = bytes[8..].chunks_exact(4 * dimension);
        let mut vectors: Vec<_> = vectors
            .take(rows + QUERIES)
            .map(|vector| unit(vector.chunks_exact(4).map(component).collect()))
            .collect();
        let queries = vectors.split_off(vectors.len() - QUERIES);
        Data { rows: Arc::new(vectors), queries }
    }

    fn write(&self, directory: &Path, exact: &[Vec<usize>], told: &[Value]) {
        std::fs::create_dir_all(directory).unwrap();
        let vectors = |name: &str, vectors: &[Vec<f32>]| {
            let numbers: Vec<_> = vectors.iter().flatten().map(|part| part.to_le_bytes()).collect();
            write_npy(&directory.join(name), "<f4", self.dimension(), numbers.into_iter());
        };
        vectors("base.npy", &self.rows);
        vectors("queries.npy", &self.queries);
        let rows: Vec<_> = exact.iter().flatten().map(|row| (*row as u32).to_le_bytes()).collect();
        write_npy(&directory.join("exact.npy"), "<u4", NEAREST, rows.into_iter());
        std::fs::write(directory.join("ours.json"), Value::from(told).to_string()).unwrap();
    }

    fn dimension(&self) -> usize {
        self.rows[0].len()
    }

    fn exact(&self) -> Vec<Vec<usize>> {
        self.exact_of(&|_| true)
    }

    fn exact_of(&self, has: &(dyn Fn(usize) -> bool + Sync)) -> Vec<Vec<usize>> {
        let nearest = |query: &Vec<f32>| {
            let rows = self.rows.iter().enumerate().filter(|(row, _)| has(*row));
            let mut all: Vec<_> = rows.map(|(row, vector)| (f32::dot(query, vector).unwrap(), row)).collect();
            let end = NEAREST.min(all.len());
            all.select_nth_unstable_by(end - 1, |one, other| other.0.total_cmp(&one.0));
            all.truncate(end);
            all.into_iter().map(|(_, row)| row).collect()
        };
        self.queries.par_iter().map(nearest).collect()
    }
}

/// Gives the vector of the row that a text names.
struct Named(ModelId, Arc<Vec<Vec<f32>>>);

impl Encoder for Named {
    fn model(&self) -> &ModelId {
        &self.0
    }

    fn encode(&self, text: &str) -> index::Result<Vec<f32>> {
        Ok(self.1[text.parse::<usize>().unwrap()].clone())
    }

    fn passages(&self, text: &str) -> Vec<Range<usize>> {
        std::iter::once(0..text.len()).collect()
    }
}

fn fill(data: &Data, files: &Path) -> (World, VectorIndex) {
    let mut world = World::in_memory();
    for from in (0..data.rows.len()).step_by(BATCH) {
        let rows = from..(from + BATCH).min(data.rows.len());
        let commands: Vec<Command> = rows.map(|row| world.assert(said(row))).collect();
        assert!(world.write(commands).iter().all(Result::is_ok));
    }
    let (took, index) = timed(|| open(&world, data, files));
    println!("followed in {took:.1?}");
    (world, index)
}

fn open(world: &World, data: &Data, files: &Path) -> VectorIndex {
    let view = world.view();
    let origin = view.origin(world.tenant).unwrap();
    let model = ModelId { name: "named".to_owned(), digest: [1; 32], dimension: data.dimension() };
    let encoder = Arc::new(Named(model, Arc::clone(&data.rows)));
    let (mut index, _) = VectorIndex::open(Home::directory(files), world.tenant, &origin, encoder).unwrap();
    while !follower::drive(&mut index, &view, Limits::default(), &|| false).unwrap().is_current() {}
    index
}

fn said(row: usize) -> Said {
    let mut said = entity(&format!("t{row}"), "report", "");
    let part = &mut said.parts[0];
    part.claims.clear();
    part.texts = vec![Text { text: row.to_string(), of_claim: String::new() }];
    let compartments = SHARES.iter().filter(|share| is_in(row, **share)).map(|share| format!("c{share}"));
    Arc::make_mut(&mut part.label).compartments = compartments.collect();
    said
}

fn is_in(row: usize, share: usize) -> bool {
    Random(row as u64 + 77).next().is_multiple_of(share as u64)
}

fn labels_of(world: &World, data: &Data, share: usize) -> Allowed {
    let view = world.view();
    let mut labels = RoaringBitmap::new();
    let mut seen = HashSet::new();
    for row in (0..data.rows.len()).filter(|row| is_in(*row, share)) {
        let shares: Vec<_> = SHARES.iter().filter(|share| is_in(row, **share)).collect();
        if seen.insert(shares) {
            let (_, found) = view.thing_by_id(world.tenant, &format!("t{row}")).unwrap().unwrap();
            labels.insert(found.said[0].label);
        }
    }
    Allowed::Labels(Arc::new(labels))
}

fn timed<T>(make: impl FnOnce() -> T) -> (Duration, T) {
    let since = Instant::now();
    let made = make();
    (since.elapsed(), made)
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    vector.iter().map(|part| part / length).collect()
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

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn uniform(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    /// A sum of twelve: near enough.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }

    fn vector(&mut self, dimension: usize) -> Vec<f32> {
        (0..dimension).map(|_| self.normal()).collect()
    }
}
