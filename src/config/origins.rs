//! Where each setting comes from: the default, a line of the file, a variable or a flag; and which one was meant.

use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;
use toml::Table;
use toml::de::DeTable;

use super::{Config, Flags, PREFIX, setting};

/// Names that are further from each other than this are not mixed up.
const SIMILAR_MIN: f64 = 0.8;
/// What is shown of a setting that is nobody's business.
const MASK: &str = "***";
/// Settings that are absent unless they are set.
const OPTIONAL: [&str; 8] = [
    "tls_certificate",
    "tls_key",
    "public_url",
    "oidc",
    "model",
    "embedder_url",
    "embedder_model",
    "embedder_key_file",
];
/// Words in the names of settings that are secrets.
const SECRETS: [&str; 3] = ["secret", "password", "token"];

/// A setting as it is in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// Its name; of what lies in a table with a dot between.
    pub name: String,
    /// Its value; null if it is not set.
    pub value: serde_json::Value,
    /// `default`, `file`, `environment` or `flag`.
    pub origin: &'static str,
    /// The file and line, the variable, or the flag.
    pub place: Option<String>,
}

/// Every name that a setting can have.
pub(super) fn names() -> Vec<String> {
    let table = Table::try_from(Config::default()).unwrap_or_default();
    table.keys().cloned().chain(OPTIONAL.map(str::to_owned)).collect()
}

/// Refuses a name that is none of a setting, with the one that was probably meant.
pub(super) fn check(name: &str, place: &str) -> Result<()> {
    let names = names();
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let likeness = |known: &&String| strsim::jaro_winkler(known, name);
    let nearest = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|known| likeness(known) >= SIMILAR_MIN) {
        Some(nearest) => bail!("unknown setting `{name}` ({place}); did you mean `{nearest}`?"),
        None => bail!("unknown setting `{name}` ({place}); known are {}", names.join(", ")),
    }
}

/// The line of a key in a settings file, from 1.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let (found, _) = table.get_ref().iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
    Some(text[..found.span().start].matches('\n').count() + 1)
}

/// Every setting, with where it comes from.
///
/// # Errors
/// As for [`Config::load`].
pub fn show(flags: &Flags, variables: &[(String, String)]) -> Result<Vec<Shown>> {
    let config = Config::load(flags.clone(), variables.iter().cloned())?;
    let values = serde_json::to_value(&config)?;
    let text = flags.file.as_deref().map(std::fs::read_to_string).transpose()?.unwrap_or_default();
    let shown = names().into_iter().map(|name| {
        let (origin, place) = origin(&name, flags, variables, &text);
        let is_secret = SECRETS.iter().any(|secret| name.contains(secret));
        let value = if is_secret { MASK.into() } else { values[&name].clone() };
        Shown { name, value, origin, place }
    });
    Ok(shown.collect())
}

fn origin(
    name: &str,
    flags: &Flags,
    variables: &[(String, String)],
    text: &str,
) -> (&'static str, Option<String>) {
    if is_flag(name, flags) {
        return ("flag", Some(format!("--{}", name.replace('_', "-"))));
    }
    let variable =
        variables.iter().find(|variable| setting((*variable).clone()).is_some_and(|(key, _)| key == name));
    if variable.is_some() {
        return ("environment", Some(format!("{PREFIX}{}", name.to_ascii_uppercase())));
    }
    let place = |line: usize| format!("{}:{line}", flags.file.as_deref().unwrap_or(Path::new("")).display());
    match line_of(text, name) {
        Some(line) => ("file", Some(place(line))),
        None => ("default", None),
    }
}

fn is_flag(name: &str, flags: &Flags) -> bool {
    match name {
        "data_dir" => flags.data_dir.is_some(),
        "listen" => flags.listen.is_some(),
        "insecure_http" => flags.insecure_http,
        "tls_certificate" => flags.tls_certificate.is_some(),
        "tls_key" => flags.tls_key.is_some(),
        "dev" => flags.dev,
        "embedder_url" => flags.embedder_url.is_some(),
        "embedder_model" => flags.embedder_model.is_some(),
        "embedder_dimension" => flags.embedder_dimension.is_some(),
        "embedder_key_file" => flags.embedder_key_file.is_some(),
        _ => false,
    }
}
