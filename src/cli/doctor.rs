//! Looks for what could be wrong: with a node that runs, by asking it, or with the data directory of one that does not.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::client::Client;
use super::output::Output;
use super::serve::load;
use super::{Answer, Failure, Global, Result};
use crate::app::VERSION;
use crate::config::{Config, Flags};
use crate::doctor::{self, CLOCK_OFF_MAX, Check};
use crate::node::now_us;

/// What to look at.
#[derive(Args)]
pub(super) struct Doctor {
    /// The data directory of a node that is stopped; without it the running node is asked
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The settings file of that node
    #[arg(long, value_name = "FILE", requires = "data_dir")]
    config: Option<PathBuf>,
}

impl Doctor {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let found = match self.data_dir {
            Some(data_dir) => stopped(data_dir, self.config)?,
            None => running(global).await,
        };
        let Found { checks, unanswered } = found;
        let document = json!({ "checks": checks });
        output.result(&document, |output| print(&checks, output));
        match unanswered {
            Some(failure) => Err(failure),
            None if checks.iter().all(|check| check.ok) => Ok(Answer::Yes),
            None => Ok(Answer::No),
        }
    }
}

/// What was found, and why nobody can tell the rest.
struct Found {
    checks: Vec<Check>,
    unanswered: Option<Failure>,
}

async fn running(global: &Global) -> Found {
    let asked = match Client::new(global) {
        Ok(client) => ask(&client).await,
        Err(failure) => Err(failure),
    };
    match asked {
        Ok(checks) => Found { checks, unanswered: None },
        Err(failure) => {
            let fix = match failure.code.as_str() {
                "unreachable" => "start it with `intelgraph serve`, or look at a stopped one with --data-dir",
                "bad_input" => "set INTELGRAPH_TOKEN, or give --token-file",
                _ => "use the token of an owner",
            };
            let checks = vec![Check::bad("node", failure.message.clone(), fix)];
            // What a role may not see it cannot tell either.
            let exit = if failure.exit == 2 { 2 } else { 3 };
            Found { checks, unanswered: Some(Failure { exit, ..failure }) }
        }
    }
}

async fn ask(client: &Client) -> Result<Vec<Check>> {
    let (data, date_us) = client.run_dated("doctor:v1", json!({})).await?;
    let told: Vec<Check> = serde_json::from_value(data["doctor"].clone()).map_err(|error| {
        Failure::cannot_tell("unexpected_answer", format!("the node's checks cannot be read: {error}"))
    })?;
    let mut checks = vec![Check::good("node", client.url().to_owned())];
    checks.push(same_version(&told));
    checks.extend(date_us.map(same_time));
    checks.extend(told);
    Ok(checks)
}

fn same_version(told: &[Check]) -> Check {
    let theirs = told.iter().find(|check| check.name == "version").map_or("", |check| check.detail.as_str());
    if theirs.split(',').next() == Some(VERSION) {
        return Check::good("client", format!("{VERSION}, as the node"));
    }
    let detail = format!("this program is {VERSION}, the node is {theirs}");
    Check::bad("client", detail, "use the program that the node runs")
}

/// The time that the node gave, in seconds, and ours.
fn same_time(their_us: i64) -> Check {
    let off_s = (now_us() - their_us).unsigned_abs() / 1_000_000;
    if off_s <= CLOCK_OFF_MAX.as_secs() {
        return Check::good("clocks", "this machine's and the node's agree");
    }
    let detail = format!("this machine's clock and the node's are {off_s} s apart");
    Check::bad("clocks", detail, "set the one that is wrong; tokens end by the node's")
}

/// Nothing is opened, so that nothing is changed: the files are looked at.
fn stopped(data_dir: PathBuf, file: Option<PathBuf>) -> Result<Found> {
    if !data_dir.join("format").is_file() {
        return Err(Failure::bad_input(format!("`{}` is not a data directory", data_dir.display())));
    }
    if let Some(pid) = holder(&data_dir)? {
        return Err(storage::Error::InUse { path: data_dir, pid }.into());
    }
    let config: Config = load(Flags { file, data_dir: Some(data_dir), ..Flags::default() })?;
    Ok(Found { checks: doctor::of_stopped(&config), unanswered: None })
}

/// The process that has the directory, if one has.
fn holder(data_dir: &Path) -> Result<Option<u32>> {
    let path = data_dir.join("lock");
    let Ok(lock) = std::fs::File::open(&path) else { return Ok(None) };
    match lock.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(std::fs::TryLockError::WouldBlock) => {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            Ok(Some(text.trim().parse().unwrap_or_default()))
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(Failure::cannot_tell("io", format!("lock `{}`: {error}", path.display())))
        }
    }
}

/// A person reads all of it: what to do must not be cut.
fn print_whole(check: &Check, output: &Output) {
    let mark = if check.ok { "ok     ".to_owned() } else { output.bold("PROBLEM") };
    output.line(&format!("{mark}  {:14}  {}", check.name, check.detail));
    if let Some(fix) = &check.fix {
        output.line(&format!("{:25}to do: {fix}", ""));
    }
}

fn print(checks: &[Check], output: &Output) {
    let rows: Vec<_> = checks
        .iter()
        .map(|check| {
            let mark = if check.ok { "ok" } else { "PROBLEM" };
            vec![
                mark.to_owned(),
                check.name.clone(),
                check.detail.clone(),
                check.fix.clone().unwrap_or_default(),
            ]
        })
        .collect();
    if output.is_terminal() {
        checks.iter().for_each(|check| print_whole(check, output));
    } else {
        output.table(&["", "check", "found", "what to do"], &rows, "check");
    }
    let problems = checks.iter().filter(|check| !check.ok).count();
    output.note(&match problems {
        0 => "everything is as it should be".to_owned(),
        count => format!("{count} of {} checks found a problem", checks.len()),
    });
}
