//! Images of other sites, dropped or pasted as an address. The browser fetches them itself, without cookies, if the other
//! site allows it: the server never fetches anything for anybody.

use data_url::DataUrl;
use futures_util::future::join_all;
use js_sys::{Array, Uint8Array};
use leptos::prelude::{location, window};
use wasm_bindgen::JsValue;
use web_sys::{Blob, File, FilePropertyBag, ReferrerPolicy, RequestCredentials, RequestInit, Url};

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
    join_all(addresses.into_iter().map(Address::input_file)).await
}

impl Address {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = Url::new(text.trim()).ok()?;
        match url.protocol().as_str() {
            "https:" | "http:" => Some(Self::Web(url)),
            "data:" => Some(Self::Data(text.trim().to_owned())),
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

    async fn input_file(self) -> InputFile {
        let path = match &self {
            Self::Web(url) => file_name(url),
            Self::Data(_) | Self::Closed => NAME.to_owned(),
        };
        let file = match self {
            Self::Web(url) => fetched(&url, &path).await,
            Self::Data(url) => decoded(&url),
            Self::Closed => Err(Failure::ClosedAddress),
        };
        let path = file.as_ref().map_or(path, File::name);
        InputFile { file, path }
    }
}

async fn fetched(url: &Url, name: &str) -> Result<File, Failure> {
    let refused = || Failure::OtherSite { site: url.host() };
    // The page's policy forbids anything else, and the browser would complain.
    if url.protocol() != "https:" && Ok(url.origin()) != location().origin() {
        return Err(refused());
    }
    let image = get(&url.href()).await.map_err(|_| refused())?;
    file(&image, name, &image.type_()).map_err(|_| refused())
}

/// The page's policy lets it fetch no `data:` URLs.
fn decoded(url: &str) -> Result<File, Failure> {
    let damaged = || Failure::Corrupt {
        name: NAME.to_owned(),
    };
    let url = DataUrl::process(url).map_err(|_| damaged())?;
    let (bytes, _) = url.decode_to_vec().map_err(|_| damaged())?;
    let media_type = url.mime_type();
    let extension = media_type.subtype.split('+').next().unwrap_or_default();
    let name = if media_type.type_ == NAME {
        format!("{NAME}.{extension}")
    } else {
        NAME.to_owned()
    };
    let bytes = Uint8Array::from(bytes.as_slice());
    file(&bytes, &name, &media_type.to_string()).map_err(|_| damaged())
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

async fn get(url: &str) -> Result<Blob, JsValue> {
    let request = RequestInit::new();
    request.set_credentials(RequestCredentials::Omit);
    request.set_referrer_policy(ReferrerPolicy::NoReferrer);
    fetch::blob(window().fetch_with_str_and_init(url, &request)).await
}
