//! Models that clients upload, as a stream of parts of files.

use bytes::Bytes;
use futures_util::StreamExt;
use imageclassifier_proto::PublishModelRequest;
use tonic::{Status, Streaming};

use crate::{
    engine::repository::publish::{FILES, Upload},
    request::error::{RequestError, excerpt},
};

/// Why an upload ended early.
pub(crate) enum UploadError {
    /// From a layer that has reported it, or from the codec.
    Status(Status),
    Request(RequestError),
}

/// Shorter parts would cost more memory for their bookkeeping than for their bytes.
const PARTS_MAX: usize = 100_000;

/// Reads all parts. Their bytes count as those of other messages.
pub(crate) async fn read(
    mut messages: Streaming<PublishModelRequest>,
) -> Result<Upload, UploadError> {
    let mut upload = Upload::default();
    let mut parts = 0;
    while let Some(message) = messages.next().await {
        let message = message.map_err(UploadError::Status)?;
        if parts == 0 {
            upload.name.clone_from(&message.name);
            upload.version = message.version;
        }
        parts += 1;
        if parts > PARTS_MAX {
            let problem = format!("it comes in over {PARTS_MAX} parts: send longer ones");
            return Err(unusable(&upload.name, problem));
        }
        if !message.name.is_empty() && message.name != upload.name {
            let problem = "a later message names another model: publish one at a time".to_owned();
            return Err(unusable(&upload.name, problem));
        }
        add(&mut upload, &message.file, message.data)?;
    }
    Ok(upload)
}

fn add(upload: &mut Upload, file: &str, data: Bytes) -> Result<(), UploadError> {
    let known = FILES.into_iter().find(|(name, _)| *name == file);
    let Some((name, bytes_max)) = known else {
        let names = FILES.map(|(name, _)| name).join(", ");
        let problem = format!("it has a file {:?}: send only {names}", excerpt(file));
        return Err(unusable(&upload.name, problem));
    };
    let file = upload.files.entry(name).or_default();
    file.bytes += data.len();
    file.parts.push(data);
    if file.bytes > bytes_max {
        let problem = format!("{name} is larger than {bytes_max} bytes");
        return Err(unusable(&upload.name, problem));
    }
    Ok(())
}

fn unusable(model: &str, problem: String) -> UploadError {
    UploadError::Request(RequestError::ModelUnusable {
        model: model.to_owned(),
        problem,
    })
}
