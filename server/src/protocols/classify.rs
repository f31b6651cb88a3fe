use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use imageclassifier_model::Classifier;
use imageclassifier_proto::{
    ClassifyImageRequest, ClassifyImageResponse, EmbedRequest, EmbedResponse, FeedbackRequest,
    FeedbackResponse, GetModelRequest, GetModelResponse, ListModelsResponse, PublishModelResponse,
};
use tonic::{Response, Status};

use crate::{
    engine::{
        Engine,
        feedback::Label,
        job::ClassifyOptions,
        repository::publish::{PublishError, Upload},
    },
    observe::error_reporter::ErrorReporter,
    protocols::wire,
    request::{
        error::{ImageCount, InternalError, RequestError},
        head::RequestHead,
    },
};

/// Number of predictions if the client does not set one.
const TOP_K_DEFAULT: usize = 5;
/// What the contract allows for every model, however few classes it has.
const TOP_K_MAX: usize = 1000;
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
        let classifier = self.engine.models().find(&request.model)?;
        let options = ClassifyOptions {
            top_k: top_k(request.top_k, &classifier)?,
            explain: explain(request.explain, &classifier)?,
            classifier,
        };
        let image = request.image_data;
        let classification = self.engine.classify(image, options, deadline).await?;
        let id = head.id.as_str();
        classification.log(head);
        Ok(wire::answer(&classification, id, request.embed))
    }

    /// The features of one image. The network computes them on its way to its own classes, so these cost nothing.
    pub(crate) async fn embed(
        &self,
        request: EmbedRequest,
        head: &RequestHead,
        deadline: Instant,
    ) -> Result<EmbedResponse, RequestError> {
        let model = self.engine.models().find(&request.model)?;
        if model
            .network()
            .is_some_and(|network| !network.is_explainable())
        {
            return Err(RequestError::ExplainUnsupported {
                model: model.name().to_owned(),
            });
        }
        let network = match model.network() {
            Some(_) => &model,
            None => self.engine.built_in(),
        };
        let options = ClassifyOptions {
            classifier: network.clone(),
            top_k: 1,
            explain: false,
        };
        let image = request.image_data;
        let classification = self.engine.classify(image, options, deadline).await?;
        let id = head.id.as_str();
        classification.log(head);
        Ok(wire::embedding(&classification, network, id))
    }

    pub(crate) async fn feedback(
        &self,
        request: FeedbackRequest,
        head: &RequestHead,
        deadline: Instant,
    ) -> Result<FeedbackResponse, RequestError> {
        let label = Label::new(&request.label)?;
        let image = request.image_data;
        self.engine.keep(image, label, deadline).await?;
        Ok(FeedbackResponse {
            request_id: head.id.as_str().to_owned(),
        })
    }

    /// Serves an uploaded model.
    pub(crate) async fn publish(
        &self,
        upload: Upload,
        head: &RequestHead,
    ) -> Result<PublishModelResponse, RequestError> {
        let name = upload.name.clone();
        let published = self.engine.with_repository(move |it| it.publish(&upload));
        let version = published.await?.map_err(|error| match error {
            PublishError::Unusable(problem) => RequestError::ModelUnusable {
                model: name.clone(),
                problem,
            },
            PublishError::Storage(error) => {
                RequestError::Internal(InternalError::Storage(Arc::new(error)))
            }
        })?;
        let listed = self.models().models.into_iter();
        let mut versions = listed.filter(|model| model.name == name);
        Ok(PublishModelResponse {
            model: versions.find(|model| model.version == version),
            request_id: head.id.as_str().to_owned(),
        })
    }

    pub(crate) fn models(&self) -> ListModelsResponse {
        wire::models(&self.engine)
    }

    pub(crate) fn model(
        &self,
        request: &GetModelRequest,
    ) -> Result<GetModelResponse, RequestError> {
        let classifier = self.engine.models().find(&request.name)?;
        Ok(wire::model(&classifier, &self.engine))
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

/// Models with fewer classes than were asked for return all that they have, so that one number suits every model.
fn top_k(top_k: u32, classifier: &Classifier) -> Result<usize, RequestError> {
    let classes = classifier.labels().len();
    match usize::try_from(top_k) {
        Ok(0) => Ok(TOP_K_DEFAULT.min(classes)),
        Ok(top_k) if top_k <= classes.max(TOP_K_MAX) => Ok(top_k.min(classes)),
        _ => Err(RequestError::TopK {
            top_k,
            top_k_max: classes.max(TOP_K_MAX),
        }),
    }
}

/// # Errors
/// [`RequestError::ExplainUnsupported`].
pub(crate) fn explain(explain: bool, classifier: &Classifier) -> Result<bool, RequestError> {
    if explain && !classifier.is_explainable() {
        return Err(RequestError::ExplainUnsupported {
            model: classifier.name().to_owned(),
        });
    }
    Ok(explain)
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
