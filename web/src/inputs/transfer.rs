//! What a drop or a paste holds.

use wasm_bindgen::JsCast;
use web_sys::{DataTransfer, DomParser, SupportedType};

use crate::inputs::address::{self, Address};

/// Whether it holds files, readable or not.
pub(crate) fn holds_files(transfer: &DataTransfer) -> bool {
    transfer.types().iter().any(|kind| kind == "Files")
}

/// The addresses of what was dragged out of a page: the image itself rather than where a link around it leads.
pub(crate) fn dropped_addresses(transfer: &DataTransfer) -> Vec<Address> {
    match image_in_html(transfer) {
        Some(image) => vec![image],
        None => address::listed(&data(transfer, "text/uri-list")),
    }
}

/// The image in what was copied from a page, or the addresses in a text.
pub(crate) fn pasted_addresses(transfer: &DataTransfer) -> Vec<Address> {
    match image_in_html(transfer) {
        Some(image) => vec![image],
        None => address::listed(&data(transfer, "text/plain")),
    }
}

fn data(transfer: &DataTransfer, media_type: &str) -> String {
    transfer.get_data(media_type).unwrap_or_default()
}

/// The first image of an HTML text. It is read as a document of its own, in which nothing runs and nothing loads.
fn image_in_html(transfer: &DataTransfer) -> Option<Address> {
    let html = data(transfer, "text/html");
    if html.is_empty() {
        return None;
    }
    let document = DomParser::new()
        .ok()?
        .parse_from_string(&html, SupportedType::TextHtml)
        .ok()?;
    let images = document.query_selector_all("img[src]").ok()?;
    // As it is written: relative to a page that is not known here, an address is of no use.
    let mut sources = (0..images.length()).filter_map(|at| {
        let image: web_sys::Element = images.get(at)?.unchecked_into();
        Address::parse(&image.get_attribute("src")?)
    });
    sources.next()
}
