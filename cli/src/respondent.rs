use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::LocalBoxStream};
use imageclassifier_client::{
    Answer, CallError, Classifier, ClassifyOptions, StreamOptions, patiently,
};

use crate::{
    args,
    connection::{classifier, ends_everything, refusal},
    local::Local,
};

/// Who classifies: a server, or this process. Ready to.
#[allow(clippy::large_enum_variant, reason = "there is one of them")]
pub(crate) enum Respondent {
    Server {
        classifier: Classifier,
        url: String,
        image_bytes_max: u64,
        stream_options: StreamOptions,
    },
    Local(Arc<Local>),
}

impl Respondent {
    /// Finds out whether pictures can be asked about at all, so that no picture gets an error that all of them would get.
    pub(crate) async fn ready(args: &args::Classify) -> Result<Self, String> {
        if args.local {
            let local = Local::load(args.weights.as_deref(), &args.model)?;
            return Ok(Self::Local(Arc::new(local)));
        }
        let connection = &args.connection;
        let classifier = classifier(connection).map_err(|error| error.to_string())?;
        let model = patiently(args.retries, || classifier.model(&args.model))
            .await
            .map_err(|error| refusal(&error, &connection.server))?;
        Ok(Self::Server {
            classifier,
            url: connection.server.clone(),
            image_bytes_max: model.limits.unwrap_or_default().image_bytes_max,
            stream_options: StreamOptions {
                retries: args.retries,
                ..StreamOptions::default()
            },
        })
    }

    /// Longest picture that is taken.
    pub(crate) fn image_bytes_max(&self) -> u64 {
        match self {
            Self::Server {
                image_bytes_max, ..
            } => *image_bytes_max,
            Self::Local(local) => local.image_bytes_max(),
        }
    }

    /// Answers come as they finish, with their pictures' keys.
    pub(crate) fn classify<'a, K: 'a>(
        &self,
        pictures: impl Stream<Item = (K, Bytes)> + 'a,
        options: ClassifyOptions,
    ) -> LocalBoxStream<'a, (K, Result<Answer, CallError>)> {
        match self {
            Self::Server {
                classifier,
                stream_options,
                ..
            } => classifier
                .classify_stream(pictures, options, *stream_options)
                .boxed_local(),
            Self::Local(local) => Arc::clone(local).classify(pictures, options).boxed_local(),
        }
    }

    /// As [`ends_everything`].
    pub(crate) fn ends_everything(&self, error: &CallError) -> Option<String> {
        match self {
            Self::Server { url, .. } => ends_everything(error, url),
            Self::Local(_) => None,
        }
    }
}
