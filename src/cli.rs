//! The command line: a table of commands, most of them clients of a running node.
//!
//! Results go to stdout, everything else to stderr. Exit 0: yes or done; 1: the answer is no; 2: usage or
//! bad input; 3: cannot tell.

mod backup;
mod client;
mod compact;
mod config;
mod demo;
mod doctor;
mod entity;
mod export;
mod failure;
mod flag;
mod hold;
mod import;
mod index;
mod ledger;
mod machine;
mod model;
mod output;
mod policy;
mod purge;
mod redact;
mod relations;
mod scrub;
mod search;
mod serve;
mod token;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};

pub use failure::Failure;
use output::Output;

/// What still runs when a node has stopped is given so long.
const LEFT_OVER_TIMEOUT: Duration = Duration::from_millis(500);

/// What a command found: 0 for yes, 1 for no.
type Result<T = Answer> = std::result::Result<T, Failure>;

/// The answer of a command that ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
}

/// IntelGraph: an intelligence graph in one binary.
#[derive(Parser)]
#[command(name = "intelgraph", version, disable_help_subcommand = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Clone)]
struct Global {
    /// The node's address [default: $INTELGRAPH_URL, else http://127.0.0.1:7340]
    #[arg(long, global = true)]
    url: Option<String>,
    /// A file that holds the token [default: the token in $INTELGRAPH_TOKEN]
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The certificate of who vouches for the node (PEM) [default: $INTELGRAPH_CA_FILE, else the system's]
    #[arg(long, global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The tenant, for owners of a node who work on several
    #[arg(long, global = true)]
    tenant: Option<String>,
    /// The purpose of a reading [default: every purpose of the token]
    #[arg(long = "for", global = true, value_name = "PURPOSE")]
    purpose_in_use: Option<String>,
    /// Print one JSON document
    #[arg(long, global = true)]
    json: bool,
    /// No progress and no hints
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Show the product on real data: starts a node, imports a bundle, searches it
    Demo(demo::Demo),
    /// Run a node
    Serve(serve::Serve),
    /// Bring files in
    Import(import::Import),
    /// Take things out, as a file
    Export(export::Export),
    /// Find things by words
    Search(search::Search),
    /// Look at one thing
    #[command(subcommand)]
    Entity(entity::Entity),
    /// List the relations of a thing
    Relations(relations::Relations),
    /// Find the shortest paths between two things
    Path(relations::PathBetween),
    /// Let people and programs in
    #[command(subcommand)]
    Token(token::Token),
    /// Decide who may see and do what
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Erase for ever what is said of an entity or by a source
    Redact(redact::Redact),
    /// Keep something from being erased
    #[command(subcommand)]
    Hold(hold::Hold),
    /// Turn on and off what is being tried out
    #[command(subcommand)]
    Flag(flag::Flag),
    /// Remove what was last said longer ago than it is to be kept
    Purge(purge::Purge),
    /// Have models that make vectors of texts
    #[command(subcommand)]
    Model(model::Model),
    /// Prove what was recorded
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// Take a backup of a node, while it runs
    Backup(backup::Backup),
    /// Make a data directory of a backup
    Restore(backup::Restore),
    /// Check a stopped node's data directory, or backups
    Verify(verify::Verify),
    /// Keep the indexes
    #[command(subcommand)]
    Index(index::Index),
    /// Have a node look at every row, page and file that it keeps
    Scrub(scrub::Scrub),
    /// Write a stopped node's database anew, without what was deleted
    Compact(compact::Compact),
    /// Look for what could be wrong with a node
    Doctor(doctor::Doctor),
    /// Look at settings
    #[command(subcommand)]
    Config(config::Config),
    /// Print completions for a shell: intelgraph completions bash > /etc/bash_completion.d/intelgraph
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Parses the arguments, runs the command, and says how it went.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    quiet_caught_panics();
    let output = Output::new(cli.global.json, cli.global.quiet);
    match dispatch(cli, &output) {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit)
        }
    }
}

/// The database, the text engine and what runs models panic on damage. Whoever called them catches that and says it as an error, which is
/// all that is to be shown of the one, and of the other nearly all.
fn quiet_caught_panics() {
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let file = panic.location().map_or("", |location| location.file());
        if file.contains("/tantivy-") {
            tracing::warn!(%panic, "the text engine stopped");
        } else if file.contains("/rten") || file.contains("/tokenizers-") {
            // What it says may hold words of the text.
            tracing::warn!("the encoder stopped");
        } else if !file.contains("/redb-") {
            show(panic);
        }
    }));
}

fn dispatch(cli: Cli, output: &Output) -> Result {
    let global = &cli.global;
    match cli.command {
        Command::Serve(serve) => run_node(serve.run(output)),
        Command::Demo(demo) => run_node(demo.run(output)),
        Command::Import(import) => runtime(false)?.block_on(import.run(global, output)),
        Command::Export(export) => runtime(false)?.block_on(export.run(global, output)),
        Command::Search(search) => runtime(false)?.block_on(search.run(global, output)),
        Command::Entity(entity) => runtime(false)?.block_on(entity.run(global, output)),
        Command::Relations(relations) => runtime(false)?.block_on(relations.run(global, output)),
        Command::Path(path) => runtime(false)?.block_on(path.run(global, output)),
        Command::Policy(policy) => runtime(false)?.block_on(policy.run(global, output)),
        Command::Token(token) => runtime(false)?.block_on(token.run(global, output)),
        Command::Model(model) => runtime(false)?.block_on(model.run(global, output)),
        Command::Ledger(ledger) => runtime(false)?.block_on(ledger.run(global, output)),
        Command::Backup(backup) => runtime(false)?.block_on(backup.run(global, output)),
        Command::Restore(restore) => restore.run(output),
        Command::Redact(redact) => runtime(false)?.block_on(redact.run(global, output)),
        Command::Purge(purge) => runtime(false)?.block_on(purge.run(global, output)),
        Command::Flag(flag) => runtime(false)?.block_on(flag.run(global, output)),
        Command::Hold(hold) => runtime(false)?.block_on(hold.run(global, output)),
        Command::Verify(verify) => verify.run(output),
        Command::Index(index) => runtime(false)?.block_on(index.run(global, output)),
        Command::Scrub(scrub) => runtime(false)?.block_on(scrub.run(global, output)),
        Command::Compact(compact) => compact.run(output),
        Command::Doctor(doctor) => runtime(false)?.block_on(doctor.run(global, output)),
        Command::Config(config) => config.run(output),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "intelgraph", &mut std::io::stdout());
            Ok(Answer::Yes)
        }
    }
}

/// A reading that is still running when the node has stopped is not waited for: it only reads.
fn run_node(node: impl Future<Output = Result>) -> Result {
    let runtime = runtime(true)?;
    let ended = runtime.block_on(node);
    runtime.shutdown_timeout(LEFT_OVER_TIMEOUT);
    ended
}

fn runtime(threads: bool) -> Result<tokio::runtime::Runtime> {
    let mut builder = match threads {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    Ok(builder.enable_all().build().map_err(anyhow::Error::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }
}
