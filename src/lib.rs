
pub mod ingest;
