use std::{cell::OnceCell, rc::Rc};

use leptos::prelude::window;
use web_sys::{Blob, File};

use crate::{
    failure::Failure,
    fetch,
    image::{
        decoded, dimensions,
        format::{self, BrowserFormat, Format},
        object_url::ObjectUrl,
        orientation, read,
        sample::Sample,
        shrink::{self, Shrinking},
    },
};

/// Media types whose files are sent unread: if one of them is wrong, the server says so, and the browser may draw the file.
const SENT_UNREAD: [&str; 5] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/bmp",
];

/// An image that was picked. Copies share it; its memory is released with the last one.
#[derive(Clone)]
pub(crate) struct Picked(Rc<Source>);

enum Source {
    /// From the visitor, with an object URL once it has a preview: of hundreds of images few are displayed.
    File {
        file: File,
        preview: OnceCell<Option<ObjectUrl>>,
    },
    /// One of the page's samples.
    Sample(&'static Sample),
}

/// What the server accepts, as far as preparing a file depends on it.
#[derive(Clone, Copy)]
pub(crate) struct Accepted<'a> {
    pub(crate) image_bytes_max: u64,
    pub(crate) media_types: &'a [String],
}

impl Picked {
    /// Rejects only an empty file. The server decides about formats, since media types and names can be wrong.
    pub(crate) fn file(file: File) -> Result<Self, Failure> {
        if file.size() == 0.0 {
            return Err(Failure::Empty { name: file.name() });
        }
        let preview = OnceCell::new();
        Ok(Self(Rc::new(Source::File { file, preview })))
    }

    pub(crate) fn sample(sample: &'static Sample) -> Self {
        Self(Rc::new(Source::Sample(sample)))
    }

    /// Whether both are copies of the same image.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn name(&self) -> String {
        match &*self.0 {
            Source::File { file, .. } => file.name(),
            Source::Sample(sample) => sample.file_name().to_owned(),
        }
    }

    /// The URL for an `<img>`. It shows the image upright, as the server sees it, even if the browser reads the metadata
    /// differently.
    pub(crate) async fn preview_url(&self) -> String {
        if let Source::File { file, preview } = &*self.0
            && preview.get().is_none()
        {
            let shown = displayable(file).await;
            let _ = preview.set(ObjectUrl::new(shown.as_ref().unwrap_or(file)).ok());
        }
        // It fails only if the browser has no object URLs, and then nothing is shown.
        self.shown_url()
    }

    /// As [`preview_url`](Self::preview_url), of an image that has been shown; empty before.
    pub(crate) fn shown_url(&self) -> String {
        match &*self.0 {
            Source::File { preview, .. } => {
                let url = preview.get().and_then(Option::as_ref);
                url.map(ObjectUrl::as_str).unwrap_or_default().to_owned()
            }
            Source::Sample(sample) => sample.url(),
        }
    }

    /// The bytes to send: the file itself, or a JPEG drawn by the browser if the file is large or the server does not read its
    /// format.
    pub(crate) async fn prepare(
        &self,
        accepted: Accepted<'_>,
        shrinking: Shrinking,
    ) -> Result<Blob, Failure> {
        match &*self.0 {
            Source::File { file, .. } => prepare(file, accepted, shrinking).await,
            Source::Sample(sample) => fetch::blob(window().fetch_with_str(&sample.url()).into())
                .await
                .map_err(|_| Failure::Unreadable { name: self.name() }),
        }
    }

    /// A JPEG of it, for a server that does not know its format. None if the browser does not display it either.
    pub(crate) async fn redrawn(&self) -> Option<Blob> {
        match &*self.0 {
            Source::File { file, .. } => shrink::redrawn(file).await.ok(),
            Source::Sample(_) => None,
        }
    }
}

/// A copy that browsers display correctly. None if they display the file itself correctly.
async fn displayable(file: &File) -> Option<Blob> {
    let head = read::head(file, format::HEAD_BYTES).await.ok()?;
    match Format::of(&head)? {
        Format::Browser(BrowserFormat::Svg) => decoded::svg(file).ok(),
        Format::WebP => {
            orientation::of_webp(file, &head).await?;
            shrink::redrawn(file).await.ok()
        }
        Format::Browser(_) | Format::Other => None,
    }
}

/// Reads the file only if it may have to shrink or its media type is unusual.
async fn prepare(
    file: &File,
    accepted: Accepted<'_>,
    shrinking: Shrinking,
) -> Result<Blob, Failure> {
    let name = || file.name();
    let (bytes, bytes_max) = (byte_count(file), accepted.image_bytes_max);
    let fits = bytes <= bytes_max;
    let may_shrink = shrinking.concerns(bytes, bytes_max);
    let media_type = file.type_();
    if may_shrink || !SENT_UNREAD.contains(&media_type.as_str()) {
        let head_bytes = if may_shrink {
            dimensions::HEAD_BYTES
        } else {
            format::HEAD_BYTES
        };
        let head = read::head(file, head_bytes)
            .await
            .map_err(|_| Failure::Unreadable { name: name() })?;
        match Format::of(&head) {
            // Not sent, because a text may be private.
            None if media_type.starts_with("text/") => {
                return Err(Failure::NotAnImage { name: name() });
            }
            Some(Format::Browser(format)) if !accepted.reads(format) => {
                if let Ok(drawn) = shrink::redrawn(file).await {
                    return Ok(drawn);
                }
            }
            _ => {}
        }
        if may_shrink {
            match smaller(file, &head, !fits).await {
                Some(smaller) => return Ok(smaller),
                None if fits => {}
                None => return Err(Failure::Unshrinkable { name: name() }),
            }
        }
    }
    if fits {
        return Ok(file.clone().into());
    }
    Err(Failure::TooLarge {
        name: name(),
        bytes: Some(bytes),
        bytes_max: Some(bytes_max),
    })
}

impl Accepted<'_> {
    fn reads(self, format: BrowserFormat) -> bool {
        let format = format.media_type();
        self.media_types
            .iter()
            .any(|media_type| media_type == format)
    }
}

/// The same image in fewer bytes. None if it is small already, unless it `must` shrink, or if the browser cannot shrink it.
async fn smaller(file: &Blob, head: &[u8], must: bool) -> Option<Blob> {
    let (width, height) = dimensions::dimensions(head)?;
    let factor = shrink::factor(width, height)
        .or_else(|| (must && shrink::is_decodable(width, height)).then_some(1.0))?;
    shrink::shrunk(file, factor).await.ok()
}

/// JavaScript counts in f64; sizes of files are whole numbers far below its precision.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size is whole and not negative"
)]
fn byte_count(file: &File) -> u64 {
    file.size() as u64
}
