//! usage: rust-peer ADDRESS MODEL.onnx LABELS.txt SESSIONS THREADS
//!
//! ONNX Runtime in SESSIONS sessions of THREADS threads each; ORT_DYLIB_PATH names its library.

mod classifier;
mod picture;

use std::{env, fs, net::SocketAddr};

use anyhow::Context;
use classifier::Classifier;
use imageclassifier_proto::image_classifier_server::ImageClassifierServer;
use tonic::transport::Server;

const MESSAGE_BYTES_MAX: usize = 16 << 20;

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
    let service =
        ImageClassifierServer::new(classifier).max_decoding_message_size(MESSAGE_BYTES_MAX);
    Server::builder()
        .add_service(service)
        .serve(address)
        .await?;
    Ok(())
}
