//! The main job on real data: a node, a bundle, a search, and what to try next.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;
use serde_json::json;

use super::client::Client;
use super::import::Terms;
use super::output::Output;
use super::serve::{Node, blocking, end, stop_signal};
use super::{Failure, Global, Result, import, model, search};
use crate::app::VERSION;
use crate::config::{Config, LISTEN};
use crate::policy::parse;
use crate::running::{MissingAnchor, Running};
use crate::{node, sessions, tokens};

const BUNDLE: &str = "attack-enterprise.json";
const TENANT: &str = "default";
const SOURCE: &str = "attack";
const QUESTION: &str = "credential dumping";
/// What the model of the demo is called.
const MODEL: &str = "all-MiniLM-L6-v2-int8";
const TOKEN_FILE: &str = "demo.token";

/// Which bundle, and where its data are kept.
#[derive(Args, Clone)]
pub(super) struct Demo {
    /// The STIX 2.1 bundle [default: $INTELGRAPH_DEMO_BUNDLE, beside the binary, or target/demo/]
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Where everything is kept [default: `data` beside the bundle]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one [default: 127.0.0.1:7340]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,
    /// What a model of vectors is in, as for `model install`; may be repeated. Without, search goes by words alone
    #[arg(long = "model", value_name = "PATH")]
    models: Vec<PathBuf>,
    /// Do not open a browser
    #[arg(long)]
    no_browser: bool,
}

impl Demo {
    pub(super) async fn run(self, output: &Output) -> Result {
        let bundle = find_bundle(self.bundle.as_deref())?;
        let data_dir = self.data_dir.clone().unwrap_or_else(|| bundle.with_file_name("data"));
        let config = Config {
            data_dir: data_dir.clone(),
            listen: self.listen.unwrap_or_else(|| LISTEN.parse().expect("a socket address")),
            // A demo is watched by a person, who wants to see no requests go by.
            log: "warn".to_owned(),
            ..Config::default()
        };
        let (signal, stop_now) = (stop_signal(1)?, stop_signal(2)?);
        tokio::pin!(signal);
        let Node { server, running, admin, url, _log } = Node::open(config, MissingAnchor::Refused).await?;
        output.note(&format!("listening on {url}, data in {}", data_dir.display()));
        let app = running.app.clone();
        let (token, link) = blocking(move || {
            let token = demo_token(&app, &data_dir)?;
            let link = sessions::link_of(&app, &parse(&token)?.id)?;
            Ok((token, link))
        })
        .await?;
        output.note(&format!("to sign in with a browser, once: {}", link.url));
        if cfg!(feature = "ui") && !self.no_browser && !output.json {
            open_browser(&link.url);
        }
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await;
        };
        let serving = tokio::spawn(server.run(running.app.clone(), stopped, stop_now));
        let shown = tokio::select! {
            shown = show(&url, &token, &bundle, &self.models, output) => shown,
            () = &mut signal => Ok(()),
        };
        if shown.is_ok() {
            signal.await;
        }
        let _ = stop.send(());
        let _ = serving.await;
        end(admin).await;
        blocking(move || {
            Running::stop(running);
            Ok(())
        })
        .await?;
        shown.map(|()| super::Answer::Yes)
    }
}

/// Opens a page in the user's browser, where there is a screen. If none opens, the link is there to be followed.
fn open_browser(url: &str) {
    let has_screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    let program = match () {
        () if cfg!(target_os = "macos") => "open",
        () if has_screen => "xdg-open",
        () => return,
    };
    let mut command = std::process::Command::new(program);
    let _ = command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}

/// Imports the bundle, says that the node is ready, and shows a search.
async fn show(url: &str, token: &str, bundle: &Path, models: &[PathBuf], output: &Output) -> Result<()> {
    let global = Global {
        url: Some(url.to_owned()),
        token_file: None,
        tenant: None,
        purpose_in_use: None,
        ca_file: None,
        json: output.json,
        quiet: output.quiet,
    };
    let client = Client::to(url, token, &global)?;
    output.note(&install_model(&client, models).await);
    let terms = Terms {
        source: SOURCE.to_owned(),
        purposes: vec!["demo".to_owned(), "threat-intel".to_owned()],
        licence: Some("Open-Data-OK".to_owned()),
        classification: Some("public".to_owned()),
        ..Terms::default()
    };
    let summary =
        import::send(&client, import::FileFormat::Stix, &terms, &[bundle.to_owned()], output).await?;
    output.note(&import::sentence(&summary));
    if summary["searchable"] != true {
        return Err(Failure::cannot_tell(
            "not_searchable",
            "the data are durable but not searchable yet; start the demo again",
        ));
    }
    import::verdict(&summary)?;
    client.run("flagSet:v1", json!({"name": "vector-preview", "value": "on"})).await?;
    let ready = json!({"ready": true, "url": url, "token": token, "tenant": TENANT, "version": VERSION});
    if output.json {
        output.line(&ready.to_string());
        return Ok(());
    }
    let found = client.run("search:v2", json!({"q": QUESTION, "first": 5})).await?;
    output.line(&format!("\n$ intelgraph search \"{QUESTION}\" --limit 5\n"));
    search::print_hits(&found["search"], output);
    output.line(&next_steps(url, token, &found["search"]["edges"][0]["node"]["id"]));
    Ok(())
}

/// The demo goes on without a model, and says so.
async fn install_model(client: &Client, paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "no model of vectors (--model): search goes by words alone".to_owned();
    }
    match model::install(client, paths, MODEL).await {
        Ok(_) => format!("the model `{MODEL}` is installed"),
        Err(failure) => format!("no model of vectors: {}; search goes by words alone", failure.message),
    }
}

fn next_steps(url: &str, token: &str, id: &serde_json::Value) -> String {
    let id = id.as_str().unwrap_or("ID");
    let program = std::env::args().next().unwrap_or_else(|| "intelgraph".to_owned());
    format!(
        "\nThe node runs until you press Ctrl-C. In another terminal:\n\n  \
         export INTELGRAPH_URL={url}\n  export INTELGRAPH_TOKEN={token}\n\n  \
         {program} search \"lateral movement\" --type malware\n  \
         {program} search \"stolen tickets\" --mode hybrid --explain\n  \
         {program} entity get {id}\n  \
         {program} relations {id} --limit 10\n  \
         {program} entity history {id}\n  \
         {program} ledger proof --lsn 100 --out receipt.tlog-proof\n"
    )
}

fn find_bundle(flag: Option<&Path>) -> Result<PathBuf> {
    let named =
        flag.map(Path::to_owned).or_else(|| std::env::var_os("INTELGRAPH_DEMO_BUNDLE").map(PathBuf::from));
    if let Some(bundle) = named {
        return if bundle.is_file() {
            Ok(bundle)
        } else {
            Err(no_bundle(&format!("`{}` is no file", bundle.display())))
        };
    }
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name(BUNDLE));
    let found =
        beside.into_iter().chain([Path::new("target/demo").join(BUNDLE)]).find(|bundle| bundle.is_file());
    found.ok_or_else(|| no_bundle(&format!("no `{BUNDLE}` beside the program or in target/demo/")))
}

fn no_bundle(why: &str) -> Failure {
    Failure::bad_input(format!(
        "no demo bundle: {why}; run `make demo`, or give --bundle with a STIX 2.1 bundle"
    ))
}

/// The token of the demo: kept in a file that only its owner can read, so that a second run and the
/// commands copied from the first go on working.
fn demo_token(app: &crate::app::App, data_dir: &Path) -> anyhow::Result<String> {
    let file = data_dir.join(TOKEN_FILE);
    if let Ok(token) = std::fs::read_to_string(&file)
        && is_good(app, token.trim())?
    {
        return Ok(token.trim().to_owned());
    }
    let made = match tokens::first_owner(app)? {
        Some(made) => made,
        None => tokens::owner(app, TENANT)?,
    };
    node::write_secret(&file, made.token.reveal().as_bytes())?;
    Ok(made.token.reveal().to_owned())
}

fn is_good(app: &crate::app::App, token: &str) -> anyhow::Result<bool> {
    let Ok(parsed) = parse(token) else { return Ok(false) };
    let Some(row) = app.store.view()?.token(&parsed.id)? else { return Ok(false) };
    let spec = storage::model::TokenSpec::decode(&row.spec)?;
    Ok(row.revoked_us.is_none() && crate::policy::token::verify(&parsed, &spec, node::now_us()).is_ok())
}
