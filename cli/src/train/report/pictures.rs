use std::{
    fs,
    io::Cursor,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use image::{ImageFormat, RgbImage, codecs::jpeg::JpegEncoder, imageops};
use imageclassifier_model::{ChannelOrder, Head, Input, Preprocessing};

use super::Subject;
use crate::{
    heatmap::overlay::{self, Canvas},
    local::{heatmap, network::LocalNetwork},
};

/// Pairs of confused classes that are shown, and photographs of each.
const PAIRS_MAX: usize = 6;
const PHOTOGRAPHS_PER_PAIR_MAX: usize = 4;
/// Photographs with suspicious labels that are shown.
const SUSPECTS_MAX: usize = 24;
/// Sharp on a phone's screen. All pictures together stay below a megabyte.
const SIDE_PIXELS: u32 = 176;
const JPEG_QUALITY: u8 = 78;

/// What the report shows of the photographs.
pub(super) struct Pictures {
    pub(super) pairs: Vec<Pair>,
    /// The first of the suspicious examples, in their order.
    pub(super) suspects: Vec<Picture>,
}

/// Photographs of one class that were taken for another: those of the `index`th of the confused pairs.
pub(super) struct Pair {
    pub(super) photographs: Vec<(Picture, f64)>,
}

/// A photograph as a `data:` URL; `None` if it can no longer be read.
#[derive(Clone, Default)]
pub(super) struct Picture {
    pub(super) file: String,
    pub(super) photograph: Option<String>,
    /// Where the likely class was seen.
    pub(super) heatmap: Option<String>,
}

/// A photograph to draw.
struct Order<'a> {
    file: String,
    path: &'a Path,
    heatmap_of: Option<usize>,
}

impl Pictures {
    /// Decodes only what is shown, on as many threads as there are cores.
    pub(super) fn draw(subject: &Subject) -> Self {
        let trained = subject.trained;
        let pairs = trained
            .evaluation
            .confusion
            .as_ref()
            .map(|confusion| confusion.worst_pairs());
        let pairs: Vec<_> = pairs
            .unwrap_or_default()
            .into_iter()
            .take(PAIRS_MAX)
            .map(|(label, predicted, _)| most_confident(subject, label, predicted))
            .collect();
        let suspects = trained.suspicious.iter().take(SUSPECTS_MAX);
        let suspects = suspects.map(|it| Order {
            file: subject.learned_from.name(it.example),
            path: &subject.learned_from.images[it.example].path,
            heatmap_of: Some(it.likely),
        });
        let confused = pairs.iter().flatten().map(|&(index, _)| Order {
            file: subject.measured_on.name(index),
            path: &subject.measured_on.images[index].path,
            heatmap_of: None,
        });
        let orders: Vec<_> = confused.chain(suspects).collect();
        let mut drawn = draw_all(&orders, subject.base.network(), subject.head).into_iter();
        let mut next = || drawn.next().expect("one for each order");
        let pair = |pair: &Vec<(usize, f64)>| Pair {
            photographs: pair.iter().map(|&(_, sure)| (next(), sure)).collect(),
        };
        Self {
            pairs: pairs.iter().map(pair).collect(),
            suspects: drawn.collect(),
        }
    }
}

/// Indices of the images of `label` that were taken for `predicted`, and how confidently; the most confident first.
fn most_confident(subject: &Subject, label: usize, predicted: usize) -> Vec<(usize, f64)> {
    let predictions = subject.trained.held_out.iter().enumerate();
    let mut found: Vec<_> = predictions
        .filter(|(_, it)| it.labels == [label] && it.top() == predicted)
        .map(|(index, it)| (index, it.probabilities[predicted]))
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found.truncate(PHOTOGRAPHS_PER_PAIR_MAX);
    found
}

fn draw_all(orders: &[Order], network: &LocalNetwork, head: &Head) -> Vec<Picture> {
    let next = AtomicUsize::new(0);
    let drawn: Vec<_> = orders.iter().map(|_| OnceLock::new()).collect();
    thread::scope(|scope| {
        for _ in 0..network.threads() {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(order) = orders.get(index) else {
                        return;
                    };
                    let picture = draw(order, network, head).unwrap_or_default();
                    let file = order.file.clone();
                    drawn[index].get_or_init(|| Picture { file, ..picture });
                }
            });
        }
    });
    let done = |slot: OnceLock<_>| slot.into_inner().expect("the threads have drawn all");
    drawn.into_iter().map(done).collect()
}

/// `None` if the file has changed since it was learned from, and can no longer be used.
fn draw(order: &Order, network: &LocalNetwork, head: &Head) -> Option<Picture> {
    let image = Bytes::from(fs::read(order.path).ok()?);
    let (input, _) = network.prepare(&image).ok()?;
    let square = small(&input, network.preprocessing());
    let photograph = Some(data_url(&square));
    let heatmap = match order.heatmap_of {
        None => None,
        Some(class) => {
            let inference = network.run(input, true).ok()?;
            let map = head.heatmap(inference.features.as_ref()?, &inference.embedding, class);
            let map = heatmap(map);
            let drawing = Canvas::whole(square).with(&map, overlay::peak(&[&map]))?;
            Some(data_url(&drawing))
        }
    };
    Some(Picture {
        file: String::new(),
        photograph,
        heatmap,
    })
}

/// The upright square that the network sees, so that the heatmap fits it.
fn small(input: &Input, preprocessing: &Preprocessing) -> RgbImage {
    let (pixels, _) = input.values().as_chunks::<3>();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "each value was made from a byte"
    )]
    let pixels = pixels.iter().flat_map(|pixel| {
        let byte = |at: usize| {
            (pixel[at] * preprocessing.scale[at] + preprocessing.mean[at]).round() as u8
        };
        match preprocessing.order {
            ChannelOrder::Rgb => [byte(0), byte(1), byte(2)],
            ChannelOrder::Bgr => [byte(2), byte(1), byte(0)],
        }
    });
    let image = RgbImage::from_raw(input.size(), input.size(), pixels.collect())
        .expect("an input has three values a pixel");
    imageops::thumbnail(&image, SIDE_PIXELS, SIDE_PIXELS)
}

fn data_url(image: &RgbImage) -> String {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    image
        .write_with_encoder(encoder)
        .expect("a small image can be written into memory");
    let format = ImageFormat::Jpeg.to_mime_type();
    format!("data:{format};base64,{}", STANDARD.encode(bytes.get_ref()))
}

#[cfg(test)]
mod tests {
    use imageclassifier_model::{Filter, Framing};

    use super::*;

    #[test]
    fn the_square_has_the_photographs_colours_whatever_the_network_reads() {
        let colour = [200, 100, 50];
        for order in [ChannelOrder::Rgb, ChannelOrder::Bgr] {
            let preprocessing = Preprocessing {
                version: String::new(),
                input_size: SIDE_PIXELS,
                framing: Framing::Squash,
                filter: Filter::Bilinear,
                order,
                mean: [123.7, 116.3, 103.5],
                scale: [58.4, 57.1, 57.4],
            };
            let read = match order {
                ChannelOrder::Rgb => [200.0, 100.0, 50.0],
                ChannelOrder::Bgr => [50.0, 100.0, 200.0],
            };
            let value = |at: usize| (read[at] - preprocessing.mean[at]) / preprocessing.scale[at];
            let count = SIDE_PIXELS as usize * SIDE_PIXELS as usize * 3;
            let values = (0..count).map(|at| value(at % 3)).collect();
            let input = Input::from_values(SIDE_PIXELS, values).unwrap();
            let square = small(&input, &preprocessing);
            assert!(square.pixels().all(|pixel| pixel.0 == colour), "{order:?}");
        }
    }
}
