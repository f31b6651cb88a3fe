//! Images of other sites, dropped or pasted as an address. The browser fetches them itself, without cookies, if the other
//! site allows it: the server never fetches images.

use js_sys::{Array, Uint8Array};
use leptos::prelude::{location, window};
use percent_encoding::percent_decode_str;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FilePropertyBag, ReferrerPolicy, RequestCredentials, RequestInit, Url};

use crate::{failure::Failure, fetch, inputs::input_file::InputFile};

/// Each image is held in memory or by the browser until it is classified.
const ADDRESSES_MAX: usize = 50;
/// What an image without a name is called.
const NAME: &str = "image";

/// The address of an image.
pub(crate) enum Address {
    Web(Url),
    /// A `data:` URL: the image itself.
    Data(String),
    /// A `blob:` or `file:` URL. Other pages' blobs and the visitor's files are closed to this page.
    Closed,
}

/// The addresses in a text, one a line, or several on a line. Lines that hold none are left out.
pub(crate) fn listed(text: &str) -> Vec<Address> {
    // Base64 is often written on lines of 76 characters.
    if let Some(data @ Address::Data(_)) = Address::parse(text) {
        return vec![data];
    }
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let addresses = lines.flat_map(|line| {
        let words: Option<Vec<_>> = line.split_whitespace().map(Address::parse).collect();
        // An address may hold spaces.
        words.unwrap_or_else(|| Address::parse(line).into_iter().collect())
    });
    addresses.take(ADDRESSES_MAX).collect()
}

/// Fetches all at the same time; files and failures in the order of the addresses.
pub(crate) async fn fetch_all(addresses: Vec<Address>) -> Vec<InputFile> {
    let fetching: Vec<_> = addresses.into_iter().map(Address::fetch).collect();
    let mut files = Vec::new();
    for (path, fetching) in fetching {
        let file = match fetching {
            Fetching::Begun(response, url) => fetched(response, &url, &path).await,
            Fetching::Finished(file) => file,
        };
        let path = file.as_ref().map_or(path, File::name);
        files.push(InputFile { file, path });
    }
    files
}

enum Fetching {
    /// A promise of the browser and the address it is for.
    Begun(JsFuture, Url),
    Finished(Result<File, Failure>),
}

impl Address {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = Url::new(text.trim()).ok()?;
        match url.protocol().as_str() {
            "https:" | "http:" => Some(Self::Web(url)),
            // The browser has taken line breaks out and written the scheme in lower case.
            "data:" => Some(Self::Data(url.href())),
            "blob:" | "file:" => Some(Self::Closed),
            _ => None,
        }
    }

    /// The other site's host; None if no site is contacted.
    pub(crate) fn site(&self) -> Option<String> {
        match self {
            Self::Web(url) => Some(url.host()),
            Self::Data(_) | Self::Closed => None,
        }
    }

    /// Begins to fetch the image; its name until it is there.
    fn fetch(self) -> (String, Fetching) {
        match self {
            Self::Web(url) => (file_name(&url), begin(url)),
            Self::Data(url) => (NAME.to_owned(), Fetching::Finished(decoded(&url))),
            Self::Closed => {
                let closed = Err(Failure::ClosedAddress);
                (NAME.to_owned(), Fetching::Finished(closed))
            }
        }
    }
}

fn begin(url: Url) -> Fetching {
    // The page's policy forbids anything else, and the browser would complain.
    if url.protocol() != "https:" && Ok(url.origin()) != location().origin() {
        return Fetching::Finished(Err(Failure::OtherSite { site: url.host() }));
    }
    let request = RequestInit::new();
    request.set_credentials(RequestCredentials::Omit);
    request.set_referrer_policy(ReferrerPolicy::NoReferrer);
    let promise = window().fetch_with_str_and_init(&url.href(), &request);
    Fetching::Begun(promise.into(), url)
}

async fn fetched(response: JsFuture, url: &Url, name: &str) -> Result<File, Failure> {
    let unreadable = |_| Failure::OtherSite { site: url.host() };
    let image = fetch::blob(response).await.map_err(unreadable)?;
    file(&image, name, &image.type_()).map_err(unreadable)
}

/// The page's policy lets it fetch no `data:` URLs.
fn decoded(url: &str) -> Result<File, Failure> {
    let corrupt = || Failure::Corrupt {
        name: NAME.to_owned(),
    };
    let (media_type, bytes) = data(url).ok_or_else(corrupt)?;
    let extension = media_type.strip_prefix("image/");
    let extension = extension.and_then(|kind| kind.split(['+', ';']).next());
    let name = extension.map_or(NAME.to_owned(), |extension| format!("{NAME}.{extension}"));
    let bytes = Uint8Array::from(bytes.as_slice());
    file(&bytes, &name, &media_type).map_err(|_| corrupt())
}

/// Media type and content of a `data:` URL without line breaks (RFC 2397, and the Fetch standard for base64).
fn data(url: &str) -> Option<(String, Vec<u8>)> {
    let (url, _fragment) = url.split_once('#').unwrap_or((url, ""));
    let (head, body) = url.strip_prefix("data:")?.split_once(',')?;
    let body = percent_decode_str(body).collect::<Vec<u8>>();
    match head.strip_suffix(";base64") {
        Some(media_type) => {
            let text = String::from_utf8(body).ok()?;
            // One character for each byte.
            let bytes = window().atob(&text).ok()?;
            let bytes: Result<_, _> = bytes.chars().map(u8::try_from).collect();
            Some((media_type.to_owned(), bytes.ok()?))
        }
        None => Some((head.to_owned(), body)),
    }
}

fn file(content: &JsValue, name: &str, media_type: &str) -> Result<File, JsValue> {
    let kind = FilePropertyBag::new();
    kind.set_type(media_type);
    File::new_with_blob_sequence_and_options(&Array::of1(content), name, &kind)
}

fn file_name(url: &Url) -> String {
    let path = url.pathname();
    match path.rsplit('/').next() {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => url.host(),
    }
}
