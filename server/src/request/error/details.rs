//! The status as it is sent: message, headers and google.rpc details.

use std::collections::HashMap;

use imageclassifier_model::InvalidImage;
use imageclassifier_proto::ERROR_DOMAIN;
use prost::Message;
use prost_types::Any;
use tonic::{Code, Status, metadata::MetadataValue};
use tonic_types::{BadRequest, ErrorDetails, ErrorInfo, RetryInfo, pb};

use super::{RequestError, excerpt};
use crate::request::encoding;

/// Header: milliseconds after which a gRPC client may retry by itself.
const RETRY_PUSHBACK: &str = "grpc-retry-pushback-ms";
/// Header: how messages may be compressed. The specification requires it when a message that is compressed in another way
/// is rejected.
pub(crate) const ACCEPT_ENCODING: &str = "grpc-accept-encoding";

impl RequestError {
    /// The status that the client sees, with google.rpc details.
    pub(crate) fn status(&self, request_id: &str) -> Status {
        let rpc = self.rpc_status(request_id);
        let details = rpc.encode_to_vec().into();
        let mut status = Status::with_details(self.code(), rpc.message, details);
        if let Some(delay) = self.retry_delay() {
            let delay_ms = MetadataValue::from(delay.as_millis().try_into().unwrap_or(u64::MAX));
            status.metadata_mut().insert(RETRY_PUSHBACK, delay_ms);
        }
        if matches!(self, Self::MessageCompressed) {
            let accepted = MetadataValue::from_static(encoding::ACCEPTED);
            status.metadata_mut().insert(ACCEPT_ENCODING, accepted);
        }
        status
    }

    /// The same status as a message, for one image of several.
    pub(crate) fn rpc_status(&self, request_id: &str) -> pb::Status {
        let details = self.details(request_id);
        let retry = details.retry_info().cloned();
        let info = details.error_info().cloned();
        let request = details.bad_request().cloned();
        let details = [
            retry.map(|retry| any(RetryInfo::TYPE_URL, &pb::RetryInfo::from(retry))),
            info.map(|info| any(ErrorInfo::TYPE_URL, &pb::ErrorInfo::from(info))),
            request.map(|request| any(BadRequest::TYPE_URL, &pb::BadRequest::from(request))),
        ];
        pb::Status {
            code: self.code().into(),
            message: self.to_string(),
            details: details.into_iter().flatten().collect(),
        }
    }

    /// The machine-readable part of the error.
    pub(crate) fn details(&self, request_id: &str) -> ErrorDetails {
        let (field, metadata) = self.field_and_metadata();
        let metadata = metadata.into_iter();
        let mut metadata: HashMap<_, _> = metadata
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        if self.code() == Code::Internal {
            metadata.insert("request_id".to_owned(), request_id.to_owned());
        }
        let mut details = ErrorDetails::new();
        details.set_error_info(self.reason().as_str_name(), ERROR_DOMAIN, metadata);
        if let Some(field) = field {
            details.add_bad_request_violation(field, self.to_string());
        }
        if let Some(delay) = self.retry_delay() {
            details.set_retry_info(Some(delay));
        }
        details
    }

    /// The field of the request that is at fault, and the metadata that the contract promises for the reason.
    fn field_and_metadata(&self) -> (Option<&'static str>, Vec<(&'static str, String)>) {
        match self {
            Self::InvalidImage(error) => (Some("image_data"), image_metadata(error)),
            Self::MessageTooLarge { bytes_max } => (
                Some("image_data"),
                vec![("bytes_max", bytes_max.to_string())],
            ),
            Self::NotSentAsImage { .. } => (Some("image_data"), vec![accepted()]),
            Self::TopK { top_k, top_k_max } => (
                Some("top_k"),
                vec![
                    ("top_k", top_k.to_string()),
                    ("top_k_max", top_k_max.to_string()),
                ],
            ),
            Self::UnknownModel { model, available } => (
                Some("model"),
                vec![
                    ("model", excerpt(model).to_owned()),
                    ("available", available.clone()),
                ],
            ),
            Self::ExplainUnsupported { model } => {
                (None, vec![("model", excerpt(model).to_owned())])
            }
            Self::ModelUnusable { model, .. } => (None, vec![("model", excerpt(model).to_owned())]),
            Self::LabelMalformed { .. } => (Some("label"), vec![]),
            Self::BatchSize { images, images_max } => (
                Some("requests"),
                vec![
                    ("images", images.counted().to_string()),
                    ("images_exact", images.is_exact().to_string()),
                    ("images_max", images_max.to_string()),
                ],
            ),
            Self::IdTooLong { bytes, bytes_max } => (
                Some("id"),
                vec![
                    ("bytes", bytes.to_string()),
                    ("bytes_max", bytes_max.to_string()),
                ],
            ),
            Self::TensorMalformed { field, .. } => (Some(field), vec![]),
            Self::ParameterMalformed { name, .. } => (Some(name), vec![]),
            Self::MessageMalformed
            | Self::JsonMalformed { .. }
            | Self::MetadataTooLarge { .. }
            | Self::MessageCompressed
            | Self::UnknownMethod { .. }
            | Self::ParameterUnknown { .. }
            | Self::FormMalformed
            | Self::Overloaded { .. }
            | Self::TooManyWatches { .. }
            | Self::RateLimited { .. }
            | Self::Unauthenticated
            | Self::PermissionDenied
            | Self::NotEnabled { .. }
            | Self::FeedbackFull
            | Self::NotReady
            | Self::DeadlineExceeded
            | Self::ClientLeft
            | Self::UploadTooSlow { .. }
            | Self::StreamIdle { .. }
            | Self::StreamTooOld { .. }
            | Self::TimeoutMalformed { .. }
            | Self::Internal(_) => (None, vec![]),
        }
    }
}

fn image_metadata(error: &InvalidImage) -> Vec<(&'static str, String)> {
    match *error {
        InvalidImage::TooLarge { bytes, bytes_max } => vec![
            ("bytes", bytes.to_string()),
            ("bytes_max", bytes_max.to_string()),
        ],
        InvalidImage::Dimensions {
            width,
            height,
            pixels_max,
        } => vec![
            ("width", width.to_string()),
            ("height", height.to_string()),
            ("pixels_max", pixels_max.to_string()),
        ],
        InvalidImage::UnknownFormat => vec![accepted()],
        InvalidImage::ForeignFormat(ref format) => {
            vec![accepted(), ("format", format.name.to_owned())]
        }
        InvalidImage::Truncated { rows_present, rows } => vec![
            ("rows_present", rows_present.to_string()),
            ("rows", rows.to_string()),
        ],
        InvalidImage::Empty | InvalidImage::Undecodable(_) | InvalidImage::Jpeg(_) => vec![],
    }
}

fn any(type_url: &str, message: &impl Message) -> Any {
    Any {
        type_url: type_url.to_owned(),
        value: message.encode_to_vec(),
    }
}

fn accepted() -> (&'static str, String) {
    ("accepted", imageclassifier_model::MEDIA_TYPES.join(" "))
}
