//! What the servers that are compared with the product have in common: its contract, of which they serve `Classify` alone.

use bytes::Bytes;
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest, ClassifyImageResponse,
    ClassifyStreamResponse, GetModelRequest, GetModelResponse,
    image_classifier_server::{ImageClassifier, ImageClassifierServer},
};
use tonic::{Request, Response, Status, Streaming, codegen::BoxStream};

const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Answers what an encoded image shows.
pub trait Classify: Send + Sync + 'static {
    fn classify(
        &self,
        image: Bytes,
    ) -> impl Future<Output = Result<ClassifyImageResponse, Status>> + Send;
}

/// The contract, answered by `classifier`.
pub fn service<C: Classify>(classifier: C) -> ImageClassifierServer<OnlyClassify<C>> {
    ImageClassifierServer::new(OnlyClassify(classifier))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// All other methods are unimplemented.
pub struct OnlyClassify<C>(C);

#[tonic::async_trait]
impl<C: Classify> ImageClassifier for OnlyClassify<C> {
    async fn classify(
        &self,
        request: Request<ClassifyImageRequest>,
    ) -> Result<Response<ClassifyImageResponse>, Status> {
        let answer = self.0.classify(request.into_inner().image_data).await?;
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
