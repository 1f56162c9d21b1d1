//! The tenant's policy: shown, checked, set, tried out, explained.
//!
//! A policy that is shown begins with a line that names its version. A file that begins with it can be set without
//! saying again which version it replaces, so that two who edit one policy do not overwrite each other unseen.

mod why;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::machine::Machine;
use super::output::{Output, plain};
use super::{Answer, Failure, Global, Result};
use crate::admin::Question;
use crate::policy::{Danger, Policy as Rules, PolicyProblems, any_officers, dangers};

/// The first line of a policy that was shown.
const VERSION_LINE: &str = "// intelgraph policy version ";

/// What to do with the policy.
#[derive(Subcommand)]
pub(super) enum Policy {
    /// Print the policy in force, to be edited and set
    Show {
        /// An earlier version
        #[arg(long, value_name = "N", conflicts_with_all = ["built_in", "history"])]
        version: Option<u64>,
        /// The policy of a tenant that has set none; needs no node
        #[arg(long, conflicts_with = "history")]
        built_in: bool,
        /// List all versions instead
        #[arg(long)]
        history: bool,
    },
    /// Say what is wrong with a policy; needs no node
    Check {
        /// The file, or - for standard input
        file: PathBuf,
        /// A danger that is meant: cross-tenant, above-clearance, lock-out, unchecked; may be repeated
        #[arg(long = "confirm", value_name = "DANGER")]
        confirmed: Vec<Danger>,
    },
    /// Put a policy in force
    Set {
        /// The file, or - for standard input
        file: PathBuf,
        /// The version that it replaces [default: the one on its first line, as `show` prints it]
        #[arg(long, value_name = "N")]
        replaces: Option<u64>,
        /// A danger that is meant: cross-tenant, above-clearance, lock-out, unchecked; may be repeated
        #[arg(long = "confirm", value_name = "DANGER")]
        confirmed: Vec<Danger>,
    },
    /// Put the built-in policy in force again; on the node's machine, without a token, also while the node is stopped
    Reset(Machine),
    /// Say who would gain and lose what if a policy were set, exactly, and how much of it was used
    Simulate(why::Simulate),
    /// Say why a decision falls as it does, or why one of the log fell so
    Explain(why::Explain),
    /// List what was decided, newest first
    Decisions(why::Decisions),
}

/// A file with a policy, less the line that names its version.
struct Draft {
    version: Option<u64>,
    text: String,
}

impl Policy {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        match self {
            Policy::Show { built_in: true, .. } => show_built_in(output),
            Policy::Show { history: true, .. } => history(&Client::new(global)?, output).await,
            Policy::Show { version, .. } => show(&Client::new(global)?, version, output).await,
            Policy::Check { file, confirmed } => check(&Draft::read(&file)?, &confirmed, output),
            Policy::Set { file, replaces, confirmed } => {
                set(&Client::new(global)?, &Draft::read(&file)?, replaces, &confirmed, output).await
            }
            Policy::Reset(machine) => reset(machine, global, output).await,
            Policy::Simulate(simulate) => simulate.run(&Client::new(global)?, output).await,
            Policy::Explain(explain) => explain.run(&Client::new(global)?, output).await,
            Policy::Decisions(decisions) => decisions.run(&Client::new(global)?, output).await,
        }
    }
}

impl Draft {
    fn read(file: &Path) -> Result<Draft> {
        let whole = read_text(file)?;
        let first = whole.lines().next().and_then(|line| line.strip_prefix(VERSION_LINE));
        let version = first.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        let text = match version {
            Some(_) => whole.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned()),
            None => whole,
        };
        Ok(Draft { version, text })
    }

    /// What the node refused, by the lines of the file.
    fn refused(&self, mut failure: Failure) -> Failure {
        if failure.code == "policy_refused" {
            self.lines_of_file(&mut failure.details["problems"]);
            let problems = failure.details["problems"].as_array().into_iter().flatten();
            let problems: Vec<_> = problems.map(told).collect();
            failure.message = format!("the policy is refused: {}", problems.join("\n"));
        }
        failure
    }

    /// Lines as the file has them.
    fn lines_of_file(&self, problems: &mut Value) {
        for problem in problems.as_array_mut().into_iter().flatten() {
            if let (Some(_), Some(line)) = (self.version, problem["line"].as_u64()) {
                problem["line"] = (line + 1).into();
            }
        }
    }
}

fn show_built_in(output: &Output) -> Result {
    let policy = Rules::built_in();
    let document = json!({"version": 0, "built_in": true, "text": policy.text()});
    output.result(&document, |output| output.line(policy.text().trim_end()));
    Ok(Answer::Yes)
}

async fn show(client: &Client, version: Option<u64>, output: &Output) -> Result {
    let found = client.run("policy:v1", json!({"version": version})).await?;
    let policy = &found["policy"];
    let number = policy["version"].as_u64().unwrap_or_default();
    let document = json!({
        "version": number, "built_in": number == 0, "text": policy["text"], "set_at": policy["setAt"],
        "set_by": policy["setBy"], "confirmed": policy["confirmed"], "problems": policy["problems"],
    });
    output.result(&document, |output| {
        let what = if number == 0 { " (built in; the tenant has set none)" } else { "" };
        output.line(&format!("{VERSION_LINE}{number}{what}"));
        output.line(plain(&policy["text"]).trim_end());
    });
    for problem in policy["problems"].as_array().into_iter().flatten() {
        output.note(&format!("this version of the program cannot use it: {}", told(problem)));
    }
    Ok(Answer::Yes)
}

async fn history(client: &Client, output: &Output) -> Result {
    let found = client.all("policyHistory:v1", json!({}), "policyHistory").await?.unwrap_or_default();
    let versions = found.iter().map(|version| {
        json!({
            "version": version["version"], "set_at": version["setAt"], "set_by": version["setBy"],
            "confirmed": version["confirmed"],
        })
    });
    let versions: Vec<_> = versions.collect();
    output.result(&json!({"versions": versions}), |output| {
        let columns = ["version", "set_at", "set_by", "confirmed"];
        let row = |version: &Value| columns.map(|column| why::cell(&version[column])).to_vec();
        output.table(&columns, &versions.iter().map(row).collect::<Vec<_>>(), "version");
    });
    Ok(Answer::Yes)
}

/// By the program at hand, as the node would.
fn check(draft: &Draft, confirmed: &[Danger], output: &Output) -> Result {
    let PolicyProblems(found) = match Rules::load(&draft.text) {
        Ok(policy) => PolicyProblems(dangers(&policy, &any_officers(), confirmed)),
        Err(problems) => problems,
    };
    let ok = found.is_empty();
    let problem = |problem: &crate::policy::PolicyProblem| json!({"policy": problem.policy, "line": problem.line, "message": problem.message});
    let mut problems = Value::Array(found.iter().map(problem).collect());
    draft.lines_of_file(&mut problems);
    output.result(&json!({"ok": ok, "problems": problems}), |output| {
        if ok {
            output.line("ok");
        }
        problems.as_array().into_iter().flatten().for_each(|problem| output.line(&told(problem)));
    });
    Ok(if ok { Answer::Yes } else { Answer::No })
}

async fn set(
    client: &Client,
    draft: &Draft,
    replaces: Option<u64>,
    confirmed: &[Danger],
    output: &Output,
) -> Result {
    let replaces = replaces.or(draft.version).ok_or_else(|| {
        Failure::bad_input(
            "which version does it replace? give --replaces N, or start from what `policy show` prints",
        )
    })?;
    let confirm: Vec<_> = confirmed.iter().map(Danger::to_string).collect();
    let variables = json!({"text": draft.text, "replaces": replaces, "confirm": confirm});
    let done = client.run("policySet:v1", variables).await.map_err(|failure| draft.refused(failure))?;
    let (version, changed) = (&done["policySet"]["lsn"], &done["policySet"]["changed"]);
    // An unchanged policy keeps its version, whatever was recorded since.
    let version = if *changed == true { version.clone() } else { Value::Null };
    output.result(&json!({"version": version, "changed": changed}), |output| match version.as_u64() {
        Some(version) => output.line(&format!("policy version {version} is in force")),
        None => output.line("unchanged"),
    });
    Ok(Answer::Yes)
}

async fn reset(machine: Machine, global: &Global, output: &Output) -> Result {
    let done = machine.ask_or_act(Question::ResetPolicy { tenant: global.tenant.clone() }).await?;
    output.result(&done, |output| match done["version"].as_u64() {
        Some(version) => {
            let tenant = plain(&done["tenant"]);
            output
                .line(&format!("policy version {version} is in force in `{tenant}`: the built-in one again"));
        }
        None => output.line("unchanged: the built-in policy is in force"),
    });
    Ok(Answer::Yes)
}

fn told(problem: &Value) -> String {
    let (line, message) = (&problem["line"], plain(&problem["message"]));
    match problem["policy"].as_str() {
        Some(policy) => format!("line {line}, policy `{policy}`: {message}"),
        None => format!("line {line}: {message}"),
    }
}

fn read_text(file: &Path) -> Result<String> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|whole| text = whole)
    };
    read.map_err(|error| Failure::bad_input(format!("policy file `{}`: {error}", file.display())))?;
    Ok(text)
}
