use bytes::Bytes;
use imageclassifier_proto::PublishModelRequest;

use crate::{CallError, Classifier, ModelSummary};

/// Length of the parts in which files are sent.
const PART_BYTES: usize = 256 << 10;

impl Classifier {
    /// Uploads the files of a model folder, each with its name, as a new version of the model `name`. `version` 0 means the
    /// next one. The server tries the model, and serves it if it works. Of several servers, one gets the model.
    ///
    /// # Errors
    /// [`CallError`]; its reason is `MODEL_UNUSABLE` if the model does not work, and `NOT_ENABLED` if the server
    /// accepts none.
    pub async fn publish(
        &self,
        name: &str,
        version: u64,
        files: Vec<(String, Bytes)>,
    ) -> Result<ModelSummary, CallError> {
        let name = name.to_owned();
        let parts = files.into_iter().flat_map(parts);
        let messages = parts.map(move |(file, data)| PublishModelRequest {
            name: name.clone(),
            version,
            file,
            data,
        });
        let request = self.request_with_timeout(futures_util::stream::iter(messages));
        let published = self.rpc.clone().publish_model(request).await?;
        Ok(published.into_inner().model.unwrap_or_default())
    }
}

/// The parts of a file, each with the file's name. An empty file has one.
fn parts((file, mut data): (String, Bytes)) -> Vec<(String, Bytes)> {
    let mut parts = Vec::new();
    while data.len() > PART_BYTES {
        parts.push((file.clone(), data.split_to(PART_BYTES)));
    }
    parts.push((file, data));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_file() {
        for length in [0, 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES] {
            let data = Bytes::from_iter((0..=u8::MAX).cycle().take(length));
            let parts = parts(("config.json".to_owned(), data.clone()));
            assert_eq!(parts.len(), length.div_ceil(PART_BYTES).max(1));
            let together: Vec<_> = parts.iter().flat_map(|(_, part)| part.to_vec()).collect();
            assert_eq!(together, data);
        }
    }
}
