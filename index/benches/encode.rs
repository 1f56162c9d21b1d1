//! How long a text takes to become a vector, tokens and all, on one thread: `cargo bench -p index --bench encode`, with the
//! models that `tests/run.sh models` brings.

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures time and prints it")]

#[path = "../tests/embed_world/mod.rs"]
#[allow(dead_code, reason = "every test file uses a part of the world")]
mod embed_world;

use std::time::Instant;

use index::embed::{Encoder, Model};
use tempfile::TempDir;

const ROUNDS: usize = 300;
const WARM_UP: usize = 20;
/// Of a text, and of what stands around it.
const TOKENS: [usize; 4] = [16, 64, 128, 256];

fn main() {
    for (name, write) in
        [("int8", embed_world::minilm_int8 as fn(&_) -> _), ("f32", embed_world::minilm as fn(&_) -> _)]
    {
        let folder = TempDir::new().expect("a folder");
        let Some(()) = write(folder.path()) else { return };
        let begun = Instant::now();
        let model = Model::open(folder.path()).expect("a sound model");
        println!("MiniLM {name}: verified, loaded and tried in {} ms", begun.elapsed().as_millis());
        for tokens in TOKENS {
            measure(&model, tokens);
        }
    }
}

fn measure(model: &Model, tokens: usize) {
    let text = "pass ".repeat(tokens - 2);
    let mut times: Vec<_> = (0..WARM_UP + ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            model.encode(&text).expect("a vector");
            begun.elapsed()
        })
        .skip(WARM_UP)
        .collect();
    times.sort();
    let ms = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    println!("  {tokens:>3} tokens: p50 {:.1} ms, p95 {:.1} ms", ms(50), ms(95));
}
