use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, File, HtmlInputElement};

/// Takes a picture pasted anywhere on the page. Text pasted into a field is the field's.
pub(crate) fn listen(on_file: Callback<File>, on_nothing: Callback<()>) {
    let paste = window_event_listener(ev::paste, move |event| match pasted_file(&event) {
        Some(file) => on_file.run(file),
        None if is_for_a_field(&event) => {}
        None => on_nothing.run(()),
    });
    on_cleanup(move || paste.remove());
}

fn is_for_a_field(event: &ClipboardEvent) -> bool {
    event
        .target()
        .is_some_and(|target| target.has_type::<HtmlInputElement>())
}

fn pasted_file(event: &ClipboardEvent) -> Option<File> {
    event.clipboard_data()?.files()?.get(0)
}
