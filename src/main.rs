//! The one binary: a node, and every command that speaks to it.

use std::process::ExitCode;

fn main() -> ExitCode {
    intelgraph::cli::run()
}
