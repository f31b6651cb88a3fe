//! The web page: pick a picture, see what it shows. It runs in the browser as WebAssembly and asks the server through
//! the one Rust client. It knows neither the model nor the wire, and keeps no picture longer than it shows it.

#![expect(
    unreachable_pub,
    reason = "#[component] writes `pub` where the component says `pub(crate)`"
)]

mod access;
mod address;
mod announcement;
mod answer;
mod api;
mod app;
mod asking;
mod copy_button;
mod drawing;
mod drop_zone;
mod failure;
mod failure_note;
mod found;
mod frame;
mod header;
mod heat;
mod language;
mod lens;
mod many;
mod names;
mod outcome;
mod paste;
mod pick_button;
mod picked;
mod pixels;
mod progress;
mod samples;
mod session;
mod shared;
mod shrink;
mod shrink_switch;
mod size;
mod square;
mod texts;
mod ticket;
mod token_form;
mod viewing;
mod wait;

use leptos::{mount::mount_to, prelude::document};
use wasm_bindgen::JsCast;

fn main() {
    let page = document()
        .get_element_by_id("page")
        .expect("index.html has an element #page");
    page.set_text_content(None); // the static shell has done its duty
    mount_to(page.unchecked_into(), app::App).forget();
}
