//! The ledger: taken out, proved, and verified without a node.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use clap::Subcommand;
use serde_json::{Value, json};
use storage::ledger::tiles::{self, Export};
use storage::ledger::{LEAF_BYTES, Leaf, Vkey, receipt};
use tokio_stream::StreamExt;

use super::client::Client;
use super::output::Output;
use super::{Answer, Failure, Global, Result};

/// What to do with the ledger.
#[derive(Subcommand)]
pub(super) enum Ledger {
    /// Write the whole ledger to a directory, in the tlog-tiles layout
    Export {
        /// A new or empty directory
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write the proof that a record is in the ledger
    Proof {
        /// The record
        #[arg(long)]
        lsn: u64,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Check an export or a proof; needs no node
    Verify {
        /// A directory from `ledger export`, or a file from `ledger proof`
        path: PathBuf,
        /// The key it must be signed with: as text, or a file that holds it
        #[arg(long, value_name = "VKEY")]
        key: String,
    },
}

impl Ledger {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        match self {
            Ledger::Export { out } => export(&Client::new(global)?, &out, output).await,
            Ledger::Proof { lsn, out } => proof(&Client::new(global)?, lsn, &out, output).await,
            Ledger::Verify { path, key } => verify(&path, &key, output),
        }
    }
}

async fn export(client: &Client, out: &Path, output: &Output) -> Result {
    let found = client.run("ledgerCheckpoint:v1", json!({})).await?;
    let checkpoint = &found["ledgerCheckpoint"];
    let vkey: Vkey = text(checkpoint, "vkey").parse()?;
    let mut export = Export::create(out).map_err(|error| {
        Failure::bad_input(format!("cannot export there: {error}; name a new or empty directory"))
    })?;
    let mut entries =
        client.get(&format!("/api/v1/ledger/entries?size={}", checkpoint["size"])).await?.bytes_stream();
    let mut rest = Vec::new();
    while let Some(piece) = entries.next().await {
        rest.extend_from_slice(&piece?);
        let whole = rest.len() - rest.len() % LEAF_BYTES;
        for leaf in rest[..whole].as_chunks::<LEAF_BYTES>().0 {
            export.push(&Leaf(*leaf))?;
        }
        rest.drain(..whole);
    }
    export.finish_signed(text(checkpoint, "note"), &vkey)?;
    let document = json!({
        "origin": checkpoint["origin"], "size": checkpoint["size"], "root": checkpoint["root"],
        "ok": true, "problems": [], "vkey": checkpoint["vkey"],
    });
    output.result(&document, |output| {
        output.line(&format!(
            "{} records of {} in {}",
            checkpoint["size"],
            text(checkpoint, "origin"),
            out.display()
        ));
        output.line(&format!("key: {vkey}"));
    });
    Ok(Answer::Yes)
}

async fn proof(client: &Client, lsn: u64, out: &Path, output: &Output) -> Result {
    let found = client.run("ledgerReceipt:v1", json!({"lsn": lsn})).await?;
    let proof = &found["ledgerReceipt"];
    std::fs::write(out, text(proof, "text"))
        .map_err(|error| Failure::bad_input(format!("file `{}`: {error}", out.display())))?;
    let document = json!({
        "origin": proof["origin"], "size": proof["size"], "root": proof["root"], "index": proof["index"],
        "ok": true, "problems": [], "vkey": proof["vkey"],
    });
    output.result(&document, |output| {
        output.line(&format!("proof of record {lsn} in {}", out.display()));
        output.line(&format!(
            "check it with: intelgraph ledger verify {} --key '{}'",
            out.display(),
            text(proof, "vkey")
        ));
    });
    Ok(Answer::Yes)
}

fn verify(path: &Path, key: &str, output: &Output) -> Result {
    let vkey = read_key(key)?;
    if !path.exists() {
        return Err(Failure::bad_input(format!("`{}` is not there", path.display())));
    }
    let document = if path.is_dir() { verify_export(path, &vkey)? } else { verify_receipt(path, &vkey)? };
    let ok = document["ok"] == true;
    output.result(&document, |output| {
        let verdict = if ok { "ok" } else { "REFUSED" };
        output.line(&format!(
            "{verdict}: {}, {} records",
            document["origin"].as_str().unwrap_or("?"),
            document["size"]
        ));
        for problem in document["problems"].as_array().into_iter().flatten() {
            output.line(&format!("  {}", problem.as_str().unwrap_or_default()));
        }
    });
    Ok(if ok { Answer::Yes } else { Answer::No })
}

fn verify_export(path: &Path, vkey: &Vkey) -> Result<Value> {
    let report = tiles::verify_dir(path, vkey)?;
    Ok(json!({
        "origin": report.origin, "size": report.size, "root": base64(&report.root),
        "ok": report.ok, "problems": report.problems,
    }))
}

fn verify_receipt(path: &Path, vkey: &Vkey) -> Result<Value> {
    let read = std::fs::read_to_string(path);
    let text = read.map_err(|error| Failure::bad_input(format!("file `{}`: {error}", path.display())))?;
    Ok(match receipt::verify(&text, vkey) {
        Ok(receipt) => json!({
            "origin": receipt.checkpoint.origin, "size": receipt.checkpoint.size, "root": base64(&receipt.checkpoint.root),
            "index": receipt.index, "ok": true, "problems": [],
        }),
        Err(error) => {
            json!({"origin": null, "size": null, "root": null, "ok": false, "problems": [error.to_string()]})
        }
    })
}

fn read_key(key: &str) -> Result<Vkey> {
    let text = std::fs::read_to_string(key).unwrap_or_else(|_| key.to_owned());
    text.trim().parse().map_err(|error| Failure::bad_input(format!("key `{key}`: {error}")))
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}
