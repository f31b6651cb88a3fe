use leptos::{ev::Event, html, prelude::*};
use web_sys::File;

use crate::language;

/// What the file dialog offers. Named one by one, so that phones convert their own formats into one of these.
const ACCEPT: &str = "image/jpeg,image/png,image/webp,image/gif,image/bmp";

/// A real button, with the browser's own file input behind it.
#[component]
pub(crate) fn PickButton(on_file: Callback<File>) -> impl IntoView {
    let language = language::spoken();
    let input = NodeRef::<html::Input>::new();
    let open = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let take = move |event: Event| {
        let input = event_target::<web_sys::HtmlInputElement>(&event);
        let file = input.files().and_then(|files| files.get(0));
        input.set_value(""); // so that the same file can be picked again
        if let Some(file) = file {
            on_file.run(file);
        }
    };
    view! {
        <button type="button" class="pick" on:click=open>
            {move || language.get().choose_a_picture()}
        </button>
        <input node_ref=input type="file" accept=ACCEPT hidden data-testid="file" on:change=take />
    }
}
