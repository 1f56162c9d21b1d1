//! The accept loop: our own, because the stock one has no header timeout, no connection limit and can
//! hang while it drains.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Extension;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::routes::routes;
use crate::app::Shared;

/// A request's head must have arrived by then.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// A drain ends by then, whatever clients do.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(8);
/// Most bytes of headers that a connection buffers.
const HEADER_BYTES_MAX: usize = 32 * 1024;

/// A socket that is bound: the first thing a node does, so that a port in use is the first thing it says.
pub struct Server {
    listener: TcpListener,
    /// Where it listens, with the port that was picked.
    pub address: SocketAddr,
}

/// Binds the address.
///
/// # Errors
/// If the port is in use or the address is not this machine's.
pub async fn bind(address: SocketAddr) -> Result<Server> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("listen address `{address}`"))?;
    let address = listener.local_addr()?;
    Ok(Server { listener, address })
}

impl Server {
    /// Serves until `shutdown`, then lets running requests end, up to the drain timeout.
    pub async fn run(self, app: Shared, shutdown: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(app.config.connections_max));
        let service = routes(app);
        let drain = GracefulShutdown::new();
        tokio::pin!(shutdown);
        loop {
            let (stream, peer, place) = tokio::select! {
                accepted = accept(&self.listener, &places) => accepted,
                () = &mut shutdown => break,
            };
            // A small answer must not wait for the next one.
            let _ = stream.set_nodelay(true);
            let service = TowerToHyperService::new(service.clone().layer(Extension(ConnectInfo(peer))));
            let connection = builder().serve_connection(TokioIo::new(stream), service);
            let connection = drain.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "connection ended");
                }
                drop(place);
            });
        }
        drop(self.listener);
        if tokio::time::timeout(DRAIN_TIMEOUT, drain.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
        }
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            // Out of file handles: those in use have to go first.
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// HTTP/1.1 alone: to tell versions apart one has to wait for a first byte, and that wait has no timeout.
fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(HEADER_BYTES_MAX);
    builder
}
