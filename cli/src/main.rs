//! `imageclassifier`: classifies pictures from the command line, by asking a server or by itself. Knows the client and
//! the model, not the server.

mod args;
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
mod respondent;
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
