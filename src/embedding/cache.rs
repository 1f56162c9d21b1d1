//! Vectors of queries that were asked before: people ask again, with one more word, a page further, or for the same.

use std::num::NonZeroUsize;
use std::sync::Arc;

use index::embed::ModelId;
use lru::LruCache;
use sha2::{Digest as _, Sha256};

/// All that it holds.
const BYTES_MAX: usize = 4 << 20;
/// What an entry takes beside its vector, about.
const ENTRY_BYTES: usize = 128;

/// The vectors, by digests: the queries themselves are not kept.
#[derive(Default)]
pub(super) struct Cache(Option<LruCache<[u8; 32], Arc<[f32]>>>);

impl Cache {
    pub(super) fn get(&mut self, model: &ModelId, text: &str) -> Option<Arc<[f32]>> {
        self.0.as_mut()?.get(&key(model, text)).cloned()
    }

    pub(super) fn put(&mut self, model: &ModelId, text: &str, vector: &Arc<[f32]>) {
        let entry_bytes = ENTRY_BYTES + size_of_val::<[f32]>(vector);
        let entries = NonZeroUsize::new(BYTES_MAX / entry_bytes).unwrap_or(NonZeroUsize::MIN);
        let kept = self.0.get_or_insert_with(|| LruCache::new(entries));
        kept.put(key(model, text), Arc::clone(vector));
    }

    /// Another model makes vectors of another length.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }
}

fn key(model: &ModelId, text: &str) -> [u8; 32] {
    Sha256::new().chain_update(model.digest).chain_update(text).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_what_was_asked_last_and_no_more_than_its_bytes() {
        let model = ModelId { name: "m".to_owned(), digest: [1; 32], dimension: 4096 };
        let other = ModelId { digest: [2; 32], ..model.clone() };
        let vector: Arc<[f32]> = vec![0.5; 4096].into();
        let mut cache = Cache::default();
        let room = BYTES_MAX / (4096 * 4 + ENTRY_BYTES);
        for number in 0..=room {
            cache.put(&model, &number.to_string(), &vector);
            assert_eq!(cache.get(&model, "1").is_some(), number > 0, "what is asked for again stays");
        }
        assert_eq!(cache.get(&model, "0"), None, "the oldest went");
        assert_eq!(cache.get(&other, "1"), None, "of another model");
        assert_eq!(cache.0.as_ref().map(LruCache::len), Some(room));
        cache.clear();
        assert_eq!(cache.get(&model, "1"), None);
    }
}
