use std::pin::Pin;

use futures_util::Stream;
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest, ClassifyImageResponse,
    ClassifyStreamResponse, GetModelRequest, GetModelResponse,
    image_classifier_server::ImageClassifier,
};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    guard::{deadline::Deadline, memory_reservation::MemoryReservation},
    protocols::{
        batch::{self, RequestContext},
        classify::{Service, batch_size},
    },
    request::head::RequestHead,
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
        let context = RequestContext::new(&self.0, &request);
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
        let context = RequestContext::new(&self.0, &request);
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
}
