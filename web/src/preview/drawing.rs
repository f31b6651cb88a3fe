use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement, ImageData};

use crate::preview::{
    heat::{self, Heat},
    seen::Seen,
};

/// Longest side of a drawing over the whole image, in pixels: sharp enough for most screens.
const SIDE_MAX: f64 = 1024.0;

/// What the network did not see lies under this.
const SHADE: &str = "rgb(0 0 0 / 55%)";

/// Draws what the network saw, as large as the network's input.
pub(crate) fn model_input(
    canvas: &HtmlCanvasElement,
    image: &HtmlImageElement,
    seen: Seen,
    input_size: u32,
) -> Result<(), JsValue> {
    canvas.set_width(input_size);
    canvas.set_height(input_size);
    let brush = brush(canvas)?;
    let side = f64::from(input_size);
    let Seen {
        left,
        top,
        width,
        height,
    } = seen;
    brush.draw_image_with_html_image_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
        image, left, top, width, height, 0.0, 0.0, side, side,
    )
}

/// Draws what lies over the whole image: the heatmap over what the network saw, and a shade around that.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "1 to SIDE_MAX"
)]
pub(crate) fn over(
    canvas: &HtmlCanvasElement,
    (width, height): (u32, u32),
    seen: Seen,
    heat: &Heat,
    opacity: f64,
) -> Result<(), JsValue> {
    let (width, height) = (f64::from(width), f64::from(height));
    let scale = SIDE_MAX / width.max(height);
    canvas.set_width((width * scale).max(1.0) as u32);
    canvas.set_height((height * scale).max(1.0) as u32);
    let brush = brush(canvas)?;
    let seen = [seen.left, seen.top, seen.width, seen.height].map(|pixels| pixels * scale);
    let [seen_left, seen_top, seen_width, seen_height] = seen;
    brush.set_fill_style_str(SHADE);
    brush.fill_rect(0.0, 0.0, width * scale, height * scale);
    brush.clear_rect(seen_left, seen_top, seen_width, seen_height);
    let pixels = heat.pixels();
    let side_pixels = u32::try_from(heat::SIDE).expect("a small number");
    let data = ImageData::new_with_u8_clamped_array(Clamped(&pixels), side_pixels)?;
    let sheet: HtmlCanvasElement = leptos::prelude::document()
        .create_element("canvas")?
        .unchecked_into();
    sheet.set_width(side_pixels);
    sheet.set_height(side_pixels);
    self::brush(&sheet)?.put_image_data(&data, 0.0, 0.0)?;
    brush.set_global_alpha(opacity);
    brush.draw_image_with_html_canvas_element_and_dw_and_dh(
        &sheet,
        seen_left,
        seen_top,
        seen_width,
        seen_height,
    )
}

fn brush(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d, JsValue> {
    let brush: CanvasRenderingContext2d = canvas
        .get_context("2d")?
        .ok_or(JsValue::NULL)?
        .unchecked_into();
    brush.set_image_smoothing_enabled(true);
    Ok(brush)
}
