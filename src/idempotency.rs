//! Requests that come again: what one changes is done once, and the answer made again is the same.
//!
//! The store remembers what each command of a keyed request did ([`storage::commands::Once`]). The rest of an answer is
//! made as it was the first time, and what is drawn at random for it, a token, is derived from a secret of the node and
//! the request's key: so no answer, and no secret in one, is kept anywhere.

use sha2::{Digest, Sha256};
use storage::commands::{Applied, Command, Once, RequestKey};

use crate::app::App;
use crate::gateway::Failure;
use crate::node;

/// How a request writes.
pub(crate) struct Writer<'a> {
    /// Where to.
    pub(crate) app: &'a App,
    /// What the client calls the request, and which part of it this is; `None`: it cannot come again.
    pub(crate) once: Option<(RequestKey, &'a str)>,
}

impl Writer<'_> {
    /// Writes a command, durably; one that this part of the request wrote before is not carried out again. `what` tells
    /// it from others of the same part.
    pub(crate) async fn write(&self, what: &str, command: Command) -> Result<Applied, Failure> {
        let command = match &self.once {
            None => command,
            Some((key, part)) => {
                Command::Once(Once { key: key.clone(), step: step(part, what), command: Box::new(command) })
            }
        };
        self.app.write_one(command).await
    }

    /// Bytes that nobody can guess; the same ones if the request comes again.
    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        const { assert!(N <= 32, "a digest has 32 bytes") };
        let Some((key, part)) = &self.once else { return node::random() };
        let digest = Sha256::new()
            .chain_update(self.app.replay_secret)
            .chain_update(key.tenant.0.to_be_bytes())
            .chain_update(key.name)
            .chain_update(key.request)
            .chain_update(part)
            .finalize();
        let mut bytes = [0; N];
        bytes.copy_from_slice(&digest[..N]);
        bytes
    }
}

/// The number of a step: parts have names of their own within a request, so two never share one by accident.
fn step(part: &str, what: &str) -> u64 {
    let digest = Sha256::digest(format!("{part}\n{what}"));
    let (first, _) = digest.split_first_chunk::<8>().expect("a digest has 32 bytes");
    u64::from_be_bytes(*first)
}

/// The secret behind `Writer::random`, from the seed of the node's key: good for nothing else, and not to be had from
/// what the key signs.
#[must_use]
pub fn replay_secret(seed: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update("intelgraph: requests that come again").chain_update(seed).finalize().into()
}
