//! usage: bare ADDRESS
//!
//! Serves `Classify` with nothing between tonic and the network: no limits, deadlines, queue estimates, gRPC-Web, metrics or
//! traces.

mod compute;

use std::{env, net::SocketAddr};

use anyhow::Context;
use compute::Compute;
use tonic::transport::Server;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The product's value. With HTTP/2's default the end of a photograph waits for a window update.
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
