//! An authority of the tests' own, and the certificates that it issues for this machine.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

use crate::http::Http;
use crate::node::Node;

/// Who vouches for certificates, in a directory of its own.
pub(crate) struct Authority {
    place: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let place = tempfile::tempdir().expect("a directory");
        std::fs::write(place.path().join("ca.pem"), issuer.pem()).expect("a file");
        Authority { place, issuer }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// A pair for this machine, written over the one before.
    pub(crate) fn issue(&self, until_year: i32) {
        let mut params =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("names");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until_year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        write_secret(&self.path("key.pem"), &key.serialize_pem());
        std::fs::write(self.path("cert.pem"), certificate.pem()).expect("a file");
    }

    fn settings(&self) -> [(String, String); 2] {
        let text = |name| self.path(name).to_str().expect("UTF-8").to_owned();
        [("tls_certificate".to_owned(), text("cert.pem")), ("tls_key".to_owned(), text("key.pem"))]
    }

    pub(crate) fn start(&self) -> Node {
        let settings = self.settings();
        let settings = settings.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut node = Node::start_with(&settings);
        node.ca_file = Some(self.path("ca.pem"));
        node
    }

    pub(crate) fn client(&self) -> reqwest::ClientBuilder {
        let ca = std::fs::read(self.path("ca.pem")).expect("the file");
        reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&ca).expect("a certificate")])
    }

    pub(crate) fn http(&self, node: &Node) -> Http {
        Http::with(self.client(), &node.url, &node.token)
    }
}

pub(crate) fn write_secret(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
}
