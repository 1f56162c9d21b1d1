//! What an import would make of files, before anything is written.

use std::path::Path;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::inputs::Input;
use super::{FileFormat, Terms};
use crate::cli::client::Client;
use crate::cli::output::{Output, plain};
use crate::cli::{Answer, Failure, Result};
use crate::ingest::preview::BYTES_MAX;

/// Asks the node about each file.
pub(super) async fn run(
    client: &Client,
    format: FileFormat,
    terms: &Terms,
    inputs: &[Input],
    mapping: Option<&Path>,
    output: &Output,
) -> Result {
    let mut previews = Vec::new();
    for input in inputs {
        previews.push(one(client, format, terms, input, mapping).await?);
    }
    let document = json!({ "previews": previews });
    output.result(&document, |output| previews.iter().for_each(|preview| print(preview, output)));
    match previews.iter().find_map(|preview| preview["error"].as_str()) {
        Some(error) => Err(Failure::bad_input(error)),
        None if previews.iter().any(|preview| preview["rejected"] != 0) => Ok(Answer::No),
        None => Ok(Answer::Yes),
    }
}

async fn one(
    client: &Client,
    format: FileFormat,
    terms: &Terms,
    input: &Input,
    mapping: Option<&Path>,
) -> Result<Value> {
    let (bytes, _) = input.first_bytes(BYTES_MAX)?;
    let mut form = Form::new();
    if let Some(path) = mapping {
        form = form.text("mapping", super::mapping_text(path)?);
    }
    let form = form.part("file", Part::bytes(bytes).file_name(input.name.clone()));
    let query = [("format", format.as_str().to_owned()), ("source", terms.source.clone())];
    client.preview(&query, form).await
}

fn print(preview: &Value, output: &Output) {
    output.line(&headline(preview));
    if preview["columns"].is_array() {
        print_columns(preview, output);
    }
    for row in list(&preview["rows"]) {
        for said in list(&row["becomes"]) {
            output.line(&format!("line {}: {said}", row["line"]));
        }
    }
    for reject in list(&preview["rejects"]) {
        output.line(&rejected(reject));
    }
    for note in list(&preview["notes"]) {
        output.line(&format!("note: {}", plain(note)));
    }
    if let Some(mapping) = preview["mapping"].as_str() {
        output.line("\n# The mapping. Save it, edit it, and give it to the import: --mapping FILE");
        output.line(mapping.trim_end());
    }
}

fn headline(preview: &Value) -> String {
    let looked_at = if preview["whole"] == true { "all" } else { "the first" };
    let mut line = format!(
        "{}: {} things in {looked_at} {} bytes, {} would be refused",
        plain(&preview["file"]),
        preview["things"],
        preview["bytes"],
        preview["rejected"]
    );
    if let Some(dialect) = preview["dialect"].as_object() {
        let header = if preview["header"] == true { "names in the first row" } else { "no header" };
        line += &format!(
            "; delimiter {}, quote {}, lines end with {}, {header}{}",
            dialect["delimiter"],
            dialect["quote"],
            plain(&dialect["line_end"]),
            if dialect["byte_order_mark"] == true { ", with a byte order mark" } else { "" }
        );
    }
    line
}

fn print_columns(preview: &Value, output: &Output) {
    let rows: Vec<_> = list(&preview["columns"])
        .map(|column| {
            let examples: Vec<_> = list(&column["examples"]).map(plain).collect();
            vec![
                plain(&column["name"]),
                plain(&column["type"]),
                column["empty"].to_string(),
                column["distinct"].to_string(),
                plain(&column["becomes"]),
                examples.join(", "),
            ]
        })
        .collect();
    output.table(&["column", "type", "empty", "distinct", "becomes", "examples"], &rows, "column");
}

fn rejected(reject: &Value) -> String {
    let column = reject["column"].as_str().map(|column| format!(", column {column}")).unwrap_or_default();
    let (line, reason, value) = (&reject["line"], plain(&reject["reason"]), &reject["value"]);
    format!("refused: line {line}{column}: {reason}: {value}")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
