//! Starting and stopping a node: its parts in the order of what depends on what.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use storage::anchor::Anchor;
use storage::commands::Command;
use storage::{Directory, ErasureKey, Error, Store};

use crate::app::{App, Parts, Shared};
use crate::commit;
use crate::config::Config;
use crate::embedding::{Embedder, Embedding};
use crate::erasure;
use crate::follow::vectors::MEASURE_EVERY;
use crate::follow::{Follow, Terms, Vectors};
use crate::idempotency;
use crate::ingest::import;
use crate::node;
use crate::policy::decisions;
use crate::sessions::Sessions;

/// The anchor is written at most so often.
const ANCHOR_EVERY: Duration = Duration::from_secs(1);

/// What becomes of a directory that had an anchor and has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingAnchor {
    /// The node does not start.
    Refused,
    /// It is written anew, since somebody says so; one that is there is still held against the store.
    GivenUp,
}

/// A node with the threads behind it and the hold on its directory.
pub struct Running {
    /// The node.
    pub app: Shared,
    writer: JoinHandle<()>,
    followers: [JoinHandle<()>; 6],
    _directory: Directory,
}

impl Running {
    /// Opens the data directory, checks it against its anchor, ends what a crash left open, and starts
    /// the writer and the followers.
    ///
    /// # Errors
    /// If the directory is in use, of a newer format, damaged, put back from an older copy, or full; or if its key or its
    /// anchor is gone.
    pub fn start(config: Config) -> Result<Running> {
        Running::start_with(config, MissingAnchor::Refused)
    }

    /// The same, with or without an anchor that is missing.
    ///
    /// # Errors
    /// As for [`Running::start`], but for an anchor that is given up.
    pub fn start_with(config: Config, missing: MissingAnchor) -> Result<Running> {
        let (directory, memory) = (Directory::hold(&config.data_dir)?, config.memory());
        let directory = directory.checking(config.checked_bytes_max);
        let store = directory.open_store(memory.cache_bytes, node::new_node_id())?;
        let signed = directory.anchor().exists() || store.view()?.is_signed()?;
        let seed = node::signing_seed(&directory.keys(), signed)?;
        let store = Arc::new(store.with_erasure_key(ErasureKey::of(&seed)));
        let anchor = Arc::new(Anchor::new(directory.anchor(), seed));
        begin_anchor(&anchor, &store, missing)?;
        let (commit, writer) = commit::start(Arc::clone(&store)).context("writer thread")?;
        let log = (Arc::clone(&store), Arc::clone(commit.tail()));
        let (follow, follower) = Follow::start(directory.index(), memory.writers_bytes, log.clone())?;
        let models = config.data_dir.join("models");
        let (chosen, embedder) = (config.model.clone(), Embedder::new(&config)?);
        let (embedding, encoder) = Embedding::start(models, chosen, memory.model_bytes, embedder)?;
        let terms = Terms {
            window: config.vectors_window()?,
            build_bytes_max: memory.build_bytes,
            measure_every: MEASURE_EVERY,
        };
        let of_documents = embedding.clone();
        let encoders = Arc::new(move || of_documents.documents());
        let (vectors, vector_follower) = Vectors::start(directory.index(), encoders, terms, log)?;
        let anchoring = start_anchoring(Arc::clone(&anchor), Arc::clone(&store), Arc::clone(commit.tail()))?;
        let sessions = Sessions::new(&config, &store.view()?.node()?.node_id);
        let replay_secret = idempotency::replay_secret(&seed);
        let issuer = config.issuer()?;
        let parts = Parts {
            config,
            store,
            commit,
            follow,
            embedding,
            vectors,
            anchor,
            sessions,
            replay_secret,
            issuer,
        };
        let app = Arc::new(App::new(parts));
        let deciding =
            decisions::start(Arc::clone(&app.decisions), Arc::clone(&app.store), app.commit.clone())?;
        import::recover(&app)?;
        let erasing = erasure::start(&app).context("eraser thread")?;
        Ok(Running {
            app,
            writer,
            followers: [follower, encoder, vector_follower, anchoring, deciding, erasing],
            _directory: directory,
        })
    }

    /// Stops the threads in order; everything that was submitted is written, and anchored.
    pub fn stop(self) {
        let Running { app, writer, followers, _directory: directory } = self;
        app.follow.stop();
        // Before the embedder: what it leaves undone is no failure then.
        app.vectors.stop();
        app.embedding.stop();
        app.commit.tail().close();
        let (store, anchor) = (Arc::clone(&app.store), Arc::clone(&app.anchor));
        // A request that was cut off may still hold the node; its writer then ends with the process.
        let writer_ends = Arc::strong_count(&app) == 1;
        drop(app);
        for thread in followers {
            let _ = thread.join();
        }
        if writer_ends {
            let _ = writer.join();
        }
        write_anchor(&anchor, &store);
        drop(directory);
    }
}

/// Holds the store against its anchor, and has it remember key and anchor if it does not yet.
fn begin_anchor(anchor: &Anchor, store: &Store, missing: MissingAnchor) -> Result<()> {
    let view = store.view()?;
    if missing == MissingAnchor::GivenUp && !anchor.exists() {
        anchor.check_key(&view)?;
        anchor.write(&view)?;
        tracing::warn!(
            "the anchor was gone and is written anew: that the database is no older copy is taken on trust"
        );
    }
    anchor.check(&view)?;
    if !anchor.exists() && !view.tenants()?.is_empty() {
        tracing::warn!("there is no anchor yet: nothing tells whether the database is an older copy");
    }
    Ok(remember(anchor, store)?)
}

/// Writes the anchor, and has the store remember that there is one.
fn write_anchor(anchor: &Anchor, store: &Store) {
    let written = store.view().and_then(|view| anchor.write(&view)).and_then(|()| remember(anchor, store));
    if let Err(error) = written {
        tracing::error!(%error, "cannot write the anchor");
    }
}

/// A full disk keeps no node from starting: the next one remembers.
fn remember(anchor: &Anchor, store: &Store) -> storage::Result<()> {
    let Some(unremembered) = anchor.unremembered(&store.view()?)? else { return Ok(()) };
    match store.write(&[Command::Remember(unremembered)], node::stamp()) {
        Ok(_) | Err(Error::NoSpace { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Keeps the anchor at most a second behind the log.
fn start_anchoring(
    anchor: Arc<Anchor>,
    store: Arc<Store>,
    tail: Arc<commit::Tail>,
) -> Result<JoinHandle<()>> {
    let anchoring = move || {
        let mut moves = 0;
        while !tail.is_closed() {
            let now = tail.wait(moves, ANCHOR_EVERY);
            if now == moves {
                continue;
            }
            moves = now;
            write_anchor(&anchor, &store);
            std::thread::sleep(ANCHOR_EVERY);
        }
    };
    Ok(std::thread::Builder::new().name("anchor".to_owned()).spawn(anchoring)?)
}
