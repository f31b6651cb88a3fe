use std::time::{Duration, Instant};

use imageclassifier_model::{CLASSES, Weights};
use imageclassifier_proto::{
    ClassifyImageRequest, ClassifyImageResponse, GetModelRequest, GetModelResponse,
};
use tonic::{Response, Status};

use crate::{
    engine::{Engine, job::ClassifyOptions},
    observe::error_reporter::ErrorReporter,
    protocols::wire,
    request::{
        error::{ImageCount, RequestError},
        head::RequestHead,
    },
};

/// Number of predictions if the client does not set one.
const TOP_K_DEFAULT: usize = 5;
const ID_BYTES_MAX: usize = 256;

/// What every protocol does with a request to classify one image. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Service {
    engine: Engine,
    reporter: ErrorReporter,
    /// For an image whose caller sets no deadline.
    timeout: Duration,
}

impl Service {
    pub(crate) fn new(engine: Engine, reporter: ErrorReporter, timeout: Duration) -> Self {
        Self {
            engine,
            reporter,
            timeout,
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn reporter(&self) -> &ErrorReporter {
        &self.reporter
    }

    /// For an image whose caller sets no deadline.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) async fn answer(
        &self,
        request: ClassifyImageRequest,
        head: &RequestHead,
        deadline: Instant,
    ) -> Result<ClassifyImageResponse, RequestError> {
        known_model(&request.model, self.engine.weights())?;
        let options = ClassifyOptions {
            top_k: top_k(request.top_k)?,
            explain: request.explain,
        };
        let image = request.image_data;
        let classification = self.engine.classify(image, options, deadline).await?;
        let id = head.id.as_str();
        classification.log(id);
        Ok(wire::answer(
            &classification,
            self.engine.weights(),
            self.engine.revision(),
            id,
        ))
    }

    pub(crate) fn model(
        &self,
        request: &GetModelRequest,
    ) -> Result<GetModelResponse, RequestError> {
        known_model(&request.name, self.engine.weights())?;
        Ok(wire::model(
            self.engine.weights(),
            self.engine.revision(),
            self.engine.limits(),
        ))
    }

    pub(crate) fn respond<T>(
        &self,
        head: &RequestHead,
        outcome: Result<T, RequestError>,
    ) -> Result<Response<T>, Status> {
        outcome
            .map(Response::new)
            .map_err(|error| self.reporter.status(head, &error))
    }
}

fn known_model(name: &str, weights: &Weights) -> Result<(), RequestError> {
    let known = weights.variant().name();
    if name.is_empty() || name == known {
        return Ok(());
    }
    Err(RequestError::UnknownModel {
        model: name.to_owned(),
        available: known.to_owned(),
    })
}

fn top_k(top_k: u32) -> Result<usize, RequestError> {
    match usize::try_from(top_k) {
        Ok(0) => Ok(TOP_K_DEFAULT),
        Ok(top_k) if top_k <= CLASSES => Ok(top_k),
        _ => Err(RequestError::TopK {
            top_k,
            top_k_max: CLASSES,
        }),
    }
}

pub(crate) fn batch_size(images: usize, images_max: u32) -> Result<(), RequestError> {
    if (1..=images_max as usize).contains(&images) {
        return Ok(());
    }
    Err(RequestError::BatchSize {
        images: ImageCount::Exactly(images),
        images_max,
    })
}

/// # Errors
/// [`RequestError::IdTooLong`].
pub(crate) fn id_length(id: &str) -> Result<(), RequestError> {
    if id.len() <= ID_BYTES_MAX {
        return Ok(());
    }
    Err(RequestError::IdTooLong {
        bytes: id.len(),
        bytes_max: ID_BYTES_MAX,
    })
}
