//! What the store grows by while somebody holds a view for long: pages that the view still shows cannot be used again.

use storage::{Error, Result};

use crate::app::App;

/// A view is given up when the store has grown by this much while it was held, in bytes, or has doubled if that is more.
const GROWTH_BYTES_MAX: u64 = 1 << 30;

/// How large the store was when its view was taken.
pub(crate) struct Growth {
    before_bytes: u64,
}

impl Growth {
    /// From now on.
    pub(crate) fn of(app: &App) -> Growth {
        Growth { before_bytes: store_bytes(app) }
    }

    /// How much the store has grown, in bytes.
    ///
    /// # Errors
    /// `BrokeOff` if that is too much, `Poisoned` if the node is stopping.
    pub(crate) fn check(&self, app: &App) -> Result<u64> {
        if app.commit.tail().is_closed() {
            return Err(Error::Poisoned { cause: "the node is stopping".to_owned() });
        }
        let grown = store_bytes(app).saturating_sub(self.before_bytes);
        let most = self.before_bytes.max(GROWTH_BYTES_MAX);
        match grown > most {
            false => Ok(grown),
            true => Err(Error::BrokeOff(format!(
                "the store grew by {grown} bytes while a view of it was held, at most {most}; do this when less is written"
            ))),
        }
    }
}

fn store_bytes(app: &App) -> u64 {
    std::fs::metadata(app.config.data_dir.join("store.redb")).map_or(0, |file| file.len())
}
