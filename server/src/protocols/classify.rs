use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::Stream;
use imageclassifier_model::{CLASSES, Weights};
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest, ClassifyImageResponse,
    ClassifyStreamResponse, GetModelRequest, GetModelResponse,
    image_classifier_server::ImageClassifier,
};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    engine::{Engine, workers::Question},
    guard::{body_limit::HeldBytes, deadline::Deadline, rate_limit::Allowance},
    observe::{error_reporter::Refusals, logging::log_answer},
    protocols::{
        batch::{self, Pictures},
        wire,
    },
    request::{error::Failure, head::Call},
};

/// How many predictions a caller gets who asks for no number.
const TOP_K_DEFAULT: usize = 5;

/// The RPC methods: unwrap, delegate, wrap. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Service {
    engine: Engine,
    refusals: Refusals,
    /// For a picture whose caller sets no deadline.
    timeout: Duration,
}

impl Service {
    pub(crate) fn new(engine: Engine, refusals: Refusals, timeout: Duration) -> Self {
        Self {
            engine,
            refusals,
            timeout,
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    pub(crate) async fn answer(
        &self,
        request: ClassifyImageRequest,
        call: &Call,
        deadline: Instant,
    ) -> Result<ClassifyImageResponse, Failure> {
        known_model(&request.model, self.engine.weights())?;
        let question = Question {
            top_k: top_k(request.top_k)?,
            explain: request.explain,
        };
        let image = request.image_data;
        let classified = self.engine.classify(image, question, deadline).await?;
        let id = call.id.as_str();
        log_answer(id, &classified);
        Ok(wire::answer(
            &classified,
            self.engine.weights(),
            self.engine.revision(),
            id,
        ))
    }

    fn model(&self, request: &GetModelRequest) -> Result<GetModelResponse, Failure> {
        known_model(&request.name, self.engine.weights())?;
        Ok(wire::model(
            self.engine.weights(),
            self.engine.revision(),
            self.engine.limits(),
        ))
    }

    pub(crate) fn respond<T>(
        &self,
        call: &Call,
        outcome: Result<T, Failure>,
    ) -> Result<Response<T>, Status> {
        outcome
            .map(Response::new)
            .map_err(|failure| self.refusals.status(call, &failure))
    }

    pub(crate) fn pictures<T>(&self, request: &Request<T>) -> Pictures {
        let extensions = request.extensions();
        Pictures {
            service: self.clone(),
            call: Call::of(extensions),
            deadline: Deadline::of(extensions).0,
            timeout: self.timeout,
            allowance: Allowance::of(extensions),
        }
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ImageClassifier for Service {
    type ClassifyBatchStream = Answers<ClassifyBatchResponse>;
    type ClassifyStreamStream = Answers<ClassifyStreamResponse>;

    async fn classify(
        &self,
        request: Request<ClassifyImageRequest>,
    ) -> Result<Response<ClassifyImageResponse>, Status> {
        let call = Call::of(request.extensions());
        let Deadline(deadline) = Deadline::of(request.extensions());
        let outcome = self.answer(request.into_inner(), &call, deadline).await;
        self.respond(&call, outcome)
    }

    async fn classify_batch(
        &self,
        request: Request<ClassifyBatchRequest>,
    ) -> Result<Response<Self::ClassifyBatchStream>, Status> {
        let pictures = self.pictures(&request);
        let call = pictures.call.clone();
        let requests = request.into_inner().requests;
        let outcome = batch_size(requests.len(), self.engine.limits().batch_images_max)
            .map(|()| Box::pin(batch::batch(pictures, requests)) as Answers<_>);
        self.respond(&call, outcome)
    }

    async fn classify_stream(
        &self,
        request: Request<Streaming<ClassifyImageRequest>>,
    ) -> Result<Response<Self::ClassifyStreamStream>, Status> {
        let pictures = self.pictures(&request);
        let held = request.extensions().get::<Arc<HeldBytes>>();
        let held = Arc::clone(held.expect("`body_limit::watch` lies around every handler"));
        let answers = batch::stream(pictures, held, request.into_inner());
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_model(
        &self,
        request: Request<GetModelRequest>,
    ) -> Result<Response<GetModelResponse>, Status> {
        let call = Call::of(request.extensions());
        self.respond(&call, self.model(request.get_ref()))
    }
}

fn known_model(name: &str, weights: &Weights) -> Result<(), Failure> {
    let known = weights.variant().name();
    if name.is_empty() || name == known {
        return Ok(());
    }
    Err(Failure::UnknownModel {
        model: name.to_owned(),
        available: known.to_owned(),
    })
}

fn top_k(top_k: u32) -> Result<usize, Failure> {
    match usize::try_from(top_k) {
        Ok(0) => Ok(TOP_K_DEFAULT),
        Ok(top_k) if top_k <= CLASSES => Ok(top_k),
        _ => Err(Failure::TopK {
            top_k,
            top_k_max: CLASSES,
        }),
    }
}

pub(crate) fn batch_size(images: usize, images_max: u32) -> Result<(), Failure> {
    if (1..=images_max as usize).contains(&images) {
        return Ok(());
    }
    Err(Failure::BatchSize { images, images_max })
}
