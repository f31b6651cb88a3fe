//! usage: bare ADDRESS
//!
//! Serves `Classify` with nothing between tonic and the network: no limit, deadline, queue that is looked at, gRPC-Web,
//! metric or trace.

mod compute;

use std::{env, net::SocketAddr};

use anyhow::Context;
use compute::Compute;
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest, ClassifyImageResponse,
    ClassifyStreamResponse, GetModelRequest, GetModelResponse,
    image_classifier_server::{ImageClassifier, ImageClassifierServer},
};
use tonic::{Request, Response, Status, Streaming, codegen::BoxStream, transport::Server};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// As the product's: with HTTP/2's defaults a photograph waits for leave to send its end.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = env::args().nth(1).context("usage: bare ADDRESS")?;
    let address: SocketAddr = address.parse().context("ADDRESS")?;
    let service = ImageClassifierServer::new(Bare(Compute::start()?));
    Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .add_service(service.max_decoding_message_size(MESSAGE_BYTES_MAX))
        .serve(address)
        .await?;
    Ok(())
}

struct Bare(Compute);

#[tonic::async_trait]
impl ImageClassifier for Bare {
    async fn classify(
        &self,
        request: Request<ClassifyImageRequest>,
    ) -> Result<Response<ClassifyImageResponse>, Status> {
        let answer = self.0.classify(request.into_inner().image_data).await;
        let answer = answer.map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(answer))
    }

    type ClassifyBatchStream = BoxStream<ClassifyBatchResponse>;
    type ClassifyStreamStream = BoxStream<ClassifyStreamResponse>;

    async fn classify_batch(
        &self,
        _: Request<ClassifyBatchRequest>,
    ) -> Result<Response<Self::ClassifyBatchStream>, Status> {
        Err(not_compared())
    }

    async fn classify_stream(
        &self,
        _: Request<Streaming<ClassifyImageRequest>>,
    ) -> Result<Response<Self::ClassifyStreamStream>, Status> {
        Err(not_compared())
    }

    async fn get_model(
        &self,
        _: Request<GetModelRequest>,
    ) -> Result<Response<GetModelResponse>, Status> {
        Err(not_compared())
    }
}

fn not_compared() -> Status {
    Status::unimplemented("not compared")
}
