//! The contract for the servers that the benchmarks compare with the product. They implement only `Classify`.

use bytes::Bytes;
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest, ClassifyImageResponse,
    ClassifyStreamResponse, EmbedRequest, EmbedResponse, FeedbackRequest, FeedbackResponse,
    GetModelRequest, GetModelResponse, ListModelsRequest, ListModelsResponse, PublishModelRequest,
    PublishModelResponse,
    image_classifier_server::{ImageClassifier, ImageClassifierServer},
};
use tonic::{Request, Response, Status, Streaming, codegen::BoxStream};

const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Classifies one encoded image.
pub trait Classify: Send + Sync + 'static {
    fn classify(
        &self,
        image: Bytes,
    ) -> impl Future<Output = Result<ClassifyImageResponse, Status>> + Send;
}

/// The gRPC service that calls `classifier`.
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
        let response = self.0.classify(request.into_inner().image_data).await?;
        Ok(Response::new(response))
    }

    type ClassifyBatchStream = BoxStream<ClassifyBatchResponse>;
    type ClassifyStreamStream = BoxStream<ClassifyStreamResponse>;

    async fn classify_batch(
        &self,
        _: Request<ClassifyBatchRequest>,
    ) -> Result<Response<Self::ClassifyBatchStream>, Status> {
        Err(only_classify())
    }

    async fn classify_stream(
        &self,
        _: Request<Streaming<ClassifyImageRequest>>,
    ) -> Result<Response<Self::ClassifyStreamStream>, Status> {
        Err(only_classify())
    }

    async fn get_model(
        &self,
        _: Request<GetModelRequest>,
    ) -> Result<Response<GetModelResponse>, Status> {
        Err(only_classify())
    }

    async fn list_models(
        &self,
        _: Request<ListModelsRequest>,
    ) -> Result<Response<ListModelsResponse>, Status> {
        Err(only_classify())
    }

    async fn embed(&self, _: Request<EmbedRequest>) -> Result<Response<EmbedResponse>, Status> {
        Err(only_classify())
    }

    async fn publish_model(
        &self,
        _: Request<Streaming<PublishModelRequest>>,
    ) -> Result<Response<PublishModelResponse>, Status> {
        Err(only_classify())
    }

    async fn feedback(
        &self,
        _: Request<FeedbackRequest>,
    ) -> Result<Response<FeedbackResponse>, Status> {
        Err(only_classify())
    }
}

fn only_classify() -> Status {
    Status::unimplemented("this server implements only Classify")
}
