//! Pictures of other sites, dropped or pasted as an address. The browser fetches them itself, without cookies, if the other
//! site allows it: the server never fetches anything for anybody.

use js_sys::Array;
use leptos::prelude::{location, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, DataTransfer, DomParser, File, FilePropertyBag, HtmlImageElement, ReferrerPolicy,
    RequestCredentials, RequestInit, Response, SupportedType, Url,
};

use crate::failure::Failure;

/// The address of a picture that this page may fetch.
pub(crate) struct Address(Url);

impl Address {
    /// What was dragged out of a page: the picture itself rather than where a link around it leads.
    pub(crate) fn dropped(transfer: &DataTransfer) -> Option<Self> {
        let data = |kind| transfer.get_data(kind).ok().filter(|data| !data.is_empty());
        let picture = data("text/html").and_then(|html| first_picture(&html));
        let link = || {
            let list = data("text/uri-list")?;
            let mut lines = list.lines();
            lines.find(|line| !line.starts_with('#')).map(str::to_owned)
        };
        Self::parse(&picture.or_else(link)?)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = Url::new(text.trim()).ok()?;
        matches!(url.protocol().as_str(), "https:" | "http:").then_some(Self(url))
    }

    /// The other site, as people know it.
    pub(crate) fn site(&self) -> String {
        self.0.host()
    }

    pub(crate) async fn fetch(self) -> Result<File, Failure> {
        let refused = || Failure::OtherSite { site: self.site() };
        // The page's policy forbids anything else, and the browser would complain.
        if self.0.protocol() != "https:" && Ok(self.0.origin()) != location().origin() {
            return Err(refused());
        }
        let picture = fetch(&self.0.href()).await.map_err(|_| refused())?;
        let name = self.file_name();
        if picture.type_().starts_with("text/") {
            return Err(Failure::NotAPicture { name });
        }
        let kind = FilePropertyBag::new();
        kind.set_type(&picture.type_());
        File::new_with_blob_sequence_and_options(&Array::of1(&picture), &name, &kind)
            .map_err(|_| refused())
    }

    fn file_name(&self) -> String {
        let path = self.0.pathname();
        match path.rsplit('/').next() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => self.site(),
        }
    }
}

/// Read as a document of its own, of which nothing runs and nothing loads.
fn first_picture(html: &str) -> Option<String> {
    let parser = DomParser::new().ok()?;
    let document = parser
        .parse_from_string(html, SupportedType::TextHtml)
        .ok()?;
    let picture = document.query_selector("img[src]").ok()??;
    Some(picture.unchecked_into::<HtmlImageElement>().src())
}

async fn fetch(url: &str) -> Result<Blob, JsValue> {
    let request = RequestInit::new();
    request.set_credentials(RequestCredentials::Omit);
    request.set_referrer_policy(ReferrerPolicy::NoReferrer);
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(url, &request))
        .await?
        .unchecked_into();
    if !response.ok() {
        return Err(response.status().into());
    }
    Ok(JsFuture::from(response.blob()?).await?.unchecked_into())
}
