//! How data come in: whatever its shape outside, it leaves here as [`storage::model::Said`].

pub mod files;
