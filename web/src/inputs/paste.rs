use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, DataTransfer, HtmlInputElement};

use crate::{
    failure::Failure,
    inputs::{
        address::Address,
        input_file::{self, InputFile},
        transfer::pasted_addresses,
    },
};

/// Takes images, or addresses of some, pasted anywhere on the page. Text pasted into a field is the field's.
pub(crate) fn listen(
    on_files: Callback<Vec<InputFile>>,
    on_addresses: Callback<Vec<Address>>,
    on_failure: Callback<Failure>,
) {
    let paste = window_event_listener(ev::paste, move |event| {
        let transfer = event.clipboard_data();
        let files = input_file::listed(transfer.as_ref().and_then(DataTransfer::files));
        if !files.is_empty() {
            on_files.run(files);
            return;
        }
        if is_for_a_field(&event) {
            return;
        }
        let addresses = transfer.as_ref().map(pasted_addresses).unwrap_or_default();
        if addresses.is_empty() {
            on_failure.run(Failure::NothingPasted);
        } else {
            on_addresses.run(addresses);
        }
    });
    on_cleanup(move || paste.remove());
}

fn is_for_a_field(event: &ClipboardEvent) -> bool {
    event
        .target()
        .is_some_and(|target| target.has_type::<HtmlInputElement>())
}
