use std::{
    env, fs, process,
    sync::{Mutex, PoisonError},
};

use axum::body::Body;
use bytes::Bytes;
use clap::Parser;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use imageclassifier_model::{
    CLASSES, Classifier, Crop, CropSquare, Embedding, EncodedImage, Inference, Input, InvalidImage,
    Logits, NetworkError, ThreadTeam, Variant, Weights,
};
use imageclassifier_server::{Config, Engine, InProcess, Stages};
use tokio::runtime::{Builder, Runtime};

/// Stages without decoder and network. They accept every file whose first bytes match a format.
struct NoNetwork;

impl Stages for NoNetwork {
    fn prepare(
        &mut self,
        _: &EncodedImage<Bytes>,
        _: &Classifier,
    ) -> Result<(Input, Option<Crop>), InvalidImage> {
        let crop = Crop {
            square: CropSquare::centre_of(1, 1, 1.0),
            image_width: 1,
            image_height: 1,
        };
        let input = Input::from_values(1, vec![0.0; 3]).expect("a pixel");
        Ok((input, Some(crop)))
    }

    fn infer(
        &mut self,
        _: Input,
        _: &Classifier,
        _: &mut ThreadTeam,
        _: bool,
    ) -> Result<Inference, NetworkError> {
        Ok(Inference {
            logits: Logits::new(&[0.0; CLASSES]).expect("finite"),
            embedding: Embedding::new(vec![0.0; Variant::Lite0.channels()]),
            features: None,
        })
    }
}

/// The service without a neural network and without connections.
pub(crate) struct Service {
    /// In a mutex because `InProcess` is not `Sync`.
    service: Mutex<InProcess>,
    runtime: Runtime,
}

/// A complete response.
pub(crate) struct Response {
    pub(crate) http_status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Service {
    /// Starts the service with the server's `options`. If `token_lines` is not empty, it is the content of the token file.
    pub(crate) fn start(options: &[&str], token_lines: &str) -> Self {
        let mut config = Config::parse_from([&["imageclassifier-server"], options].concat());
        let token_file = env::temp_dir().join(format!("imageclassifier-fuzz-{}", process::id()));
        if !token_lines.is_empty() {
            fs::write(&token_file, token_lines).unwrap();
            config.token_file = Some(token_file.clone());
        }
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let service = runtime.block_on(async {
            let stages = Box::new(|_| Box::new(NoNetwork) as Box<dyn Stages>);
            let engine = Engine::with_stages(stages, Weights::lite0(), &config).unwrap();
            InProcess::start(engine, &config).await.unwrap()
        });
        if !token_lines.is_empty() {
            fs::remove_file(token_file).unwrap();
        }
        Self {
            service: Mutex::new(service),
            runtime,
        }
    }

    pub(crate) fn call(&self, request: Request<Body>) -> Response {
        let service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        let service = service.clone();
        self.runtime.block_on(async {
            let (head, body) = service.call(request).await.into_parts();
            let body = body.collect().await.expect("a response is never cut off");
            let trailers = body.trailers().cloned().unwrap_or_default();
            Response {
                http_status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
                trailers,
            }
        })
    }
}

impl Response {
    /// The status of a native gRPC response, from the trailers or, if it has no body, from the headers.
    pub(crate) fn grpc_status(&self) -> Option<u16> {
        const NAME: &str = "grpc-status";
        let status = self.trailers.get(NAME).or_else(|| self.headers.get(NAME))?;
        Some(status.to_str().unwrap().parse().unwrap())
    }
}
