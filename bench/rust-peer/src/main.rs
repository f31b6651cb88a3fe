//! usage: rust-peer ADDRESS MODEL.onnx LABELS.txt SESSIONS THREADS
//!
//! Serves `Classify` with SESSIONS sessions of ONNX Runtime, each with THREADS threads. ORT_DYLIB_PATH is the path of its
//! library.

mod classifier;
mod preprocessing;

use std::{env, fs, net::SocketAddr};

use anyhow::Context;
use classifier::Classifier;
use tonic::transport::Server;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, model, labels, sessions, threads] = arguments.as_slice() else {
        anyhow::bail!("usage: rust-peer ADDRESS MODEL.onnx LABELS.txt SESSIONS THREADS");
    };
    let address: SocketAddr = address.parse().context("ADDRESS")?;
    let labels = fs::read_to_string(labels).context("LABELS.txt")?;
    let classifier = Classifier::load(
        model,
        labels.lines().map(str::to_owned).collect(),
        sessions.parse().context("SESSIONS")?,
        threads.parse().context("THREADS")?,
    )?;
    Server::builder()
        .add_service(bench_service::service(classifier))
        .serve(address)
        .await?;
    Ok(())
}
