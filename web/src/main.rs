//! The web page: choose an image, see what it shows. It runs in the browser as WebAssembly and calls the server through
//! the one Rust client. It knows neither the model nor the wire format, and keeps no image longer than it shows it.

#![expect(
    unreachable_pub,
    reason = "#[component] writes `pub` where the component says `pub(crate)`"
)]

mod announcement;
mod api;
mod app;
mod batch;
mod confidence;
mod copy_button;
mod failure;
mod fetch;
mod footer;
mod header;
mod image;
mod inputs;
mod model_menu;
mod notice;
mod preview;
mod result;
mod session;
mod settings;
mod texts;

use leptos::{mount::mount_to, prelude::document};
use wasm_bindgen::JsCast;

fn main() {
    let page = document()
        .get_element_by_id("page")
        .expect("index.html has an element #page");
    page.set_text_content(None); // the static shell has done its duty
    mount_to(page.unchecked_into(), app::App).forget();
}
