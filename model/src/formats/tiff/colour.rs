use ::tiff::ColorType;
use image::DynamicImage;

use super::super::pixels::Channels;

/// What the samples of a pixel mean.
pub(super) enum Colour {
    Grey,
    /// Grey with a second channel that is not alpha.
    GreyAndMore,
    GreyAlpha {
        /// As in [`Self::Rgba`].
        premultiplied: bool,
    },
    Rgb,
    Rgba {
        /// Whether the colours have been multiplied by alpha.
        premultiplied: bool,
    },
    Cmyk,
    YCbCr,
    Palette(Vec<[u8; 3]>),
}

const ASSOCIATED_ALPHA: u32 = 1;
const UNASSOCIATED_ALPHA: u32 = 2;

impl Colour {
    /// `None` for colours that are not decoded. `extra` is the file's description of the first sample that is not a colour.
    pub(super) fn of(
        color_type: ColorType,
        extra: Option<u32>,
        palette: Option<Vec<[u8; 3]>>,
    ) -> Option<Self> {
        let is_alpha = matches!(extra, Some(ASSOCIATED_ALPHA | UNASSOCIATED_ALPHA));
        let premultiplied = extra == Some(ASSOCIATED_ALPHA);
        Some(match (color_type, palette) {
            (ColorType::Gray(1..=8), Some(colours)) => Self::Palette(colours),
            (ColorType::Gray(_), None) => Self::Grey,
            (ColorType::Multiband { num_samples: 2, .. }, None) if is_alpha => {
                Self::GreyAlpha { premultiplied }
            }
            (ColorType::Multiband { num_samples: 2, .. }, None) => Self::GreyAndMore,
            (ColorType::RGB(_), None) => Self::Rgb,
            (ColorType::RGBA(_), None) => Self::Rgba { premultiplied },
            (ColorType::CMYK(_), None) => Self::Cmyk,
            (ColorType::YCbCr(8), None) => Self::YCbCr,
            _ => return None,
        })
    }

    /// Number of samples per pixel.
    pub(super) fn stored_channels(&self) -> usize {
        match self {
            Self::Grey | Self::Palette(_) => 1,
            Self::GreyAndMore | Self::GreyAlpha { .. } => 2,
            Self::Rgb | Self::YCbCr => 3,
            Self::Rgba { .. } | Self::Cmyk => 4,
        }
    }

    /// Whether samples are indices.
    pub(super) fn is_indexed(&self) -> bool {
        matches!(self, Self::Palette(_))
    }

    /// The image of these samples; it is white below its first `rows_present` rows.
    pub(super) fn image(
        &self,
        width: u32,
        height: u32,
        mut samples: Vec<u8>,
        rows_present: u32,
    ) -> DynamicImage {
        let channels = match self {
            Self::Grey => Channels::Grey,
            Self::GreyAndMore => {
                samples = samples.chunks_exact(2).map(|pixel| pixel[0]).collect();
                Channels::Grey
            }
            Self::GreyAlpha { premultiplied } => {
                if *premultiplied {
                    divide_all::<2>(&mut samples);
                }
                Channels::GreyAlpha
            }
            Self::Rgb => Channels::Rgb,
            Self::Rgba { premultiplied } => {
                if *premultiplied {
                    divide_all::<4>(&mut samples);
                }
                Channels::Rgba
            }
            Self::Cmyk => {
                let pixels = samples.len() / 4;
                for index in 0..pixels {
                    let pixel = [0, 1, 2, 3].map(|channel| samples[index * 4 + channel]);
                    samples[index * 3..index * 3 + 3].copy_from_slice(&cmyk_to_rgb(pixel));
                }
                samples.truncate(pixels * 3);
                Channels::Rgb
            }
            Self::YCbCr => {
                samples.as_chunks_mut().0.iter_mut().for_each(ycbcr_to_rgb);
                Channels::Rgb
            }
            Self::Palette(colours) => {
                let colour = |&index: &u8| colours.get(usize::from(index)).copied();
                samples = samples
                    .iter()
                    .flat_map(|index| colour(index).unwrap_or_default())
                    .collect();
                Channels::Rgb
            }
        };
        let row = width as usize * channels.count();
        samples[rows_present as usize * row..].fill(u8::MAX);
        channels.image(width, height, samples)
    }
}

/// Undoes the multiplication of pixels with `N` channels, the last of which is alpha.
fn divide_all<const N: usize>(samples: &mut [u8]) {
    let (pixels, _) = samples.as_chunks_mut::<N>();
    for pixel in pixels {
        if let Some((alpha, colours)) = pixel.split_last_mut() {
            divide_by_alpha(colours, *alpha);
        }
    }
}

fn divide_by_alpha(colours: &mut [u8], alpha: u8) {
    if alpha > 0 {
        for value in colours {
            let divided = (u32::from(*value) * 255 + u32::from(alpha) / 2) / u32::from(alpha);
            *value = u8::try_from(divided).unwrap_or(u8::MAX);
        }
    }
}

fn cmyk_to_rgb([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let light = |ink: u8| {
        let product = u32::from(255 - ink) * u32::from(255 - black);
        u8::try_from((product + 127) / 255).expect("at most 255")
    };
    [light(cyan), light(magenta), light(yellow)]
}

/// As in JPEG: ITU-R BT.601, full range.
fn ycbcr_to_rgb(pixel: &mut [u8; 3]) {
    let [y, cb, cr] = pixel.map(f32::from);
    let (cb, cr) = (cb - 128.0, cr - 128.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "conversion from floating point saturates"
    )]
    let to_byte = |value: f32| value.round() as u8;
    *pixel = [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(to_byte);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_alpha_rounds_saturates_and_keeps_transparent_pixels() {
        for (stored, divided) in [
            ([10, 100, 128, 128], [20, 199, 255, 128]),
            ([1, 2, 200, 3], [85, 170, 255, 3]),
            ([9, 0, 255, 255], [9, 0, 255, 255]),
            ([1, 2, 3, 0], [1, 2, 3, 0]),
        ] {
            let mut pixel = stored;
            divide_all::<4>(&mut pixel);
            assert_eq!(pixel, divided, "{stored:?}");
        }
        let mut grey = [10, 128, 9, 255, 1, 0];
        divide_all::<2>(&mut grey);
        assert_eq!(grey, [20, 128, 9, 255, 1, 0]);
    }
}
