//! What the decoder reads from a file's segments, what it rejects, and what it reports of files that are cut off.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod file;

mod application;
mod header;
mod length;
mod rows_present;
mod scan;
