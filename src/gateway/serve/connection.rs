//! One connection, from its handshake to its end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::activity::Activity;
use super::places::Place;
use super::stream::Watched;
use crate::gateway::requests::Arrival;
use crate::gateway::tls::{Certificates, HTTP_2};
use crate::metrics::Metrics;

/// A TLS handshake is over by then.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of headers that a connection buffers, and of an answer that waits to be written.
const HEADER_BYTES_MAX: usize = 32 * 1024;
/// Requests of one connection at a time (HTTP/2).
const STREAMS_MAX: u32 = 64;
/// Most bytes of a request's headers, unpacked (HTTP/2).
const HEADER_LIST_BYTES_MAX: u32 = 16 * 1024;
/// Bytes of bodies that a client may send ahead of their reader: for one request, and for all of a connection.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// Requests that a client may take back before they were looked at, and that we refuse in the middle: who does more
/// of either is no client.
const RESETS_PENDING_MAX: usize = 20;
const RESETS_LOCAL_MAX: usize = 256;
/// A silent HTTP/2 connection is asked so often whether its client is there, who has so long to say so.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// What every connection of a server shares.
pub(super) struct Serving {
    pub(super) routes: Router,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) metrics: Metrics,
}

/// Serves a connection to its end, or until its place is needed.
pub(super) async fn serve(stream: TcpStream, arrival: Arrival, place: Place, serving: Arc<Serving>) {
    let activity = Arc::clone(&place.activity);
    tokio::select! {
        biased;
        () = activity.closed() => {}
        () = speak(stream, arrival, &serving) => {}
    }
    drop(place);
}

async fn speak(stream: TcpStream, arrival: Arrival, serving: &Serving) {
    // A small answer must not wait for the next one.
    let _ = stream.set_nodelay(true);
    let Some(certificates) = &serving.certificates else {
        return speak_http(stream, false, arrival, serving).await;
    };
    let handshake = TlsAcceptor::from(certificates.config()).accept(stream);
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
        Ok(Ok(stream)) => {
            let is_http_2 = stream.get_ref().1.alpn_protocol() == Some(HTTP_2);
            speak_http(stream, is_http_2, arrival, serving).await;
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            serving.metrics.connection_closed("tls_handshake");
        }
        Err(_) => serving.metrics.connection_closed("slow_tls_handshake"),
    }
}

/// The version is settled before the first byte of HTTP: waiting for it to be told would be one more wait.
async fn speak_http<S>(stream: S, is_http_2: bool, arrival: Arrival, serving: &Serving)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::clone(&arrival.activity);
    let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let routes = TowerToHyperService::new(serving.routes.clone());
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(arrival.clone());
        routes.call(request)
    });
    let ended = if is_http_2 {
        activity.set_multiplexed();
        drive(http_2().serve_connection(stream, service), &activity).await
    } else {
        drive(http_1().serve_connection(stream, service), &activity).await
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// Runs a connection; one that retires takes no further request and ends after those it has.
async fn drive<C: GracefulConnection>(connection: C, activity: &Activity) -> Result<(), C::Error> {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = activity.retired() => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// Without a timeout of its own: the sweeper has it, and tells a slow head from an idle connection.
fn http_1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEADER_BYTES_MAX);
    builder
}

fn http_2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(HEADER_BYTES_MAX)
        .max_pending_accept_reset_streams(RESETS_PENDING_MAX)
        .max_local_error_reset_streams(RESETS_LOCAL_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}
