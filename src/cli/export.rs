//! Takes things out of a node, as a file.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Response;
use serde_json::{Value, json};
use tokio_stream::StreamExt;

use super::client::Client;
use super::output::Output;
use super::{Answer, Failure, Global, Result};

/// What is to leave, and how.
#[derive(Args)]
pub(super) struct Export {
    /// What the file is to be
    #[arg(long, value_enum)]
    format: FileFormat,
    /// All that this source says, as it said it, and nothing of others
    #[arg(long)]
    source: Option<String>,
    /// Only what is about these words, as `search` finds it
    #[arg(long)]
    query: Option<String>,
    /// Write to this file, once it is whole; else to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FileFormat {
    Stix,
    Jsonl,
    Csv,
}

impl Export {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let format = match self.format {
            FileFormat::Stix => "stix",
            FileFormat::Jsonl => "jsonl",
            FileFormat::Csv => "csv",
        };
        let mut query = vec![("format", format.to_owned())];
        query.extend(self.source.map(|source| ("source", source)));
        query.extend(self.query.map(|words| ("query", words)));
        let answer = Client::new(global)?.export(&query).await?;
        let told =
            json!({"written": count(&answer, "x-ig-written"), "withheld": count(&answer, "x-ig-withheld")});
        match &self.out {
            Some(path) => {
                to_file(path, answer, output).await?;
                output.result(&told, |output| output.line(&sentence(&told)));
            }
            None => {
                copy(answer, &mut std::io::stdout().lock(), output).await?;
                // The file is the result; what is told of it must not get into it.
                let line = if output.json { told.to_string() } else { sentence(&told) };
                output.note(&line);
            }
        }
        Ok(Answer::Yes)
    }
}

fn count(answer: &Response, header: &str) -> Option<u64> {
    answer.headers().get(header)?.to_str().ok()?.parse().ok()
}

fn sentence(told: &Value) -> String {
    let withheld = match told["withheld"].as_u64() {
        Some(0) | None => String::new(),
        Some(count) => format!("; something of {count} withheld by licence or policy"),
    };
    format!("exported {} things{withheld}", told["written"])
}

/// Writes beside the file's place and puts it there when it is whole: half an export is none.
async fn to_file(path: &Path, answer: Response, output: &Output) -> Result<()> {
    let failed = |error: std::io::Error| Failure::bad_input(format!("file `{}`: {error}", path.display()));
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.partial", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file = File::create(&beside).map_err(failed)?;
    let copied = copy(answer, &mut file, output).await;
    let done = match copied {
        Ok(()) => file.sync_all().and_then(|()| std::fs::rename(&beside, path)).map_err(failed),
        Err(failure) => Err(failure),
    };
    if done.is_err() {
        // It is of no use to anybody; that it cannot be removed is less than why it is there.
        let _ = std::fs::remove_file(&beside);
    }
    done
}

async fn copy(answer: Response, to: &mut dyn std::io::Write, output: &Output) -> Result<()> {
    let bar = progress(output);
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| {
            Failure::cannot_tell(
                "cut_off",
                format!("the export broke off after {} bytes: {error}; try again", bar.position()),
            )
        })?;
        match to.write_all(&piece) {
            // Who reads no further, such as `head`, has enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            written => {
                written.map_err(|error| Failure::cannot_tell("io", format!("writing the export: {error}")))?
            }
        }
        bar.inc(piece.len() as u64);
    }
    to.flush().map_err(|error| Failure::cannot_tell("io", format!("writing the export: {error}")))?;
    bar.finish_and_clear();
    Ok(())
}

fn progress(output: &Output) -> ProgressBar {
    if output.quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    let template = "{spinner} {bytes} {bytes_per_sec}, {elapsed}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    bar
}
