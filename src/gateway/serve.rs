//! The accept loop: our own, because the stock one has no header timeout, no connection limit and can
//! hang while it drains.

mod activity;
mod connection;
mod heads;
mod places;
mod stream;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use activity::Patience;
pub(crate) use activity::{Activity, Working};
use connection::Serving;
pub(crate) use heads::Framing;
use places::{Admission, Places};

use super::requests::Arrival;
use super::routes::routes;
use super::tls::Certificates;
use crate::app::Shared;
use crate::config::Config;

/// A drain ends by then, whatever clients do.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(8);
/// When a drain begins, a request whose head is under way has so long to arrive.
const DRAIN_HEAD_TIMEOUT: Duration = Duration::from_millis(500);
/// Between two looks at who takes too long.
const SWEEP_EVERY: Duration = Duration::from_millis(250);
/// Without file handles nobody can be accepted; those in use have to go first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A socket that is bound: the first thing a node does, so that a port in use is the first thing it says.
pub struct Server {
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    /// Where it listens, with the port that was picked.
    pub address: SocketAddr,
}

/// Reads the certificate, if there is one, and binds the address.
///
/// # Errors
/// If the pair of certificate and key cannot be used, the port is in use or the address is not this machine's.
pub async fn bind(config: &Config) -> Result<Server> {
    let certificates = Certificates::of(config)?.map(Arc::new);
    let address = config.listen;
    let listener = TcpListener::bind(address).await.with_context(|| format!("listen address `{address}`"))?;
    let address = listener.local_addr()?;
    Ok(Server { listener, certificates, address })
}

impl Server {
    /// Where clients find it.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until `shutdown`, then lets running requests end, up to the drain timeout; or until `now`.
    pub async fn run(self, app: Shared, shutdown: impl Future<Output = ()>, now: impl Future<Output = ()>) {
        let Server { listener, certificates, .. } = self;
        let drain = CancellationToken::new();
        let (connections_max, per_address_max) =
            (app.config.connections_max, app.config.connections_per_address_max);
        let places = Places::new(connections_max, per_address_max, &drain);
        let _reloading = certificates.as_ref().map(Certificates::reload_when_changed);
        let _sweeping = sweeping(&places, &app);
        let metrics = app.metrics.clone();
        let serving = Arc::new(Serving { routes: routes(app), certificates, metrics });
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            let (stream, peer) = tokio::select! {
                accepted = accept(&listener) => accepted,
                Some(_) = connections.join_next() => continue,
                () = &mut shutdown => break,
            };
            open(stream, peer.ip(), &places, &serving, &mut connections);
        }
        drop((listener, serving));
        drain.cancel();
        tokio::select! {
            () = drained(&places, &mut connections) => {}
            () = now => tracing::warn!("told to stop at once; what was running is cut off"),
        }
        connections.shutdown().await;
    }
}

/// Gives a connection a place and a task, or closes it.
fn open(
    stream: TcpStream,
    peer: IpAddr,
    places: &Arc<Places>,
    serving: &Arc<Serving>,
    connections: &mut JoinSet<()>,
) {
    let metrics = &serving.metrics;
    match places.admit(peer) {
        Admission::Admitted(place, left) => {
            (0..left).for_each(|_| metrics.connection_closed("place_needed"));
            let arrival = Arrival {
                peer,
                is_secure: serving.certificates.is_some(),
                is_reserve: place.is_reserve,
                activity: Arc::clone(&place.activity),
            };
            metrics.connections.set(places.held() as i64);
            connections.spawn(connection::serve(stream, arrival, place, Arc::clone(serving)));
        }
        Admission::Full => metrics.connection_closed("full"),
        Admission::AddressFull => metrics.connection_closed("address_full"),
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A task that closes what takes too long; it ends when this is dropped.
fn sweeping(places: &Arc<Places>, app: &Shared) -> Stopped {
    let (places, metrics) = (Arc::clone(places), app.metrics.clone());
    let patience = patience(&app.config);
    Stopped(tokio::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            places.sweep(&patience, &|overdue| metrics.connection_closed(overdue.as_str()));
            metrics.connections.set(places.held() as i64);
        }
    }))
}

fn patience(config: &Config) -> Patience {
    let write = Duration::from_secs(config.write_timeout_s);
    Patience {
        header: Duration::from_secs(config.header_timeout_s),
        idle: Duration::from_secs(config.idle_timeout_s),
        write,
        write_bytes_min: config.bytes_per_second_min * write.as_secs(),
    }
}

/// Until every connection has ended. Who has not even asked yet is not waited for.
async fn drained(places: &Places, connections: &mut JoinSet<()>) {
    let ending = async {
        let gone = tokio::time::timeout(DRAIN_HEAD_TIMEOUT, all_joined(connections)).await;
        if gone.is_err() {
            places.close_quiet();
            all_joined(connections).await;
        }
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, ending).await.is_err() {
        tracing::warn!(connections = places.held(), "some requests did not end in time and were cut off");
    }
}

async fn all_joined(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

/// A task that is stopped when this is dropped.
pub(super) struct Stopped(pub(super) tokio::task::JoinHandle<()>);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
