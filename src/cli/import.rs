//! Sends files to a node, with progress, and says what became of them.

mod inputs;
mod preview;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::multipart::Form;
use serde_json::Value;

use inputs::Input;

use super::client::Client;
use super::output::Output;
use super::{Answer, Failure, Global, Result};
use crate::node;

/// Where there is no terminal, progress is a line in a while.
const PLAIN_PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Files, and the source that says what is in them.
#[derive(Args)]
pub(super) struct Import {
    /// Files, directories, or patterns such as 'data/*.json'; `-` is standard input. Gzip and zstd are recognised.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the files are
    #[arg(long, value_enum)]
    format: FileFormat,
    /// What the columns of a CSV file are (TOML or JSON); --preview prints one to begin with
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Show what would become of the first rows, and write nothing
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    terms: Terms,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FileFormat {
    Stix,
    Jsonl,
    Csv,
}

impl FileFormat {
    fn as_str(self) -> &'static str {
        match self {
            FileFormat::Stix => "stix",
            FileFormat::Jsonl => "jsonl",
            FileFormat::Csv => "csv",
        }
    }

    /// How the names of such files end, in a directory that holds others too.
    fn extensions(self) -> &'static [&'static str] {
        match self {
            FileFormat::Stix => &["json", "stix"],
            FileFormat::Jsonl => &["jsonl", "ndjson"],
            FileFormat::Csv => &["csv", "tsv"],
        }
    }

    /// Whether a file is of the format by its name, compressed or not.
    fn is_of(self, path: &Path) -> bool {
        let extension = |path: &Path| path.extension().map(|of| of.to_string_lossy().to_ascii_lowercase());
        let is_packed = extension(path).is_some_and(|of| ["gz", "zst"].contains(&of.as_str()));
        let bare = if is_packed { path.file_stem().map(Path::new) } else { Some(path) };
        bare.and_then(extension).is_some_and(|of| self.extensions().contains(&of.as_str()))
    }
}

/// A source and its terms. Terms left out are those of a source that the node knows already.
#[derive(Args, Clone, Default)]
pub(super) struct Terms {
    /// Who says what is in the files
    #[arg(long)]
    pub(super) source: String,
    /// What the data may be used for; may be repeated
    #[arg(long = "purpose", value_name = "PURPOSE", value_delimiter = ',')]
    pub(super) purposes: Vec<String>,
    /// What the licence allows: MIT-OK, Open-Data-OK, Restricted-TOS, Proprietary-Client or Embargoed
    #[arg(long)]
    pub(super) licence: Option<String>,
    /// Of what carries no marking: public, internal, confidential, restricted or secret [default: internal]
    #[arg(long)]
    pub(super) classification: Option<String>,
    /// How long to keep it: ephemeral-7d, short-30d, standard-365d, long-1825d or legal-hold [default: standard-365d]
    #[arg(long)]
    pub(super) retention: Option<String>,
    /// All of it is personal data
    #[arg(long)]
    pub(super) personal: bool,
}

impl Import {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        if self.mapping.is_some() && self.format != FileFormat::Csv {
            return Err(Failure::bad_input(
                "--mapping is for --format csv; the others say themselves what they hold",
            ));
        }
        let client = Client::new(global)?;
        let inputs = inputs::find(&self.files, self.format, output)?;
        let mapping = self.mapping.as_deref();
        if self.preview {
            return preview::run(&client, self.format, &self.terms, &inputs, mapping, output).await;
        }
        let mut summary = send_inputs(&client, self.format, &self.terms, &inputs, mapping, output).await?;
        fetch_rejects(&client, &mut summary).await?;
        output.result(&summary, |output| print(&summary, output));
        verdict(&summary)
    }
}

/// Sends the files as one import; the node's summary.
pub(super) async fn send(
    client: &Client,
    format: FileFormat,
    terms: &Terms,
    files: &[PathBuf],
    output: &Output,
) -> Result<Value> {
    let inputs = inputs::find(files, format, output)?;
    send_inputs(client, format, terms, &inputs, None, output).await
}

async fn send_inputs(
    client: &Client,
    format: FileFormat,
    terms: &Terms,
    inputs: &[Input],
    mapping: Option<&Path>,
    output: &Output,
) -> Result<Value> {
    inputs.iter().try_for_each(Input::check)?;
    let bar = progress(inputs.iter().map(|input| input.bytes).sum::<Option<u64>>(), output);
    let mut form = Form::new();
    if let Some(path) = mapping {
        form = form.text("mapping", mapping_text(path)?);
    }
    bar.set_message("reading what is to be sent");
    for input in inputs {
        form = form.part("file", input.part(&bar)?);
    }
    bar.set_message("");
    let id = node::random::<12>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let query = terms.query(format.as_str());
    let sent = tokio::select! {
        sent = client.import(&id, &query, form) => sent,
        never = watch::follow(client, &id, &bar) => match never {},
    };
    bar.finish_and_clear();
    let mut summary = sent?;
    let changed: Vec<_> =
        inputs.iter().filter(|input| input.has_changed()).map(|input| input.name.as_str()).collect();
    if !changed.is_empty() {
        summary["changed"] = changed.into();
    }
    Ok(summary)
}

fn mapping_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::bad_input(format!("mapping `{}`: {error}", path.display())))
}

/// One sentence on what an import did.
pub(super) fn sentence(summary: &Value) -> String {
    format!(
        "imported {} objects in {:.1} s: {} created, {} updated, {} unchanged, {} rejected ({} entities, {} relations)",
        summary["read"],
        summary["seconds"].as_f64().unwrap_or_default(),
        summary["created"],
        summary["updated"],
        summary["unchanged"],
        summary["rejected"],
        summary["entities"],
        summary["relations"],
    )
}

impl Terms {
    fn query(&self, format: &str) -> Vec<(&'static str, String)> {
        let mut query = vec![("format", format.to_owned()), ("source", self.source.clone())];
        if !self.purposes.is_empty() {
            query.push(("purpose", self.purposes.join(",")));
        }
        let optional = [
            ("licence", &self.licence),
            ("classification", &self.classification),
            ("retention", &self.retention),
        ];
        query.extend(optional.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))));
        if self.personal {
            query.push(("personal", "true".to_owned()));
        }
        query
    }
}

fn progress(bytes: Option<u64>, output: &Output) -> ProgressBar {
    let bar = match bytes {
        Some(bytes) => ProgressBar::new(bytes),
        None => ProgressBar::no_length(),
    };
    let template = "{spinner} {bytes}/{total_bytes} {bar:30} {bytes_per_sec}, {eta} left {msg}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    if output.quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    } else if bar.is_hidden() {
        report_in_lines(&bar);
    } else {
        bar.enable_steady_tick(Duration::from_millis(120));
    }
    bar
}

fn report_in_lines(bar: &ProgressBar) {
    let bar = bar.downgrade();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PLAIN_PROGRESS_EVERY).await;
            let Some(bar) = bar.upgrade().filter(|bar| !bar.is_finished()) else { return };
            let rate = bar.per_sec() / 1e6;
            progress_line(&format!(
                "sent {} of {} bytes, {rate:.1} MB/s{}{}",
                bar.position(),
                bar.length().unwrap_or_default(),
                if bar.message().is_empty() { "" } else { "; " },
                bar.message()
            ));
        }
    });
}

fn progress_line(text: &str) {
    use std::io::Write as _;
    // There is nowhere left to say that stderr is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Where the node is another machine its rejects file is fetched into this directory.
async fn fetch_rejects(client: &Client, summary: &mut Value) -> Result<()> {
    let Some(path) = summary["rejects_file"].as_str().map(PathBuf::from) else { return Ok(()) };
    if path.is_absolute() && path.exists() {
        return Ok(());
    }
    let run = summary["run"].as_str().unwrap_or_default().to_owned();
    let rejects = client.get(&format!("/api/v1/imports/{run}/rejects")).await?.bytes().await?;
    let here = format!("intelgraph-rejects-{run}.jsonl");
    std::fs::write(&here, rejects)
        .map_err(|error| Failure::bad_input(format!("rejects file `{here}`: {error}")))?;
    summary["rejects_file"] = Value::String(here);
    Ok(())
}

fn print(summary: &Value, output: &Output) {
    output.line(&sentence(summary));
    for note in summary["notes"].as_array().into_iter().flatten() {
        output.line(&format!("note: {}", note.as_str().unwrap_or_default()));
    }
    if let Some(path) = summary["rejects_file"].as_str() {
        output.line(&format!("rejects: {path}"));
    }
}

/// The answer that a summary stands for.
pub(super) fn verdict(summary: &Value) -> Result {
    if let Some(broken) = summary["error"].as_str() {
        return Err(Failure::bad_input(format!("{broken}; what came before it is kept")));
    }
    if let Some(changed) = summary["changed"].as_array().and_then(|names| names.first()) {
        let name = changed.as_str().unwrap_or_default();
        return Err(Failure::new(
            2,
            "file_changed",
            format!("file `{name}` changed while it was read; what was read is kept, import it again"),
        ));
    }
    if summary["searchable"] != true {
        return Err(Failure::cannot_tell(
            "not_searchable",
            "everything is durable, but not searchable yet; the index goes on",
        ));
    }
    Ok(if summary["rejected"] == 0 { Answer::Yes } else { Answer::No })
}
