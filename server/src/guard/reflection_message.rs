//! Checks the messages of a reflection stream. The reflection service takes a message that it cannot read for the end of the
//! stream, and reports a success.

use prost::Message;
use tonic_reflection::pb::v1::ServerReflectionRequest;

use crate::request::error::RequestError;

/// Longest message of the reflection service, and of the health service.
pub(crate) const SMALL_MESSAGE_BYTES_MAX: usize = 64 << 10;

/// The message that is arriving.
#[derive(Default)]
pub(super) struct ReflectionMessage {
    content: Vec<u8>,
}

impl ReflectionMessage {
    /// Begins a message of `length` bytes.
    ///
    /// # Errors
    /// [`RequestError::MessageCompressed`], or [`RequestError::MessageMalformed`] if it cannot be a reflection request.
    pub(super) fn begin(&mut self, flag: u8, length: usize) -> Result<(), RequestError> {
        match flag {
            0 if length <= SMALL_MESSAGE_BYTES_MAX => Ok(()),
            1 => Err(RequestError::MessageCompressed),
            _ => Err(RequestError::MessageMalformed),
        }
    }

    /// Adds bytes to the message, of which `missing_bytes` are still to come.
    ///
    /// # Errors
    /// [`RequestError::MessageMalformed`] if it is complete and no reflection request. v1 and v1alpha use the same
    /// message.
    pub(super) fn receive(
        &mut self,
        part: &[u8],
        missing_bytes: usize,
    ) -> Result<(), RequestError> {
        self.content.extend(part);
        if missing_bytes > 0 {
            return Ok(());
        }
        let decoded = ServerReflectionRequest::decode(&*self.content);
        self.content.clear();
        decoded
            .map(drop)
            .map_err(|_| RequestError::MessageMalformed)
    }
}

#[cfg(test)]
mod tests {
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

    use super::*;

    #[test]
    fn messages_are_read_once_they_are_whole() {
        let request = ServerReflectionRequest {
            host: "localhost".to_owned(),
            message_request: Some(MessageRequest::ListServices("*".to_owned())),
        };
        let valid = request.encode_to_vec();
        let mut malformed = valid.clone();
        malformed.pop();
        let mut message = ReflectionMessage::default();
        for cut in 1..malformed.len() {
            for (bytes, accepted) in [(&valid, true), (&malformed, false)] {
                let (first, rest) = bytes.split_at(cut);
                message.begin(0, bytes.len()).unwrap();
                message.receive(first, rest.len()).unwrap();
                assert_eq!(message.receive(rest, 0).is_ok(), accepted, "{cut}");
            }
        }
    }
}
