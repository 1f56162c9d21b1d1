//! Ways out: what is known leaves as a file that other programs read, and that an import takes again.

pub mod jsonl;
