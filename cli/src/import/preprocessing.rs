//! How images are prepared, from wherever it is written.

use imageclassifier_model::{ChannelOrder, Filter, Framing, Preprocessing};
use serde_json::Value;

use super::{network::Network, source::Source};
use crate::args::{self, ImportFilter, Preset};

/// What is known so far; values are for channels from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Known {
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    filter: Option<Filter>,
    framing: Option<Framing>,
}

/// # Errors
/// If something is not known: what to write.
pub(super) fn preprocessing(
    args: &args::Import,
    source: &Source,
    network: &Network,
) -> Result<Preprocessing, String> {
    let input_size = network.input_size;
    let known = of_args(args)
        .or(source
            .preprocessor
            .as_ref()
            .map(|it| of_hugging_face(it, input_size))
            .unwrap_or_default())
        .or(source.config.as_ref().and_then(of_timm).unwrap_or_default())
        .or(of_ultralytics(network))
        .or(args.preprocessing.map(of_preset).unwrap_or_default());
    let Known {
        mean: Some(mean),
        std: Some(std),
        filter: Some(filter),
        framing: Some(framing),
    } = known
    else {
        let missing: Vec<_> = [
            (known.mean.is_none(), "--mean"),
            (known.std.is_none(), "--std"),
            (known.filter.is_none(), "--filter"),
            (known.framing.is_none(), "--crop-fraction or --squash"),
        ]
        .into_iter()
        .filter_map(|(is_missing, option)| is_missing.then_some(option))
        .collect();
        return Err(format!(
            "nothing says how images are prepared: add {}, or --preprocessing torchvision (ImageNet's mean and deviation, bilinear, centre 7/8), inception (-1 to 1, bicubic, centre 7/8) or unit (0 to 1, bilinear, whole centre square)",
            missing.join(", ")
        ));
    };
    let in_bytes = |values: [f32; 3]| values.map(|value| value * 255.0);
    Ok(Preprocessing {
        version: String::new(),
        input_size,
        framing,
        filter,
        order: if args.bgr {
            ChannelOrder::Bgr
        } else {
            ChannelOrder::Rgb
        },
        mean: in_bytes(mean),
        scale: in_bytes(std),
    })
}

impl Known {
    /// What is known here, or else there.
    fn or(self, other: Self) -> Self {
        Self {
            mean: self.mean.or(other.mean),
            std: self.std.or(other.std),
            filter: self.filter.or(other.filter),
            framing: self.framing.or(other.framing),
        }
    }
}

fn of_args(args: &args::Import) -> Known {
    Known {
        mean: args.mean,
        std: args.std,
        filter: args.filter.map(|filter| match filter {
            ImportFilter::Bilinear => Filter::Bilinear,
            ImportFilter::Bicubic => Filter::CatmullRom,
            ImportFilter::Lanczos => Filter::Lanczos3,
        }),
        framing: if args.squash {
            Some(Framing::Squash)
        } else {
            args.crop_fraction.map(Framing::ResizeThenCrop)
        },
    }
}

const CENTRE: Framing = Framing::ResizeThenCrop(0.875);

fn of_preset(preset: Preset) -> Known {
    let (mean, std, filter, framing) = match preset {
        Preset::Torchvision => (
            [0.485, 0.456, 0.406],
            [0.229, 0.224, 0.225],
            Filter::Bilinear,
            CENTRE,
        ),
        Preset::Inception => ([0.5; 3], [0.5; 3], Filter::CatmullRom, CENTRE),
        Preset::Unit => (
            [0.0; 3],
            [1.0; 3],
            Filter::Bilinear,
            Framing::ResizeThenCrop(1.0),
        ),
    };
    Known {
        mean: Some(mean),
        std: Some(std),
        filter: Some(filter),
        framing: Some(framing),
    }
}

fn three(value: &Value) -> Option<[f32; 3]> {
    let values: Option<Vec<f32>> = value.as_array()?.iter().map(number).collect();
    values?.try_into().ok()
}

#[allow(clippy::cast_possible_truncation, reason = "means are small")]
fn number(value: &Value) -> Option<f32> {
    value.as_f64().map(|value| value as f32)
}

/// timm's `pretrained_cfg`.
fn of_timm(config: &Value) -> Option<Known> {
    let config = config.get("pretrained_cfg")?;
    let fraction = config.get("crop_pct").and_then(Value::as_f64);
    Some(Known {
        mean: config.get("mean").and_then(three),
        std: config.get("std").and_then(three),
        filter: match config.get("interpolation").and_then(Value::as_str) {
            Some("bilinear") => Some(Filter::Bilinear),
            Some("bicubic") => Some(Filter::CatmullRom),
            Some("lanczos") => Some(Filter::Lanczos3),
            _ => None,
        },
        framing: match config.get("crop_mode").and_then(Value::as_str) {
            Some("squash") if fraction == Some(1.0) => Some(Framing::Squash),
            None | Some("center") => fraction.map(Framing::ResizeThenCrop),
            _ => None,
        },
    })
}

/// Hugging Face's `preprocessor_config.json`.
fn of_hugging_face(config: &Value, input_size: u32) -> Known {
    let is =
        |name: &str, default: bool| config.get(name).and_then(Value::as_bool).unwrap_or(default);
    let side = |value: &Value| {
        let side = value.as_f64();
        side.or_else(|| value.get("shortest_edge")?.as_f64())
            .or_else(|| {
                let (height, width) = (
                    value.get("height")?.as_f64()?,
                    value.get("width")?.as_f64()?,
                );
                (height == width).then_some(height)
            })
    };
    let size = config.get("size");
    let keeps_ratio =
        size.is_some_and(|size| size.is_number() || size.get("shortest_edge").is_some());
    let crops = is("do_center_crop", false);
    let resized = size.and_then(side);
    let framing = match (
        crops,
        resized,
        config.get("crop_pct").and_then(Value::as_f64),
    ) {
        // ConvNeXt's: from 384 on, the whole image becomes a square, whatever `crop_pct` is.
        (_, Some(resized), Some(_)) if resized >= 384.0 => Some(Framing::Squash),
        // Below, the shorter side becomes size / crop_pct, of which the centre is taken.
        (_, _, Some(fraction)) => Some(Framing::ResizeThenCrop(fraction)),
        (true, Some(resized), None) if keeps_ratio => Some(Framing::ResizeThenCrop(
            (f64::from(input_size) / resized).min(1.0),
        )),
        (false, Some(_), None) if !keeps_ratio => Some(Framing::Squash),
        (false, Some(_), None) if size.is_some_and(Value::is_number) => Some(Framing::Squash),
        _ => None,
    };
    // Without `do_rescale` or with another factor, means are not for 0 to 1.
    let factor = config
        .get("rescale_factor")
        .and_then(Value::as_f64)
        .unwrap_or(1.0 / 255.0);
    let rescales = is("do_rescale", true) && (factor * 255.0 - 1.0).abs() < 1e-3;
    let normalises = is("do_normalize", true);
    let parameter = |name: &str, without: f32| match (rescales, normalises) {
        (true, true) => config.get(name).and_then(three),
        (true, false) => Some([without; 3]),
        (false, _) => None,
    };
    Known {
        mean: parameter("image_mean", 0.0),
        std: parameter("image_std", 1.0),
        // As Pillow numbers them.
        filter: match config.get("resample").and_then(Value::as_u64) {
            Some(1) => Some(Filter::Lanczos3),
            Some(2) => Some(Filter::Bilinear),
            Some(3) => Some(Filter::CatmullRom),
            _ => None,
        },
        framing,
    }
}

/// Ultralytics classifiers: values from 0 to 1, the whole centre square.
fn of_ultralytics(network: &Network) -> Known {
    let is = |key: &str, value: &str| network.metadata.get(key).is_some_and(|it| it == value);
    if is("author", "Ultralytics") && is("task", "classify") {
        return of_preset(Preset::Unit);
    }
    Known::default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_timms_and_hugging_faces_configurations() {
        let timm = json!({"pretrained_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic", "crop_pct": 0.9}});
        let known = of_timm(&timm).unwrap();
        assert_eq!(known.mean, Some([0.5; 3]));
        assert_eq!(known.filter, Some(Filter::CatmullRom));
        assert_eq!(known.framing, Some(Framing::ResizeThenCrop(0.9)));

        // What is there is used even if something is missing.
        for interpolation in [json!(null), json!("random")] {
            let mut config = timm.clone();
            config["pretrained_cfg"]["interpolation"] = interpolation;
            let expected = Known {
                filter: None,
                ..known
            };
            assert_eq!(of_timm(&config), Some(expected));
        }
        let only_means = json!({"pretrained_cfg": {"mean": [0.5, 0.5, 0.5]}});
        assert_eq!(of_timm(&only_means).unwrap().mean, Some([0.5; 3]));

        let means =
            json!({"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25], "resample": 2});
        for (more, framing) in [
            (
                json!({"size": {"height": 224, "width": 224}}),
                Some(Framing::Squash),
            ),
            (
                json!({"size": {"shortest_edge": 256}, "do_center_crop": true, "crop_size": 224}),
                Some(CENTRE),
            ),
            (json!({"size": 256, "do_center_crop": true}), Some(CENTRE)),
            (
                json!({"size": {"shortest_edge": 224}, "crop_pct": 0.875}),
                Some(CENTRE),
            ),
            (
                json!({"size": {"shortest_edge": 384}, "crop_pct": 0.875}),
                Some(Framing::Squash),
            ),
            (json!({"size": {"shortest_edge": 224}}), None),
            (
                json!({"size": {"shortest_edge": 224}, "crop_pct": null}),
                None,
            ),
        ] {
            let mut config = means.clone();
            config
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let known = of_hugging_face(&config, 224);
            assert_eq!(known.framing, framing, "{more}");
            assert_eq!(known.std, Some([0.25; 3]));
            assert_eq!(known.filter, Some(Filter::Bilinear));
        }
    }
}
