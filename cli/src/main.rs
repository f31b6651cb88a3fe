//! `imageclassifier`: classifies images from the command line, with a server or locally. It knows the client and the model,
//! not the server.

mod args;
mod backend;
mod bulk;
mod classify;
mod connection;
mod embed;
mod evaluate;
mod feedback;
mod file_error;
mod health;
mod heatmap;
mod import;
mod inputs;
mod inspect;
mod local;
mod model_name;
mod models;
mod outcome;
mod output;
mod output_folder;
mod pipeline;
mod progress;
mod remote;
mod shard;
mod storage;
mod token;
mod train;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::{Args, Command},
    outcome::Outcome,
};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Classify(args) => classify::run(&args).await,
        Command::Train(args) => blocking(move || train::run(&args)).await,
        Command::Evaluate(args) => blocking(move || evaluate::run(&args)).await,
        Command::Import(args) => blocking(move || import::run(&args)).await,
        Command::Inspect(args) => blocking(move || inspect::run(&args)).await,
        Command::Embed(args) => blocking(move || embed::run(&args)).await,
        Command::Models(args) => models::run(&args).await,
        Command::Feedback(args) => feedback::run(&args).await,
        Command::Health(args) => health::run(&args).await,
    };
    outcome.into()
}

/// Runs work that has no use for the runtime.
async fn blocking(work: impl FnOnce() -> Outcome + Send + 'static) -> Outcome {
    let finished = tokio::task::spawn_blocking(work).await;
    finished.expect("the work does not panic")
}
