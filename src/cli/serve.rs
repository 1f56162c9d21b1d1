//! Runs a node in the foreground until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::output::Output;
use super::{Answer, Failure, Result};
use crate::app::VERSION;
use crate::config::{Config, Flags};
use crate::gateway::{self, Server};
use crate::running::Running;
use crate::tokens;

/// Where a node keeps its data and listens.
#[derive(Args, Clone)]
pub(super) struct Serve {
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
    /// Let everybody who has a token bring GraphQL documents and ask for the schema; on this machine only
    #[arg(long)]
    dev: bool,
}

/// A node that is bound and open, but not yet serving.
pub(super) struct Node {
    pub(super) server: Server,
    pub(super) running: Running,
    pub(super) url: String,
}

impl Serve {
    pub(super) async fn run(self, output: &Output) -> Result {
        // Before anybody is told that the node is ready: a signal must never meet the default, which kills.
        let stop = stop_signal()?;
        let node = Node::open(self.config()?).await?;
        let app = node.running.app.clone();
        let owner = blocking(move || tokens::first_owner(&app)).await?;
        let token = owner.as_ref().map(|made| made.token.reveal().to_owned());
        let tenant = owner.as_ref().map(|_| "default");
        let ready =
            json!({"ready": true, "url": node.url, "token": token, "tenant": tenant, "version": VERSION});
        output.result(&ready, |output| {
            output.line(&format!("IntelGraph {VERSION} is ready at {}", node.url));
            if let Some(token) = &token {
                output.line("A new node: this is its owner's token. It is shown once; keep it.\n");
                output.line(&format!("  export INTELGRAPH_URL={}", node.url));
                output.line(&format!("  export INTELGRAPH_TOKEN={token}"));
            }
        });
        node.serve(stop).await
    }

    fn config(self) -> Result<Config> {
        let flags = Flags {
            file: self.config,
            data_dir: self.data_dir,
            listen: self.listen,
            insecure_http: self.insecure_http,
            dev: self.dev,
        };
        // What is no text is no setting of ours.
        let variables = std::env::vars_os()
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
        Config::load(flags, variables).map_err(|error| Failure::bad_input(format!("{error:#}")))
    }
}

impl Node {
    /// Binds first, so that a port in use is said at once, then opens the data.
    pub(super) async fn open(config: Config) -> Result<Node> {
        log_to_stderr();
        let server = gateway::bind(config.listen).await?;
        let url = format!("http://{}", server.address);
        if config.dev {
            tracing::warn!(
                url,
                "development mode: whoever has a token may run any GraphQL document and read the schema"
            );
        }
        let running = blocking(move || Running::start(config)).await?;
        Ok(Node { server, running, url })
    }

    /// Serves until `stop`, then drains and closes.
    pub(super) async fn serve(self, stop: impl Future<Output = ()>) -> Result {
        let app = self.running.app.clone();
        self.server.run(app, stop).await;
        let running = self.running;
        blocking(move || {
            running.stop();
            Ok(())
        })
        .await?;
        Ok(Answer::Yes)
    }
}

/// Ends with SIGTERM or SIGINT.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>> {
    let failed = |error: std::io::Error| Failure::from(anyhow::Error::from(error));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
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

/// JSON lines on stderr, warnings and worse unless `INTELGRAPH_TEST_LOG` or `RUST_LOG` says otherwise.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    // Fails only if a log is set up already, which is as good.
    let _ = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
