//! The command line as users call it, against a real server: what it prints, and how it exits.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "values of pixels"
)]

mod access;
mod bulk;
mod checkpoints;
mod failures;
mod features;
mod formats;
mod heatmaps;
mod import;
mod inputs;
mod local;
mod models;
mod object_storage;
mod own_classes;
mod report;
mod server;
mod service;
mod terminal;
mod train;
mod train_on_import;
mod urls;
