use std::rc::Rc;

use bytes::Bytes;
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, Response, Url};

use crate::{
    failure::Failure,
    pixels,
    samples::Sample,
    shrink::{self, Shrinking},
};

/// A picture that was picked and may be worth asking about. Copies share it; the last one gives its memory back.
#[derive(Clone)]
pub(crate) struct Picked(Rc<Source>);

enum Source {
    /// From the visitor, with an object URL for the preview.
    File { file: File, preview_url: String },
    /// One of the page's own.
    Sample(&'static Sample),
}

impl Picked {
    /// Refuses what is surely no picture. The server's word on formats is final, since types and names can be wrong.
    pub(crate) fn file(file: File) -> Result<Self, Failure> {
        refuse(&file.name(), &file.type_(), byte_count(&file))?;
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

    /// The encoded picture as it is to be sent: made smaller where that was asked for and the picture is large.
    pub(crate) async fn prepare(
        &self,
        image_bytes_max: u64,
        shrinking: Shrinking,
    ) -> Result<Bytes, Failure> {
        match &*self.0 {
            Source::File { file, .. } => prepare(file, image_bytes_max, shrinking).await,
            Source::Sample(sample) => fetch(&sample.url())
                .await
                .map_err(|_| Failure::Unreadable { name: self.name() }),
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

fn refuse(name: &str, media_type: &str, bytes: u64) -> Result<(), Failure> {
    if media_type.starts_with("text/") {
        Err(Failure::NotAPicture {
            name: name.to_owned(),
        })
    } else if bytes == 0 {
        Err(Failure::Empty {
            name: name.to_owned(),
        })
    } else {
        Ok(())
    }
}

/// A file too large to send is never read as a whole.
async fn prepare(
    file: &File,
    image_bytes_max: u64,
    shrinking: Shrinking,
) -> Result<Bytes, Failure> {
    let name = || file.name();
    let unreadable = |_| Failure::Unreadable { name: name() };
    let bytes = byte_count(file);
    let whole = if bytes > image_bytes_max {
        None
    } else {
        Some(shrink::read(file).await.map_err(unreadable)?)
    };
    match (shrinking, whole) {
        (Shrinking::Off, Some(whole)) => Ok(whole),
        (Shrinking::Off, None) => Err(Failure::TooLarge {
            name: name(),
            bytes: Some(bytes),
            bytes_max: Some(image_bytes_max),
        }),
        (Shrinking::Large, Some(whole)) => match smaller(file, &whole, false).await {
            Some(smaller) => Ok(smaller),
            None => Ok(whole),
        },
        (Shrinking::Large, None) => {
            let head = file.slice_with_i32_and_i32(0, pixels::HEAD_BYTES);
            let head = shrink::read(&head.map_err(unreadable)?).await;
            let smaller = smaller(file, &head.map_err(unreadable)?, true).await;
            smaller.ok_or_else(|| Failure::Unshrinkable { name: name() })
        }
    }
}

/// The same picture in fewer bytes; None where it is small already, unless it `must` be smaller, or no browser could do it.
async fn smaller(file: &Blob, head: &[u8], must: bool) -> Option<Bytes> {
    let (width, height) = pixels::dimensions(head)?;
    let factor = shrink::factor(width, height)
        .or_else(|| (must && shrink::is_decodable(width, height)).then_some(1.0))?;
    shrink::shrink(file, factor).await.ok()
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

async fn fetch(url: &str) -> Result<Bytes, JsValue> {
    let response: Response = JsFuture::from(window().fetch_with_str(url))
        .await?
        .unchecked_into();
    if !response.ok() {
        return Err(response.status().into());
    }
    let blob = JsFuture::from(response.blob()?).await?;
    shrink::read(blob.unchecked_ref()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_would_refuse_is_refused() {
        let cases = [
            ("photo.jpg", "image/jpeg", 1, true),
            ("photo.jpg", "image/jpeg", 0, false),
            ("notes.txt", "text/plain", 10, false),
            ("photo", "", 10, true),
            ("report.pdf", "application/pdf", 10, true),
        ];
        for (name, media_type, bytes, accepted) in cases {
            let refusal = refuse(name, media_type, bytes);
            assert_eq!(refusal.is_ok(), accepted, "{name} {media_type} {bytes}");
        }
    }
}
