use imageclassifier_model::{CLASSES, Weights};
use imageclassifier_proto::{
    ClassifyImageRequest, ClassifyImageResponse, GetModelRequest, GetModelResponse,
    image_classifier_server::ImageClassifier,
};
use tonic::{Request, Response, Status};

use crate::{
    engine::Engine,
    request_id::RequestId,
    status::Failure,
    telemetry::{log_answer, log_failure},
    wire,
};

/// How many predictions a caller gets who asks for no number.
const TOP_K_DEFAULT: usize = 5;

/// The RPC methods: unwrap, delegate, wrap.
pub(crate) struct Service {
    engine: Engine,
}

impl Service {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine }
    }

    async fn classify(
        &self,
        request: ClassifyImageRequest,
        request_id: &str,
    ) -> Result<ClassifyImageResponse, Failure> {
        known_model(&request.model, self.engine.weights())?;
        let top_k = top_k(request.top_k)?;
        if request.explain {
            return Err(Failure::Explain);
        }
        let classified = self.engine.classify(request.image_data, top_k).await?;
        log_answer(request_id, &classified);
        Ok(wire::answer(&classified, self.engine.weights(), request_id))
    }

    fn model(&self, request: &GetModelRequest) -> Result<GetModelResponse, Failure> {
        known_model(&request.name, self.engine.weights())?;
        Ok(wire::model(self.engine.weights(), self.engine.limits()))
    }
}

#[tonic::async_trait]
impl ImageClassifier for Service {
    async fn classify(
        &self,
        request: Request<ClassifyImageRequest>,
    ) -> Result<Response<ClassifyImageResponse>, Status> {
        let id = request_id(&request);
        let outcome = Self::classify(self, request.into_inner(), id.as_str()).await;
        respond(outcome, id.as_str())
    }

    async fn get_model(
        &self,
        request: Request<GetModelRequest>,
    ) -> Result<Response<GetModelResponse>, Status> {
        let id = request_id(&request);
        respond(self.model(request.get_ref()), id.as_str())
    }
}

fn request_id<T>(request: &Request<T>) -> RequestId {
    let id = request.extensions().get::<RequestId>();
    id.expect("a layer gives each request its id").clone()
}

/// The one place where a failure is logged and becomes a status.
fn respond<T>(outcome: Result<T, Failure>, request_id: &str) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(|failure| {
        log_failure(request_id, &failure);
        failure.status(request_id)
    })
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
