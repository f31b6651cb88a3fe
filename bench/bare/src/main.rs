//! usage: bare ADDRESS
//!
//! Serves `Classify` with nothing between tonic and the network: no limit, deadline, queue that is looked at, gRPC-Web,
//! metric or trace.

mod compute;

use std::{env, net::SocketAddr};

use anyhow::Context;
use compute::Compute;
use tonic::transport::Server;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As the product's: with HTTP/2's defaults a photograph waits for leave to send its end.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = env::args().nth(1).context("usage: bare ADDRESS")?;
    let address: SocketAddr = address.parse().context("ADDRESS")?;
    Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .add_service(bench_service::service(Compute::start()?))
        .serve(address)
        .await?;
    Ok(())
}
