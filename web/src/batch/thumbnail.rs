use gloo_timers::future::TimeoutFuture;
use leptos::{html, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, File, HtmlCanvasElement};

use crate::{
    batch::{row::Row, scheduler::Scheduler},
    image::decoded::Decoded,
    session::ticket::Ticket,
};

/// Twice what the style sheet shows, for sharp screens.
const WIDTH: u32 = 128;
const HEIGHT: u32 = 96;
/// How often to look whether the batch is still in a hurry. Rows that only pass while one scrolls are gone before.
const PAUSE_MS: u32 = 100;

/// A small copy of the image. It is drawn once its row stays in view and the batch has time, and dropped with the row's view.
#[component]
pub(super) fn Thumbnail(scheduler: Scheduler, row: Row) -> impl IntoView {
    let canvas = NodeRef::<html::Canvas>::new();
    let drawing = StoredValue::new_local(None);
    canvas.on_load(move |canvas| {
        // What is no image leaves the place empty.
        let Ok(file) = row.file() else {
            return;
        };
        let (ticket, work) = Ticket::issue(async move {
            loop {
                TimeoutFuture::new(PAUSE_MS).await;
                if !scheduler.is_in_a_hurry() {
                    break;
                }
            }
            let _ = draw(&file, &canvas).await;
        });
        drawing.set_value(Some(ticket));
        spawn_local(work);
    });
    view! { <canvas node_ref=canvas width=WIDTH height=HEIGHT aria-hidden="true"></canvas> }
}

async fn draw(file: &File, canvas: &HtmlCanvasElement) -> Result<(), JsValue> {
    let image = Decoded::new(file, Some(HEIGHT)).await?;
    let context: CanvasRenderingContext2d = canvas
        .get_context("2d")?
        .ok_or(JsValue::NULL)?
        .unchecked_into();
    // The middle of it, filling the place.
    let (width, height) = image.size();
    let scale = (f64::from(WIDTH) / width).max(f64::from(HEIGHT) / height);
    let (width, height) = (width * scale, height * scale);
    let (left, top) = (
        (f64::from(WIDTH) - width) / 2.0,
        (f64::from(HEIGHT) - height) / 2.0,
    );
    image.draw(&context, [left, top, width, height])
}
