use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlImageElement, ImageBitmap,
    ImageBitmapOptions, ImageOrientation, ResizeQuality,
};

use crate::image::{
    format::{self, BrowserFormat, Format},
    object_url::ObjectUrl,
    orientation, read,
};

/// An image that the browser has decoded.
pub(crate) struct Decoded {
    pixels: Pixels,
    /// As stored.
    width: f64,
    height: f64,
    /// 1 to 8, as Exif counts.
    orientation: u8,
}

/// Where they are. The memory of a bitmap is released at once instead of by the next garbage collection.
enum Pixels {
    Bitmap(ImageBitmap),
    /// A drawing that is as sharp at any size; browsers make no bitmap of one.
    Drawing(
        HtmlImageElement,
        #[expect(dead_code, reason = "the element needs it")] ObjectUrl,
    ),
}

impl Decoded {
    /// Decodes an image in any format that this browser displays; with `height`, an upright bitmap of about so many rows.
    pub(crate) async fn new(file: &Blob, height: Option<u32>) -> Result<Self, JsValue> {
        let head = read::head(file, format::HEAD_BYTES).await?;
        match Format::of(&head) {
            Some(Format::Browser(BrowserFormat::Svg)) => Self::drawing(file).await,
            Some(Format::WebP) => match orientation::of_webp(file, &head).await {
                Some(turned) => Self::bitmap(&turned.plain, turned.orientation, height).await,
                None => Self::bitmap(file, 1, height).await,
            },
            _ => Self::bitmap(file, 1, height).await,
        }
    }

    async fn bitmap(file: &Blob, orientation: u8, height: Option<u32>) -> Result<Self, JsValue> {
        let options = ImageBitmapOptions::new();
        options.set_image_orientation(ImageOrientation::FromImage);
        if let Some(height) = height {
            options.set_resize_quality(ResizeQuality::Medium);
            if orientation::swaps_axes(orientation) {
                options.set_resize_width(height);
            } else {
                options.set_resize_height(height);
            }
        }
        let decoding =
            window().create_image_bitmap_with_blob_and_image_bitmap_options(file, &options)?;
        let bitmap: ImageBitmap = JsFuture::from(decoding).await?.dyn_into()?;
        Ok(Self {
            width: f64::from(bitmap.width()),
            height: f64::from(bitmap.height()),
            pixels: Pixels::Bitmap(bitmap),
            orientation,
        })
    }

    async fn drawing(file: &Blob) -> Result<Self, JsValue> {
        let url = ObjectUrl::new(&svg(file)?)?;
        let element = HtmlImageElement::new()?;
        element.set_src(url.as_str());
        JsFuture::from(element.decode()).await?;
        let (width, height) = (element.natural_width(), element.natural_height());
        if width == 0 || height == 0 {
            return Err(JsValue::NULL);
        }
        Ok(Self {
            width: f64::from(width),
            height: f64::from(height),
            pixels: Pixels::Drawing(element, url),
            orientation: 1,
        })
    }

    /// Columns and rows of the upright image.
    pub(crate) fn size(&self) -> (f64, f64) {
        if orientation::swaps_axes(self.orientation) {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        }
    }

    /// Whether it is as sharp when it is enlarged.
    pub(crate) fn is_drawing(&self) -> bool {
        matches!(self.pixels, Pixels::Drawing(..))
    }

    /// Draws it upright into the rectangle `[left, top, width, height]` of a canvas.
    pub(crate) fn draw(
        &self,
        context: &CanvasRenderingContext2d,
        [left, top, width, height]: [f64; 4],
    ) -> Result<(), JsValue> {
        let (upright_width, upright_height) = self.size();
        let [a, b, c, d, e, f] = orientation::transform(self.orientation, self.width, self.height);
        context.save();
        context.translate(left, top)?;
        context.scale(width / upright_width, height / upright_height)?;
        context.transform(a, b, c, d, e, f)?;
        match &self.pixels {
            Pixels::Bitmap(bitmap) => {
                context.draw_image_with_image_bitmap(bitmap, 0.0, 0.0)?;
            }
            Pixels::Drawing(element, _) => context
                .draw_image_with_html_image_element_and_dw_and_dh(
                    element,
                    0.0,
                    0.0,
                    self.width,
                    self.height,
                )?,
        }
        context.restore();
        Ok(())
    }
}

impl Drop for Pixels {
    fn drop(&mut self) {
        if let Self::Bitmap(bitmap) = self {
            bitmap.close();
        }
    }
}

/// The same file under the media type without which browsers display no SVG.
pub(crate) fn svg(file: &Blob) -> Result<Blob, JsValue> {
    let kind = BlobPropertyBag::new();
    kind.set_type(BrowserFormat::Svg.media_type());
    Blob::new_with_blob_sequence_and_options(&js_sys::Array::of1(file), &kind)
}
