//! Runs a node in the foreground until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::output::Output;
use super::{Answer, Failure, Result};
use crate::admin::Admin;
use crate::app::{App, VERSION};
use crate::config::{Config, Flags};
use crate::gateway::{self, Server};
use crate::log::{self, Log};
use crate::node::{self, rfc3339};
use crate::running::{MissingAnchor, Running};
use crate::sessions::{self, Link};
use crate::tokens;

/// Runs a node.
#[derive(Args, Clone)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// The file `anchor` of the data directory is gone: trust that the database is no older copy, and write it anew
    #[arg(long)]
    no_anchor: bool,
}

/// Where a node keeps its data and listens.
#[derive(Args, Clone)]
pub(super) struct Settings {
    /// Where everything is kept [default: intelgraph-data]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one [default: 127.0.0.1:7340]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,
    /// A settings file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen beyond this machine without TLS
    #[arg(long)]
    insecure_http: bool,
    /// The certificate chain of TLS (PEM); read again when it changes, and on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's key (PEM), which others must not be able to read
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Let everybody who has a token bring GraphQL documents and ask for the schema; on this machine only
    #[arg(long)]
    dev: bool,
    /// Another program that makes vectors of texts: where it takes `POST v1/embeddings`; texts are sent to it
    #[arg(long, value_name = "URL")]
    embedder_url: Option<String>,
    /// What it calls its model
    #[arg(long, value_name = "NAME")]
    embedder_model: Option<String>,
    /// Components of its vectors
    #[arg(long, value_name = "COUNT")]
    embedder_dimension: Option<usize>,
    /// A file with the key that it asks for, which others must not be able to read
    #[arg(long, value_name = "FILE")]
    embedder_key_file: Option<PathBuf>,
}

/// File handles that the node needs beside those of its connections.
const FILES_BESIDE: u64 = 256;

/// A node that is bound and open, but not yet serving.
pub(super) struct Node {
    pub(super) server: Server,
    pub(super) running: Running,
    pub(super) admin: JoinHandle<()>,
    pub(super) url: String,
    pub(super) _log: Log,
}

impl Serve {
    pub(super) async fn run(self, output: &Output) -> Result {
        // Before anybody is told that the node is ready: a signal must never meet the default, which kills.
        let (stop, stop_now) = (stop_signal(1)?, stop_signal(2)?);
        let missing = if self.no_anchor { MissingAnchor::GivenUp } else { MissingAnchor::Refused };
        let node = Node::open(load(self.settings.flags())?, missing).await?;
        let app = node.running.app.clone();
        let owner = blocking(move || first_owner(&app)).await?;
        let token = owner.as_ref().map(|(token, _)| token);
        let sign_in_url = owner.as_ref().map(|(_, link)| &link.url);
        let tenant = owner.as_ref().map(|_| "default");
        let ready = json!({
            "ready": true, "url": node.url, "token": token, "tenant": tenant, "version": VERSION,
            "sign_in_url": sign_in_url,
        });
        output.result(&ready, |output| {
            output.line(&format!("IntelGraph {VERSION} is ready at {}", node.url));
            if let Some((token, link)) = &owner {
                output.line("A new node: this is its owner's token. It is shown once; keep it.\n");
                output.line(&format!("  export INTELGRAPH_URL={}", node.url));
                output.line(&format!("  export INTELGRAPH_TOKEN={token}\n"));
                output
                    .line(&format!("To sign in with a browser, once, until {}:\n", rfc3339(link.expires_us)));
                output.line(&format!("  {}", link.url));
            }
        });
        node.serve(stop, stop_now).await
    }
}

impl Settings {
    pub(super) fn flags(self) -> Flags {
        Flags {
            file: self.config,
            data_dir: self.data_dir,
            listen: self.listen,
            insecure_http: self.insecure_http,
            tls_certificate: self.tls_certificate,
            tls_key: self.tls_key,
            dev: self.dev,
            embedder_url: self.embedder_url,
            embedder_model: self.embedder_model,
            embedder_dimension: self.embedder_dimension,
            embedder_key_file: self.embedder_key_file,
        }
    }
}

/// The settings that a file, the environment and flags make together.
pub(super) fn load(flags: Flags) -> Result<Config> {
    Config::load(flags, variables()).map_err(|error| Failure::bad_input(format!("{error:#}")))
}

/// The environment. What is no text is no setting of ours.
pub(super) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
}

impl Node {
    /// Binds first, so that a port in use is said at once, then opens the data.
    pub(super) async fn open(mut config: Config, missing: MissingAnchor) -> Result<Node> {
        let log = log::start(&config.log).map_err(|error| Failure::bad_input(format!("{error:#}")))?;
        let files = node::raise_file_limit();
        if files < config.connections_max as u64 + FILES_BESIDE {
            tracing::warn!(
                files,
                connections_max = config.connections_max,
                "few file handles; raise `ulimit -n`"
            );
        }
        let server = gateway::bind(&config).await?;
        config.listen = server.address;
        let url = server.url();
        if config.dev {
            tracing::warn!(
                url,
                "development mode: whoever has a token may run any GraphQL document and read the schema"
            );
        }
        let running = blocking(move || Running::start_with(config, missing)).await?;
        if let Some(issuer) = &running.app.issuer {
            issuer.keep_keys_fresh();
        }
        let admin = Admin::bind(&running.app.config.data_dir)?;
        let admin = tokio::spawn(admin.run(running.app.clone()));
        Ok(Node { server, running, admin, url, _log: log })
    }

    /// Serves until `stop`, then drains, not beyond `stop_now`, and closes.
    pub(super) async fn serve(
        self,
        stop: impl Future<Output = ()>,
        stop_now: impl Future<Output = ()>,
    ) -> Result {
        let app = self.running.app.clone();
        self.server.run(app, stop, stop_now).await;
        end(self.admin).await;
        let running = self.running;
        blocking(move || {
            running.stop();
            Ok(())
        })
        .await?;
        Ok(Answer::Yes)
    }
}

/// The first owner's token and a link to sign in as its holder, if the node is new.
fn first_owner(app: &App) -> anyhow::Result<Option<(String, Link)>> {
    let Some(made) = tokens::first_owner(app)? else { return Ok(None) };
    Ok(Some((made.token.reveal().to_owned(), sessions::link_of(app, &made.spec.id)?)))
}

/// Ends a task, and with it what it holds.
pub(super) async fn end(task: JoinHandle<()>) {
    task.abort();
    let _ = task.await;
}

/// Ends with SIGTERM or SIGINT, or when one of them has come so many times.
pub(super) fn stop_signal(times: usize) -> Result<impl Future<Output = ()>> {
    let failed = |error: std::io::Error| Failure::from(anyhow::Error::from(error));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        for _ in 0..times {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    })
}

/// Runs what waits for the disk where it holds up nobody.
pub(super) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(act).await;
    Ok(done.map_err(|error| anyhow::anyhow!("stopped unexpectedly: {error}"))??)
}
