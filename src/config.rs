//! What can be set from outside: a file, then the environment, then flags; unknown keys are refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::oidc::{Issuer, Oidc};

/// The default address: this machine only.
pub const LISTEN: &str = "127.0.0.1:7340";
/// Environment variables begin with this.
const PREFIX: &str = "INTELGRAPH_";
/// Variables of the same prefix that belong to the commands, not to the node.
const NOT_SETTINGS: [&str; 4] = ["url", "token", "config", "demo_bundle"];

/// The settings of a node.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Whether it may listen beyond this machine without TLS.
    pub insecure_http: bool,
    /// How browsers reach it, such as `https://graph.example.org`; where it listens, unless set. Sign-in links lead
    /// there, and behind `https` a session's cookie is sent over nothing else.
    pub public_url: Option<String>,
    /// An outside issuer whose bearer tokens let people in; none, unless set.
    pub oidc: Option<Oidc>,
    /// Page cache of the database, in bytes.
    pub cache_bytes_max: usize,
    /// Largest body of a request that is not an import, in bytes.
    pub body_bytes_max: usize,
    /// Connections at a time.
    pub connections_max: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            data_dir: PathBuf::from("intelgraph-data"),
            listen: LISTEN.parse().expect("a socket address"),
            insecure_http: false,
            public_url: None,
            oidc: None,
            cache_bytes_max: 128 << 20,
            body_bytes_max: 1 << 20,
            connections_max: 1024,
        }
    }
}

/// Flags that override the other two.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--insecure-http`.
    pub insecure_http: bool,
}

impl Config {
    /// Reads the file, if one is named, then the variables, then the flags.
    ///
    /// # Errors
    /// If the file cannot be read, a key is unknown, a value is not of its kind, or the node would
    /// listen beyond this machine without TLS and without having been told to.
    pub fn load(flags: Flags, variables: impl Iterator<Item = (String, String)>) -> Result<Config> {
        let mut table = match &flags.file {
            Some(path) => read_file(path)?,
            None => toml::Table::new(),
        };
        let kinds = toml::Table::try_from(Config::default()).context("settings")?;
        for (key, text) in variables.filter_map(setting) {
            let value = value(&text, kinds.get(&key));
            table.insert(key, value);
        }
        let mut config: Config = table.try_into().context("settings")?;
        config.data_dir = flags.data_dir.unwrap_or(config.data_dir);
        config.listen = flags.listen.unwrap_or(config.listen);
        config.insecure_http |= flags.insecure_http;
        ensure!(
            config.listen.ip().is_loopback() || config.insecure_http,
            "listen address `{}` is reachable from other machines and there is no TLS; \
             listen on 127.0.0.1, or say --insecure-http",
            config.listen
        );
        if let Some(url) = &config.public_url {
            config.public_url = Some(origin(url)?);
        }
        config.issuer()?;
        Ok(config)
    }

    /// The outside issuer, if there is one.
    ///
    /// # Errors
    /// If a setting of it is wrong, or a file of it cannot be read.
    pub fn issuer(&self) -> Result<Option<Issuer>> {
        self.oidc.as_ref().map(Issuer::new).transpose()
    }

    /// How browsers reach the node. An address that means every interface is none that anybody could go to.
    #[must_use]
    pub fn url(&self) -> String {
        let mut address = self.listen;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        self.public_url.clone().unwrap_or_else(|| format!("http://{address}"))
    }
}

/// The scheme, host and port of an address that has nothing more.
fn origin(url: &str) -> Result<String> {
    let wrong = || format!("public_url `{url}`: such as https://graph.example.org, without a path");
    let parsed = reqwest::Url::parse(url).with_context(wrong)?;
    let bare = parsed.path() == "/" && parsed.query().is_none() && parsed.fragment().is_none();
    let bare = bare && parsed.username().is_empty() && parsed.password().is_none();
    ensure!(bare && matches!(parsed.scheme(), "http" | "https"), wrong());
    Ok(parsed.origin().ascii_serialization())
}

fn read_file(path: &Path) -> Result<toml::Table> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("settings file `{}`", path.display()))?;
    text.parse().with_context(|| format!("settings file `{}`", path.display()))
}

fn setting((name, text): (String, String)) -> Option<(String, String)> {
    let key = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
    // Variables of tests and tools of this project have a word of their own in front.
    let foreign = NOT_SETTINGS.contains(&key.as_str())
        || key.starts_with("test_")
        || key.starts_with("sim_")
        || key.starts_with("judges_");
    (!foreign).then_some((key, text))
}

/// A variable's text as a value of the kind that its setting has; what is not of that kind stays text,
/// and is refused as such.
fn value(text: &str, like: Option<&toml::Value>) -> toml::Value {
    let parsed = match like {
        Some(toml::Value::Integer(_)) => text.parse::<i64>().ok().map(Into::into),
        Some(toml::Value::Boolean(_)) => text.parse::<bool>().ok().map(Into::into),
        _ => None,
    };
    parsed.unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests;
