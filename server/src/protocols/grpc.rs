use std::pin::Pin;

use futures_util::Stream;
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest, ClassifyImageResponse,
    ClassifyStreamResponse, EmbedRequest, EmbedResponse, FeedbackRequest, FeedbackResponse,
    GetModelRequest, GetModelResponse, ListModelsRequest, ListModelsResponse, PublishModelRequest,
    PublishModelResponse, image_classifier_server::ImageClassifier,
};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    guard::{deadline::Deadline, memory_reservation::MemoryReservation, tokens::check_may_publish},
    protocols::{
        batch::{self, RequestContext},
        classify::{Service, batch_size},
        publish::{self, UploadError},
    },
    request::{error::RequestError, head::RequestHead},
};

/// The RPC methods: unwrap, delegate, wrap.
pub(crate) struct Grpc(Service);

impl Grpc {
    pub(crate) fn new(service: Service) -> Self {
        Self(service)
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ImageClassifier for Grpc {
    type ClassifyBatchStream = Answers<ClassifyBatchResponse>;
    type ClassifyStreamStream = Answers<ClassifyStreamResponse>;

    async fn classify(
        &self,
        request: Request<ClassifyImageRequest>,
    ) -> Result<Response<ClassifyImageResponse>, Status> {
        let head = RequestHead::from_extensions(request.extensions());
        let Deadline(deadline) = Deadline::from_extensions(request.extensions());
        let outcome = self.0.answer(request.into_inner(), &head, deadline).await;
        self.0.respond(&head, outcome)
    }

    async fn classify_batch(
        &self,
        request: Request<ClassifyBatchRequest>,
    ) -> Result<Response<Self::ClassifyBatchStream>, Status> {
        let context = RequestContext::new(&self.0, request.extensions());
        let head = context.head.clone();
        let requests = request.into_inner().requests;
        let outcome = batch_size(requests.len(), self.0.engine().limits().batch_images_max)
            .map(|()| Box::pin(batch::batch(context, requests)) as Answers<_>);
        self.0.respond(&head, outcome)
    }

    async fn classify_stream(
        &self,
        request: Request<Streaming<ClassifyImageRequest>>,
    ) -> Result<Response<Self::ClassifyStreamStream>, Status> {
        let context = RequestContext::new(&self.0, request.extensions());
        let reservation = MemoryReservation::from_extensions(request.extensions());
        let answers = batch::stream(context, reservation, request.into_inner());
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_model(
        &self,
        request: Request<GetModelRequest>,
    ) -> Result<Response<GetModelResponse>, Status> {
        let head = RequestHead::from_extensions(request.extensions());
        self.0.respond(&head, self.0.model(request.get_ref()))
    }

    async fn list_models(
        &self,
        _: Request<ListModelsRequest>,
    ) -> Result<Response<ListModelsResponse>, Status> {
        Ok(Response::new(self.0.models()))
    }

    async fn embed(
        &self,
        request: Request<EmbedRequest>,
    ) -> Result<Response<EmbedResponse>, Status> {
        let head = RequestHead::from_extensions(request.extensions());
        let Deadline(deadline) = Deadline::from_extensions(request.extensions());
        let outcome = self.0.embed(request.into_inner(), &head, deadline).await;
        self.0.respond(&head, outcome)
    }

    async fn publish_model(
        &self,
        request: Request<Streaming<PublishModelRequest>>,
    ) -> Result<Response<PublishModelResponse>, Status> {
        let head = RequestHead::from_extensions(request.extensions());
        // Before the upload, which would be useless.
        let mut allowed = self.0.engine().with_repository(|_| ()).await;
        allowed = allowed.and_then(|()| check_may_publish(request.extensions()));
        if let Err(error) = allowed {
            return self.0.respond(&head, Err(error));
        }
        let outcome = match publish::read(request.into_inner()).await {
            Ok(upload) => self.0.publish(upload, &head).await,
            Err(UploadError::Request(error)) => Err(error),
            Err(UploadError::Status(status)) if !status.details().is_empty() => return Err(status),
            Err(UploadError::Status(_)) => Err(RequestError::MessageMalformed),
        };
        self.0.respond(&head, outcome)
    }

    async fn feedback(
        &self,
        request: Request<FeedbackRequest>,
    ) -> Result<Response<FeedbackResponse>, Status> {
        let head = RequestHead::from_extensions(request.extensions());
        let Deadline(deadline) = Deadline::from_extensions(request.extensions());
        let outcome = self.0.feedback(request.into_inner(), &head, deadline).await;
        self.0.respond(&head, outcome)
    }
}
