use imageclassifier_model::{CLASSES, Weights};
use imageclassifier_proto::{
    ClassifyImageRequest, ClassifyImageResponse, GetModelRequest, GetModelResponse,
    image_classifier_server::ImageClassifier,
};
use tonic::{Request, Response, Status};

use crate::{
    call::Call, deadline::Deadline, engine::Engine, refusal::Refusals, status::Failure,
    telemetry::log_answer, wire,
};

/// How many predictions a caller gets who asks for no number.
const TOP_K_DEFAULT: usize = 5;

/// The RPC methods: unwrap, delegate, wrap.
pub(crate) struct Service {
    engine: Engine,
    refusals: Refusals,
}

impl Service {
    pub(crate) fn new(engine: Engine, refusals: Refusals) -> Self {
        Self { engine, refusals }
    }

    async fn classify(
        &self,
        request: ClassifyImageRequest,
        call: &Call,
        Deadline(deadline): Deadline,
    ) -> Result<ClassifyImageResponse, Failure> {
        known_model(&request.model, self.engine.weights())?;
        let top_k = top_k(request.top_k)?;
        if request.explain {
            return Err(Failure::Explain);
        }
        let image = request.image_data;
        let classified = self.engine.classify(image, top_k, deadline).await?;
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

    fn respond<T>(&self, call: &Call, outcome: Result<T, Failure>) -> Result<Response<T>, Status> {
        outcome
            .map(Response::new)
            .map_err(|failure| self.refusals.status(call, &failure))
    }
}

#[tonic::async_trait]
impl ImageClassifier for Service {
    async fn classify(
        &self,
        request: Request<ClassifyImageRequest>,
    ) -> Result<Response<ClassifyImageResponse>, Status> {
        let call = Call::of(request.extensions());
        let deadline = Deadline::of(request.extensions());
        let outcome = Self::classify(self, request.into_inner(), &call, deadline).await;
        self.respond(&call, outcome)
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
        available: known,
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
