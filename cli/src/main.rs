//! `imageclassifier`: asks an image classifier server from the command line. Knows the client, not the model.

mod args;
mod classify;
mod output;
mod token;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

#[tokio::main]
async fn main() -> ExitCode {
    match Args::parse().command {
        Command::Classify(args) => classify::run(&args).await.into(),
    }
}
