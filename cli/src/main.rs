//! `imageclassifier`: classifies images from the command line, with a server or locally. It knows the client and the model,
//! not the server.

mod args;
mod backend;
mod classify;
mod connection;
mod health;
mod heatmap;
mod inputs;
mod local;
mod models;
mod outcome;
mod output;
mod progress;
mod token;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Classify(args) => classify::run(&args).await,
        Command::Models(args) => models::run(&args).await,
        Command::Health(args) => health::run(&args).await,
    };
    outcome.into()
}
