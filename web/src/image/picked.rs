use std::{cell::OnceCell, rc::Rc};

use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, Response, Url};

use crate::{
    failure::Failure,
    image::sample::Sample,
    image::{
        dimensions,
        shrink::{self, Shrinking},
    },
};

/// A picture that was picked and may be worth asking about. Copies share it; the last one gives its memory back.
#[derive(Clone)]
pub(crate) struct Picked(Rc<Source>);

enum Source {
    /// From the visitor, with an object URL once it has a preview: of hundreds of pictures few are looked at.
    File {
        file: File,
        preview_url: OnceCell<String>,
    },
    /// One of the page's own.
    Sample(&'static Sample),
}

impl Picked {
    /// Refuses what is surely no picture. The server's word on formats is final, since types and names can be wrong.
    pub(crate) fn file(file: File) -> Result<Self, Failure> {
        refuse(&file.name(), &file.type_(), byte_count(&file))?;
        Ok(Self(Rc::new(Source::File {
            file,
            preview_url: OnceCell::new(),
        })))
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
            Source::File { file, preview_url } => {
                // It can fail only where the browser knows no object URLs, and then nothing is shown.
                let make = || Url::create_object_url_with_blob(file).unwrap_or_default();
                preview_url.get_or_init(make).clone()
            }
            Source::Sample(sample) => sample.url(),
        }
    }

    /// The encoded picture as it is to be sent: made smaller where that was asked for and the picture is large.
    pub(crate) async fn prepare(
        &self,
        image_bytes_max: u64,
        shrinking: Shrinking,
    ) -> Result<Blob, Failure> {
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
        if let Self::File { preview_url, .. } = self
            && let Some(preview_url) = preview_url.get()
        {
            // As above: then none was made.
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

/// A file is not read before it is sent, unless it may have to be made smaller: then its beginning.
async fn prepare(file: &File, image_bytes_max: u64, shrinking: Shrinking) -> Result<Blob, Failure> {
    let name = || file.name();
    let bytes = byte_count(file);
    let fits = bytes <= image_bytes_max;
    if !shrinking.concerns(bytes, image_bytes_max) {
        return fits.then(|| file.clone().into()).ok_or_else(|| {
            let (bytes, bytes_max) = (Some(bytes), Some(image_bytes_max));
            Failure::TooLarge {
                name: name(),
                bytes,
                bytes_max,
            }
        });
    }
    let head = shrink::head(file, dimensions::HEAD_BYTES)
        .await
        .map_err(|_| Failure::Unreadable { name: name() })?;
    match smaller(file, &head, !fits).await {
        Some(smaller) => Ok(smaller),
        None if fits => Ok(file.clone().into()),
        None => Err(Failure::Unshrinkable { name: name() }),
    }
}

/// The same picture in fewer bytes; None where it is small already, unless it `must` be smaller, or no browser could do it.
async fn smaller(file: &Blob, head: &[u8], must: bool) -> Option<Blob> {
    let (width, height) = dimensions::dimensions(head)?;
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

async fn fetch(url: &str) -> Result<Blob, JsValue> {
    let response: Response = JsFuture::from(window().fetch_with_str(url))
        .await?
        .unchecked_into();
    if !response.ok() {
        return Err(response.status().into());
    }
    JsFuture::from(response.blob()?).await?.dyn_into()
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
