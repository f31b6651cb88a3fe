use axum::extract::Request;
use bytes::Bytes;
use http::{HeaderMap, header};

use crate::{
    protocols::http::rejection::{Rejection, read_body, rejection_of_upload},
    request::error::RequestError,
};

/// The image: the first file of a form, or whatever else the body is.
pub(super) async fn image(request: Request) -> Result<Bytes, Rejection> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let is_form = |text: &str| {
        let media_type = text.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("multipart/form-data")
    };
    match content_type.filter(|text| is_form(text)) {
        Some(content_type) => {
            let boundary = multer::parse_boundary(content_type);
            let boundary = boundary.map_err(|_| RequestError::FormMalformed)?;
            first_file(request, boundary).await
        }
        None => read_body(request.into_body()).await,
    }
}

/// The first file that is not empty. Browsers send an empty one for each unused input.
async fn first_file(request: Request, boundary: String) -> Result<Bytes, Rejection> {
    let stream = request.into_body().into_data_stream();
    let mut form = multer::Multipart::new(stream, boundary);
    let mut any_file = false;
    while let Some(field) = form.next_field().await.map_err(rejection_of_form)? {
        let named = names_file(field.headers());
        let content = field.bytes().await.map_err(rejection_of_form)?;
        // A program may send a file without a file name: a part that is not text counts as a file.
        if !content.is_empty() && (named || str::from_utf8(&content).is_err()) {
            return Ok(content);
        }
        any_file |= named;
    }
    // An empty file becomes an empty image, which is rejected with a better message later.
    any_file
        .then(Bytes::new)
        .ok_or_else(|| RequestError::FormMalformed.into())
}

/// Whether the part has a file name, in whatever encoding: `filename` or `filename*`.
fn names_file(headers: &HeaderMap) -> bool {
    const PARAMETER: &[u8] = b"filename";
    let disposition = headers.get(header::CONTENT_DISPOSITION);
    let disposition = disposition.map(|value| value.as_bytes().to_ascii_lowercase());
    disposition.is_some_and(|value| {
        let mut ends = value.windows(PARAMETER.len() + 1);
        ends.any(|end| end.starts_with(PARAMETER) && b"=*".contains(&end[PARAMETER.len()]))
    })
}

fn rejection_of_form(error: multer::Error) -> Rejection {
    match error {
        multer::Error::StreamReadFailed(error) => rejection_of_upload(error),
        _ => RequestError::FormMalformed.into(),
    }
}
