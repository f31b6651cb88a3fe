use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::LocalBoxStream};
use imageclassifier_client::{
    Answer, CallError, Classifier, ClassifyOptions, StreamOptions, with_retries,
};

use crate::{
    args,
    connection::{classifier, fatal_message, first_error_message, image_bytes_max},
    local::Local,
};

/// What classifies the images: a server, or this process.
#[allow(clippy::large_enum_variant, reason = "there is one of them")]
pub(crate) enum Backend {
    Server {
        classifier: Classifier,
        url: String,
        image_bytes_max: u64,
        stream_options: StreamOptions,
    },
    Local(Arc<Local>),
}

impl Backend {
    /// Connects to the server or loads the model, so that an error which all images would get is reported once.
    pub(crate) async fn connect(args: &args::Classify) -> Result<Self, String> {
        if args.local {
            let local = Local::load(args.weights.as_deref(), &args.model)?;
            return Ok(Self::Local(Arc::new(local)));
        }
        let connection = &args.connection;
        let classifier = classifier(connection).map_err(|error| error.to_string())?;
        let limit = || image_bytes_max(&classifier, &args.model);
        let image_bytes_max = with_retries(args.retries, limit)
            .await
            .map_err(|error| first_error_message(&error, &connection.servers()))?;
        Ok(Self::Server {
            classifier,
            url: connection.servers(),
            image_bytes_max,
            stream_options: StreamOptions {
                retries: args.retries,
                ..StreamOptions::default()
            },
        })
    }

    /// Length of the largest file that is accepted.
    pub(crate) fn image_bytes_max(&self) -> u64 {
        match self {
            Self::Server {
                image_bytes_max, ..
            } => *image_bytes_max,
            Self::Local(local) => local.image_bytes_max(),
        }
    }

    /// The results as they finish, with the keys of their images.
    pub(crate) fn classify<'a, K: 'a>(
        &self,
        images: impl Stream<Item = (K, Bytes)> + 'a,
        options: ClassifyOptions,
    ) -> LocalBoxStream<'a, (K, Result<Answer, CallError>)> {
        match self {
            Self::Server {
                classifier,
                stream_options,
                ..
            } => classifier
                .classify_stream(images, options, *stream_options)
                .boxed_local(),
            Self::Local(local) => Arc::clone(local).classify(images, options).boxed_local(),
        }
    }

    /// As [`fatal_message`].
    pub(crate) fn fatal_message(&self, error: &CallError) -> Option<String> {
        match self {
            Self::Server { url, .. } => fatal_message(error, url),
            Self::Local(_) => None,
        }
    }
}
