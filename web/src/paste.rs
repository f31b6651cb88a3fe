use leptos::{ev, prelude::*};
use web_sys::{ClipboardEvent, File};

/// Takes a picture pasted anywhere on the page.
pub(crate) fn listen(on_file: Callback<File>, on_nothing: Callback<()>) {
    let paste = window_event_listener(ev::paste, move |event| match pasted_file(&event) {
        Some(file) => on_file.run(file),
        None => on_nothing.run(()),
    });
    on_cleanup(move || paste.remove());
}

fn pasted_file(event: &ClipboardEvent) -> Option<File> {
    event.clipboard_data()?.files()?.get(0)
}
