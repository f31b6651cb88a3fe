use std::rc::Rc;

use bytes::Bytes;
use js_sys::Uint8Array;
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, Response, Url};

use crate::{failure::Failure, samples::Sample};

/// A picture that was picked and is small enough to send. Copies share it; the last one gives its memory back.
#[derive(Clone)]
pub(crate) struct Picked(Rc<Source>);

enum Source {
    /// From the visitor, with an object URL for the preview.
    File { file: File, preview_url: String },
    /// One of the page's own.
    Sample(&'static Sample),
}

impl Picked {
    /// Refuses what the server would surely refuse. Its word on formats is final, since types and names can be wrong.
    pub(crate) fn file(file: File, image_bytes_max: u64) -> Result<Self, Failure> {
        refuse(
            &file.name(),
            &file.type_(),
            byte_count(&file),
            image_bytes_max,
        )?;
        let preview_url = Url::create_object_url_with_blob(&file)
            .map_err(|_| Failure::Unreadable { name: file.name() })?;
        Ok(Self(Rc::new(Source::File { file, preview_url })))
    }

    pub(crate) fn sample(sample: &'static Sample) -> Self {
        Self(Rc::new(Source::Sample(sample)))
    }

    pub(crate) fn name(&self) -> String {
        match &*self.0 {
            Source::File { file, .. } => file.name(),
            Source::Sample(sample) => sample.file_name().to_owned(),
        }
    }

    pub(crate) fn preview_url(&self) -> String {
        match &*self.0 {
            Source::File { preview_url, .. } => preview_url.clone(),
            Source::Sample(sample) => sample.url(),
        }
    }

    /// The encoded picture.
    pub(crate) async fn read(&self) -> Result<Bytes, Failure> {
        let buffer = match &*self.0 {
            Source::File { file, .. } => JsFuture::from(file.array_buffer()).await,
            Source::Sample(sample) => fetch(&sample.url()).await,
        };
        match buffer {
            Ok(buffer) => Ok(Bytes::from(Uint8Array::new(&buffer).to_vec())),
            Err(_) => Err(Failure::Unreadable { name: self.name() }),
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Self::File { preview_url, .. } = self {
            // It can fail only where the browser knows no object URLs, and then none was made.
            let _ = Url::revoke_object_url(preview_url);
        }
    }
}

fn refuse(name: &str, media_type: &str, bytes: u64, bytes_max: u64) -> Result<(), Failure> {
    if media_type.starts_with("text/") {
        Err(Failure::NotAPicture {
            name: name.to_owned(),
        })
    } else if bytes == 0 {
        Err(Failure::Empty {
            name: name.to_owned(),
        })
    } else if bytes > bytes_max {
        Err(Failure::TooLarge {
            name: name.to_owned(),
            bytes: Some(bytes),
            bytes_max: Some(bytes_max),
        })
    } else {
        Ok(())
    }
}

/// JavaScript counts in f64; files are whole numbers far below its precision.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size is whole and not negative"
)]
fn byte_count(file: &File) -> u64 {
    file.size() as u64
}

async fn fetch(url: &str) -> Result<JsValue, JsValue> {
    let response: Response = JsFuture::from(window().fetch_with_str(url))
        .await?
        .unchecked_into();
    if !response.ok() {
        return Err(response.status().into());
    }
    JsFuture::from(response.array_buffer()?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_would_refuse_is_refused() {
        let cases = [
            ("photo.jpg", "image/jpeg", 1, true),
            ("photo.jpg", "image/jpeg", 100, true),
            ("photo.jpg", "image/jpeg", 101, false),
            ("photo.jpg", "image/jpeg", 0, false),
            ("notes.txt", "text/plain", 10, false),
            ("photo", "", 10, true),
            ("report.pdf", "application/pdf", 10, true),
        ];
        for (name, media_type, bytes, accepted) in cases {
            let refusal = refuse(name, media_type, bytes, 100);
            assert_eq!(refusal.is_ok(), accepted, "{name} {media_type} {bytes}");
        }
    }
}
