use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, HtmlInputElement};

use crate::inputs::{
    address::Address,
    found::{self, Found},
};

/// Takes pictures, or the address of one, pasted anywhere on the page. Text pasted into a field is the field's.
pub(crate) fn listen(
    on_files: Callback<Vec<Found>>,
    on_address: Callback<Address>,
    on_nothing: Callback<()>,
) {
    let paste = window_event_listener(ev::paste, move |event| {
        let files = found::listed(event.clipboard_data().and_then(|data| data.files()));
        if !files.is_empty() {
            on_files.run(files);
        } else if is_for_a_field(&event) {
        } else if let Some(address) = pasted_address(&event) {
            on_address.run(address);
        } else {
            on_nothing.run(());
        }
    });
    on_cleanup(move || paste.remove());
}

fn is_for_a_field(event: &ClipboardEvent) -> bool {
    event
        .target()
        .is_some_and(|target| target.has_type::<HtmlInputElement>())
}

fn pasted_address(event: &ClipboardEvent) -> Option<Address> {
    let transfer = event.clipboard_data()?;
    let text = transfer.get_data("text/plain").ok()?;
    Address::parse(&text).or_else(|| Address::dropped(&transfer))
}
