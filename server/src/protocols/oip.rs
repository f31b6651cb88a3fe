//! The Open Inference Protocol, version 2: the same engine, limits and errors, with the messages of other inference
//! servers' clients.

mod element_count;
mod inputs;
pub(crate) mod message;
mod models;
mod outputs;
mod repository;
pub(crate) mod rest;
mod tensor;

use futures_util::{StreamExt, TryStreamExt, stream};
use imageclassifier_proto::inference as proto;
use proto::{
    ModelConfigRequest, ModelConfigResponse, ModelInferRequest, ModelInferResponse,
    ModelMetadataRequest, ModelMetadataResponse, ModelReadyRequest, ModelReadyResponse,
    RepositoryIndexRequest, RepositoryIndexResponse, RepositoryModelLoadRequest,
    RepositoryModelLoadResponse, RepositoryModelUnloadRequest, RepositoryModelUnloadResponse,
    ServerLiveRequest, ServerLiveResponse, ServerMetadataRequest, ServerMetadataResponse,
    ServerReadyRequest, ServerReadyResponse, grpc_inference_service_server::GrpcInferenceService,
};
use tonic::{Request, Response, Status};

use crate::{
    engine::{
        Engine,
        job::{Classification, ClassifyOptions},
    },
    guard::tokens::check_may_publish,
    protocols::{
        batch::RequestContext,
        classify::{Service, id_length},
    },
    request::{error::RequestError, head::RequestHead},
};
use inputs::InputImage;
use models::Model;
use outputs::{OutputTensor, RequestedOutput};
use tensor::Form;

const SERVER_NAME: &str = "imageclassifier";
const SERVER_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The methods of the protocol, with the classifier behind them.
pub(crate) struct OipService(Service);

impl OipService {
    pub(crate) fn new(service: Service) -> Self {
        Self(service)
    }

    fn engine(&self) -> &Engine {
        self.0.engine()
    }

    async fn infer(
        &self,
        request: ModelInferRequest,
        context: RequestContext,
    ) -> Result<ModelInferResponse, RequestError> {
        let inferred = infer(self.engine(), request, &context).await?;
        let mut response = ModelInferResponse {
            model_name: inferred.model.name(),
            model_version: inferred.model.version.clone(),
            id: inferred.id.clone(),
            ..Default::default()
        };
        for tensor in inferred.outputs() {
            tensor.write(&mut response, inferred.form);
        }
        Ok(response)
    }
}

/// What a request asked for, and its images, classified.
struct Inferred {
    model: Model,
    id: String,
    /// Of the request's tensors.
    form: Form,
    requested: Vec<RequestedOutput>,
    images: Vec<Classification>,
}

impl Inferred {
    fn outputs(&self) -> impl Iterator<Item = OutputTensor> {
        let requested = self.requested.iter();
        requested.map(|output| output.tensor(&self.images))
    }
}

async fn infer(
    engine: &Engine,
    mut request: ModelInferRequest,
    context: &RequestContext,
) -> Result<Inferred, RequestError> {
    let model = Model::find(engine, &request.model_name, &request.model_version)?;
    id_length(&request.id)?;
    let requested = outputs::parse_requested(&request.outputs, model.outputs(), model.classes())?;
    let (images, form) = inputs::images(&mut request, &model, engine)?;
    // Before any work, which would be wasted.
    for _ in &images {
        context.allowance.take()?;
    }
    let images = classify(engine, &model, images, context).await?;
    Ok(Inferred {
        model,
        id: request.id,
        form,
        requested,
        images,
    })
}

fn is_model_ready(engine: &Engine, name: &str, version: &str) -> bool {
    Model::find(engine, name, version).is_ok() && engine.readiness().is_ready()
}

/// Classifies all images, or returns the error of the first that fails.
async fn classify(
    engine: &Engine,
    model: &Model,
    images: Vec<InputImage>,
    context: &RequestContext,
) -> Result<Vec<Classification>, RequestError> {
    let options = || ClassifyOptions {
        classifier: model.classifier.clone(),
        top_k: model.classes(),
        explain: false,
    };
    let classification = stream::iter(images).map(|image| async {
        let options = options();
        let classification = match image {
            InputImage::Encoded(image) => engine.classify(image, options, context.deadline).await,
            InputImage::Prepared(tensor) => {
                engine
                    .classify_tensor(tensor, options, context.deadline)
                    .await
            }
        }?;
        classification.log(&context.head);
        Ok(classification)
    });
    classification
        .buffered(context.at_once())
        .try_collect()
        .await
}

#[tonic::async_trait]
impl GrpcInferenceService for OipService {
    async fn server_live(
        &self,
        _: Request<ServerLiveRequest>,
    ) -> Result<Response<ServerLiveResponse>, Status> {
        Ok(Response::new(ServerLiveResponse { live: true }))
    }

    async fn server_ready(
        &self,
        _: Request<ServerReadyRequest>,
    ) -> Result<Response<ServerReadyResponse>, Status> {
        let ready = self.engine().readiness().is_ready();
        Ok(Response::new(ServerReadyResponse { ready }))
    }

    async fn model_ready(
        &self,
        request: Request<ModelReadyRequest>,
    ) -> Result<Response<ModelReadyResponse>, Status> {
        let ModelReadyRequest { name, version } = request.get_ref();
        let ready = is_model_ready(self.engine(), name, version);
        Ok(Response::new(ModelReadyResponse { ready }))
    }

    async fn server_metadata(
        &self,
        _: Request<ServerMetadataRequest>,
    ) -> Result<Response<ServerMetadataResponse>, Status> {
        const EXTENSIONS: [&str; 3] = ["classification", "model_configuration", "model_repository"];
        Ok(Response::new(ServerMetadataResponse {
            name: SERVER_NAME.to_owned(),
            version: SERVER_VERSION.to_owned(),
            extensions: EXTENSIONS.map(str::to_owned).to_vec(),
        }))
    }

    async fn model_metadata(
        &self,
        request: Request<ModelMetadataRequest>,
    ) -> Result<Response<ModelMetadataResponse>, Status> {
        let head = RequestHead::from_extensions(request.extensions());
        let ModelMetadataRequest { name, version } = request.get_ref();
        let model = Model::find(self.engine(), name, version);
        let metadata = model.map(|model| model.metadata(self.engine()));
        self.0.respond(&head, metadata)
    }

    async fn model_config(
        &self,
        request: Request<ModelConfigRequest>,
    ) -> Result<Response<ModelConfigResponse>, Status> {
        let head = RequestHead::from_extensions(request.extensions());
        let ModelConfigRequest { name, version } = request.get_ref();
        let model = Model::find(self.engine(), name, version);
        let config = model.map(|model| ModelConfigResponse {
            config: Some(model.config(self.engine())),
        });
        self.0.respond(&head, config)
    }

    async fn repository_index(
        &self,
        request: Request<RepositoryIndexRequest>,
    ) -> Result<Response<RepositoryIndexResponse>, Status> {
        let index = repository::index(self.engine(), request.get_ref().ready);
        Ok(Response::new(index))
    }

    async fn repository_model_load(
        &self,
        request: Request<RepositoryModelLoadRequest>,
    ) -> Result<Response<RepositoryModelLoadResponse>, Status> {
        let head = RequestHead::from_extensions(request.extensions());
        let allowed = check_may_publish(request.extensions());
        let loaded = match allowed {
            Ok(()) => repository::load(self.engine(), request.into_inner()).await,
            Err(error) => Err(error),
        };
        let answer = loaded.map(|()| RepositoryModelLoadResponse {});
        self.0.respond(&head, answer)
    }

    async fn repository_model_unload(
        &self,
        request: Request<RepositoryModelUnloadRequest>,
    ) -> Result<Response<RepositoryModelUnloadResponse>, Status> {
        let head = RequestHead::from_extensions(request.extensions());
        let allowed = check_may_publish(request.extensions());
        let unloaded = match allowed {
            Ok(()) => repository::unload(self.engine(), request.into_inner()).await,
            Err(error) => Err(error),
        };
        let answer = unloaded.map(|()| RepositoryModelUnloadResponse {});
        self.0.respond(&head, answer)
    }

    async fn model_infer(
        &self,
        request: Request<ModelInferRequest>,
    ) -> Result<Response<ModelInferResponse>, Status> {
        let context = RequestContext::new(&self.0, request.extensions());
        let head = context.head.clone();
        let outcome = self.infer(message::take(request), context).await;
        self.0.respond(&head, outcome)
    }
}
