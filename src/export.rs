//! Ways out: what is known leaves as a file that other programs read, and that an import takes again.

mod csv;
pub mod jsonl;
mod line;
mod stix;

use std::ops::ControlFlow;
use std::str::FromStr;

use storage::ids::TenantId;
use storage::{Error, Result, View};

use crate::read::Exit;

/// Text is handed out when it has so many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A STIX 2.1 bundle.
    Stix,
    /// One JSON object a line.
    Jsonl,
    /// A table.
    Csv,
}

impl Format {
    /// What it is called where files are sent.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Stix => "application/stix+json;version=2.1",
            Format::Jsonl => "application/jsonl",
            Format::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// The name of such a file.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Format::Stix => "export.stix.json",
            Format::Jsonl => "export.jsonl",
            Format::Csv => "export.csv",
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Format> {
        match text {
            "stix" => Ok(Format::Stix),
            "jsonl" => Ok(Format::Jsonl),
            "csv" => Ok(Format::Csv),
            _ => Err(Error::invalid("unknown format", text, "one of stix, jsonl, csv")),
        }
    }
}

/// Writes what leaves, in pieces; `name` is what a bundle is known by.
///
/// # Errors
/// As for reading the view, and whatever `take` returns.
pub fn write(
    exit: &Exit<'_, '_>,
    format: Format,
    (view, tenant): (&View, TenantId),
    name: &str,
    take: &mut dyn FnMut(String) -> Result<()>,
) -> Result<()> {
    let mut out = Pieces { piece: String::new(), take };
    match format {
        Format::Jsonl => each(exit, &mut |leaving| out.add(&(jsonl::line(&leaving.said) + "\n")))?,
        Format::Csv => {
            let mut columns = csv::Columns::default();
            each(exit, &mut |leaving| {
                columns.meet(&leaving.said);
                Ok(())
            })?;
            out.add(&columns.header())?;
            each(exit, &mut |leaving| out.add(&columns.row(&leaving.said)))?;
        }
        Format::Stix => {
            let of = |id: &str| {
                let (_, row) = view.thing_by_id(tenant, id).ok()??;
                Some((row.form().ok()?, view.word(tenant, row.symbol()).ok()?))
            };
            let mut between = stix::begin(name);
            each(exit, &mut |leaving| {
                out.add(&between)?;
                ",\n".clone_into(&mut between);
                out.add(&stix::object(&leaving, &of))
            })?;
            if between.len() > 2 {
                out.add(&between)?;
            }
            out.add(stix::END)?;
        }
    }
    out.end()
}

fn each(exit: &Exit<'_, '_>, act: &mut dyn FnMut(crate::read::Leaving) -> Result<()>) -> Result<()> {
    exit.each(&mut |leaving| {
        act(leaving)?;
        Ok(ControlFlow::Continue(()))
    })
}

/// Text that is handed out piece by piece.
struct Pieces<'t> {
    piece: String,
    take: &'t mut dyn FnMut(String) -> Result<()>,
}

impl Pieces<'_> {
    fn add(&mut self, text: &str) -> Result<()> {
        self.piece.push_str(text);
        if self.piece.len() < PIECE_BYTES {
            return Ok(());
        }
        (self.take)(std::mem::take(&mut self.piece))
    }

    fn end(mut self) -> Result<()> {
        if self.piece.is_empty() { Ok(()) } else { (self.take)(std::mem::take(&mut self.piece)) }
    }
}
