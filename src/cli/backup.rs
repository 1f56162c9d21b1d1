//! Takes backups of a node that runs, and makes data directories of them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use base64::Engine as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use storage::{Error, ErrorKind, Report};
use tokio_stream::StreamExt;

use super::client::Client;
use super::output::Output;
use super::{Answer, Failure, Global, Result};
use crate::backup::{self, Manifest, Place, Taken, Taking, Witness};

/// A backup that breaks off is taken again so often: the node may have opened its store anew, and its view ended.
const ATTEMPTS_MAX: usize = 3;

/// Where to.
#[derive(Args)]
pub(super) struct Backup {
    /// The directory to keep backups in; it becomes as secret as the node's data directory
    dest: PathBuf,
    /// Only what changed since the newest backup there; a full one where that cannot be told
    #[arg(long)]
    incremental: bool,
}

/// From where, and to where.
#[derive(Args)]
pub(super) struct Restore {
    /// A directory of backups, for the newest of them; or one of the backups in it
    src: PathBuf,
    /// The data directory to make; not there yet, or empty
    #[arg(long, value_name = "NEW")]
    data_dir: PathBuf,
    /// The file `anchor` of the lost node's data directory
    #[arg(long, value_name = "FILE", conflicts_with = "no_anchor")]
    anchor: Option<PathBuf>,
    /// It is gone: what the backup lacks, nobody can tell
    #[arg(long)]
    no_anchor: bool,
}

impl Backup {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        backup::give_way();
        let client = Client::new(global)?;
        let place = Place::to_add_to(&self.dest).map_err(refused)?;
        let mut attempts = 0;
        let Taken { manifest, why_full } = loop {
            attempts += 1;
            match self.take(&client, &place, output).await {
                Err(failure) if passes(&failure) && attempts < ATTEMPTS_MAX => {
                    output.note(&format!("{}; taking it again", failure.message));
                }
                taken => break taken?,
            }
        };
        if let Some(why) = &why_full {
            output.note(&format!("a full backup: {why}"));
        }
        let document = json!({
            "commit": manifest.commit, "epoch": manifest.epoch, "bytes": manifest.bytes(),
            "roots": told_roots(&manifest), "ok": true, "problems": [],
            "name": manifest.name, "incremental": !manifest.is_full(), "why_full": why_full,
            "row_bytes": manifest.row_bytes,
        });
        output.result(&document, |output| {
            let (name, bytes) = (self.dest.join(&manifest.name), manifest.bytes());
            output.line(&format!("{}: commit {}, {bytes} bytes", name.display(), manifest.commit));
            print_roots(&document["roots"], output);
        });
        Ok(Answer::Yes)
    }

    async fn take(&self, client: &Client, place: &Place, output: &Output) -> Result<Taken> {
        let since = match self.incremental {
            true => Some(place.since().map_err(refused)?),
            false => None,
        };
        let (query, newest, why_full) = match since {
            Some(Ok((since, newest))) => {
                let query = vec![
                    ("node", since.node),
                    ("epoch", since.epoch.to_string()),
                    ("commit", since.commit.to_string()),
                ];
                (query, Some(newest), None)
            }
            Some(Err(why)) => (Vec::new(), None, Some(why)),
            None => (Vec::new(), None, None),
        };
        let answer = client.backup(&query).await?;
        let mut taking = Taking::begin(place, newest).map_err(refused)?;
        let bar = progress(output);
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| {
                Failure::cannot_tell(
                    CUT_OFF,
                    format!("the backup broke off after {} bytes: {error}", bar.position()),
                )
            })?;
            taking.take(&piece).map_err(refused)?;
            bar.inc(piece.len() as u64);
        }
        bar.finish_and_clear();
        let taken = taking.end().map_err(refused)?;
        Ok(Taken { why_full: taken.why_full.clone().or(why_full), ..taken })
    }
}

const CUT_OFF: &str = "cut_off";

/// What may go better the next time.
fn passes(failure: &Failure) -> bool {
    [CUT_OFF, "store_stopped"].contains(&failure.code.as_str())
}

impl Restore {
    pub(super) fn run(self, output: &Output) -> Result {
        let witness = match (self.anchor, self.no_anchor) {
            (Some(path), _) => Witness::Anchor(path),
            (None, true) => Witness::None,
            (None, false) => {
                return Err(Failure::cannot_tell(
                    "no_anchor",
                    "nothing tells what the backup lacks; give the file `anchor` of the lost node's data directory with --anchor, or --no-anchor if it is gone",
                ));
            }
        };
        let (begun, bar) = (Instant::now(), progress(output));
        let mut doing = "";
        let restored = backup::restore(&self.src, &self.data_dir, &witness, &mut |what, bytes| {
            if doing != what {
                doing = what;
                bar.set_message(what);
            }
            bar.set_position(bytes);
        })
        .map_err(refused)?;
        bar.finish_and_clear();
        let manifest = &restored.manifest;
        let document = json!({
            "commit": manifest.commit, "epoch": restored.report.epoch, "bytes": restored.report.bytes,
            "roots": told_roots(manifest), "ok": true, "problems": [],
            "name": manifest.name, "backups": restored.backups, "lacking": restored.lacking,
            "ledgers": roots(&restored.report), "seconds": begun.elapsed().as_secs_f64(),
        });
        output.result(&document, |output| print_restored(&document, &self.data_dir, output));
        Ok(Answer::Yes)
    }
}

fn print_restored(document: &Value, data_dir: &Path, output: &Output) {
    output.line(&format!(
        "restored {} to {}: commit {}, now epoch {}",
        document["name"].as_str().unwrap_or_default(),
        data_dir.display(),
        document["commit"],
        document["epoch"]
    ));
    print_roots(&document["roots"], output);
    match document["lacking"].as_object() {
        None => output.line("what it lacks of the lost node nobody can tell"),
        Some(lacking) => {
            for (tenant, count) in lacking {
                output.line(&format!("  {tenant}: {count} records of the lost node are not in it"));
            }
        }
    }
}

/// The ledgers as a report tells of them.
pub(super) fn roots(report: &Report) -> Map<String, Value> {
    let root = |root: &storage::TenantRoot| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(root.root);
        json!({"size": root.size, "root": encoded})
    };
    report.roots.iter().map(|(tenant, found)| (tenant.clone(), root(found))).collect()
}

fn told_roots(manifest: &Manifest) -> Map<String, Value> {
    let root = |root: &backup::Root| json!({"size": root.size, "root": root.root});
    manifest.roots.iter().map(|(tenant, found)| (tenant.clone(), root(found))).collect()
}

pub(super) fn print_roots(roots: &Value, output: &Output) {
    for (tenant, root) in roots.as_object().into_iter().flatten() {
        let encoded = root["root"].as_str().unwrap_or_default();
        output.line(&format!("  {tenant}: {} records, root {encoded}", root["size"]));
    }
}

/// Damage is the answer no; what was named wrongly is bad input.
pub(super) fn refused(error: Error) -> Failure {
    let exit = match error.kind() {
        ErrorKind::Invalid => 2,
        ErrorKind::Corrupt => 1,
        _ => 3,
    };
    Failure::new(exit, error.code(), error.to_string())
}

/// Bytes as they go by.
pub(super) fn progress(output: &Output) -> ProgressBar {
    if output.quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    let template = "{spinner} {msg} {bytes} {bytes_per_sec}, {elapsed}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    bar
}
