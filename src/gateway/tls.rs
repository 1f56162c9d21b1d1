//! TLS: the node's certificate, and its replacement while the node runs.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore, ServerConfig};

use super::serve::Stopped;
use crate::config::Config;

/// What a client says that wants HTTP/2.
pub(super) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";
/// The files are looked at so often, beside every SIGHUP.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The certificate in use, and the files it came from.
pub(super) struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    current: Mutex<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    /// What was read last, whether or not it could be used.
    files: [Stamp; 2],
}

/// Tells a file from what stood in its place before.
type Stamp = Option<(u64, u64, i64, i64)>;

impl Certificates {
    /// The pair that the settings name, if they name one.
    ///
    /// # Errors
    /// If only one of the two is named, or the pair cannot be used.
    pub(super) fn of(config: &Config) -> Result<Option<Certificates>> {
        match (&config.tls_certificate, &config.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Certificates::load(certificate, key).map(Some),
            _ => bail!("TLS takes both: tls_certificate and tls_key"),
        }
    }

    fn load(certificate: &Path, key: &Path) -> Result<Certificates> {
        let files = [stamp(certificate), stamp(key)];
        let config = server_config(certificate, key)?;
        let current = Mutex::new(Current { config, files });
        Ok(Certificates { certificate: certificate.to_owned(), key: key.to_owned(), current })
    }

    /// What handshakes use from now on.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// A task that reads the files again on SIGHUP and when they changed; it ends when this is dropped.
    /// Connections that are open keep what they began with.
    pub(super) fn reload_when_changed(self: &Arc<Certificates>) -> Stopped {
        let certificates = Arc::clone(self);
        Stopped(tokio::spawn(async move {
            let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
            loop {
                let told = tokio::select! {
                    _ = hangup.recv() => true,
                    () = tokio::time::sleep(LOOK_EVERY) => false,
                };
                certificates.reload(told);
            }
        }))
    }

    /// A new pair that cannot be used changes nothing; it is said once.
    fn reload(&self, told: bool) {
        let files = [stamp(&self.certificate), stamp(&self.key)];
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if files == current.files && !told {
            return;
        }
        current.files = files;
        match server_config(&self.certificate, &self.key) {
            Ok(config) => {
                current.config = config;
                tracing::info!(certificate = %self.certificate.display(), "the certificate was read again");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "the new certificate cannot be used; the old one is kept");
            }
        }
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

/// TLS 1.2 and 1.3 with the pair of two PEM files.
fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let chain = read_chain(certificate)?;
    check_time(&chain, Duration::ZERO).with_context(|| format!("certificate `{}`", certificate.display()))?;
    let secret = read_key(key)?;
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13, &TLS12]);
    let config = builder.context("TLS")?.with_no_client_auth().with_single_cert(chain, secret);
    let mut config = config.with_context(|| {
        format!("certificate `{}` and key `{}` are no pair", certificate.display(), key.display())
    })?;
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let what = || format!("certificate `{}`", path.display());
    let read = CertificateDer::pem_file_iter(path).with_context(what)?;
    let chain = read.collect::<Result<Vec<_>, _>>().with_context(what)?;
    ensure!(!chain.is_empty(), "certificate `{}` holds none; it must be a PEM file", path.display());
    Ok(chain)
}

/// A key that others can read is no secret. A group may: that is how certificates are handed to services.
fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let what = || format!("key `{}`", path.display());
    let mode = fs::metadata(path).with_context(what)?.permissions().mode();
    ensure!(mode & 0o027 == 0, "key `{}` is open to others (mode {:o}); chmod 600 it", path.display(), mode);
    PrivateKeyDer::from_pem_file(path).with_context(what)
}

/// Refuses a certificate file whose certificate does not last so long from now.
pub(crate) fn certificate_lasts(path: &Path, from_now: Duration) -> Result<()> {
    check_time(&read_chain(path)?, from_now).with_context(|| {
        format!("certificate `{}`, {} days from now", path.display(), from_now.as_secs() / 86_400)
    })
}

/// Refuses a certificate whose time will be over then, or will not have come.
fn check_time(chain: &[CertificateDer<'static>], from_now: Duration) -> Result<()> {
    // The library tells it only to clients: so we ask as one that trusts this certificate alone. Whatever else such
    // a client had to object is not our question.
    let mut roots = RootCertStore::empty();
    roots.add(chain[0].clone()).context("not a certificate that can be used")?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build()?;
    let name = ServerName::try_from("localhost")?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs()) + from_now);
    match verifier.verify_server_cert(&chain[0], &[], &name, &[], time) {
        Err(Error::InvalidCertificate(
            error @ (CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }),
        )) => bail!("{error}; get a new one"),
        _ => Ok(()),
    }
}
