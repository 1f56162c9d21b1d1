//! The one binary: a node, and every command that speaks to it.

use std::process::ExitCode;

/// The database's cache is filled by whichever thread reads a page. The system's allocator gives each thread a heap
/// of its own and tears holes into all of them: three times the cache, after a while of questions.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    intelgraph::cli::run()
}
