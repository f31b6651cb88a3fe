use imageclassifier_checkpoints::Architecture;
use serde::{Deserialize, Serialize};

use super::{Classes, ImportedModel};
use crate::{
    Activation, ChannelOrder, Filter, Framing, ModelFolderProblem, Preprocessing,
    folder::{self, files, format::Format},
};

/// The steps that are not in the file: orientation, transparent pixels, how the resize rounds.
const VERSION: &str = "4";
/// As `imageclassifier_onnx` accepts.
const INPUT_SIZE_MAX: u32 = 4096;

/// `config.json` of a model with a network of its own.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Config {
    format: u32,
    /// With `network.safetensors`: what its weights belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    architecture: Option<String>,
    pub(super) labels: Vec<String>,
    /// `softmax` or `sigmoid`.
    activation: String,
    preprocessing: PreprocessingConfig,
    #[serde(default)]
    pub(super) source: serde_json::Value,
    /// With a head: how it was trained.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub(super) training: serde_json::Value,
    /// The program that wrote the file.
    #[serde(default)]
    version: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct PreprocessingConfig {
    input_size: u32,
    /// `crop`, `crop-first` or `squash`.
    resize: String,
    /// With `crop`: `input_size` divided by the shorter side after resizing. With `crop-first`: the square's side as a fraction
    /// of the shorter side.
    #[serde(skip_serializing_if = "Option::is_none")]
    crop_fraction: Option<f64>,
    /// `bilinear`, `catmull-rom` or `lanczos3`.
    filter: String,
    /// `rgb` or `bgr`.
    channels: String,
    /// Subtracted from each channel value, 0 to 255.
    mean: [f32; 3],
    /// Divisors of the differences.
    scale: [f32; 3],
}

impl Config {
    pub(super) fn of(model: &ImportedModel) -> Self {
        let preprocessing = &model.preprocessing;
        let (format, training) = match &model.classes {
            Classes::Own { .. } => (Format::Network, serde_json::Value::Null),
            Classes::Trained(trained) => (Format::NetworkAndHead, trained.training.clone()),
        };
        let (resize, crop_fraction) = match preprocessing.framing {
            Framing::ResizeThenCrop(fraction) => ("crop", Some(fraction)),
            Framing::CropThenResize(fraction) => ("crop-first", Some(fraction)),
            Framing::Squash => ("squash", None),
        };
        Self {
            format: format.number(),
            architecture: (model.file.architecture()).map(|it| it.name().to_owned()),
            labels: model.labels().to_vec(),
            activation: model.activation().name().to_owned(),
            preprocessing: PreprocessingConfig {
                input_size: preprocessing.input_size,
                resize: resize.to_owned(),
                crop_fraction,
                filter: preprocessing.filter.name().to_owned(),
                channels: preprocessing.order.name().to_owned(),
                mean: preprocessing.mean,
                scale: preprocessing.scale,
            },
            source: model.source.clone(),
            training,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    pub(super) fn parse(json: &[u8]) -> Result<(Format, Self), ModelFolderProblem> {
        let format = Format::of(json)?;
        if format == Format::Head {
            return Err(ModelFolderProblem::NetworkUnexpected);
        }
        let config = serde_json::from_slice(json)
            .map_err(|error| ModelFolderProblem::Config(error.to_string()))?;
        Ok((format, config))
    }

    pub(super) fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("plain data");
        json + "\n"
    }

    /// Everything that answers depend on, besides the network.
    pub(super) fn answers(&self) -> String {
        let answers = (VERSION, &self.labels, &self.activation, &self.preprocessing);
        let json = serde_json::to_string(&answers).expect("plain data");
        // The same weights can belong to several.
        json + self.architecture.as_deref().unwrap_or_default()
    }

    pub(super) fn architecture(&self) -> Result<Option<Architecture>, ModelFolderProblem> {
        let Some(name) = &self.architecture else {
            return Ok(None);
        };
        let architecture = Architecture::named(name).ok_or_else(|| {
            ModelFolderProblem::Config(format!(
                "architecture is {name:?}, which this program does not know"
            ))
        })?;
        Ok(Some(architecture))
    }

    pub(super) fn activation(&self) -> Result<Activation, ModelFolderProblem> {
        folder::parse_activation(&self.activation)
    }

    pub(super) fn preprocessing(&self) -> Result<Preprocessing, ModelFolderProblem> {
        let config = &self.preprocessing;
        let problem = |problem: &str| ModelFolderProblem::Config(problem.to_owned());
        if !(1..=INPUT_SIZE_MAX).contains(&config.input_size) {
            return Err(problem("input_size is not 1 to 4096"));
        }
        let is_fraction = |fraction: f64| fraction > 0.0 && fraction <= 1.0;
        let framing = match (config.resize.as_str(), config.crop_fraction) {
            ("crop", Some(fraction)) if is_fraction(fraction) => Framing::ResizeThenCrop(fraction),
            ("crop-first", Some(fraction)) if is_fraction(fraction) => {
                Framing::CropThenResize(fraction)
            }
            ("squash", None) => Framing::Squash,
            _ => {
                let expected = "resize is not \"crop\" or \"crop-first\" with a crop_fraction over 0 and up to 1, or \"squash\" without one";
                return Err(problem(expected));
            }
        };
        let filter = Filter::ALL
            .into_iter()
            .find(|(_, name)| *name == config.filter);
        let (filter, _) = filter.ok_or_else(|| {
            problem("filter is not \"bilinear\", \"catmull-rom\" or \"lanczos3\"")
        })?;
        let order = [ChannelOrder::Rgb, ChannelOrder::Bgr].into_iter();
        let order = { order }.find(|order| order.name() == config.channels);
        let order = order.ok_or_else(|| problem("channels is not \"rgb\" or \"bgr\""))?;
        let bounded =
            |values: &[f32; 3], low: f32| values.iter().all(|value| (low..=1e6).contains(value));
        if !bounded(&config.mean, -1e6) || !bounded(&config.scale, 1e-6) {
            return Err(problem("mean or scale has a value that is out of range"));
        }
        let digest = files::digest(
            serde_json::to_string(config)
                .expect("plain data")
                .as_bytes(),
        );
        Ok(Preprocessing {
            version: format!("{VERSION}-{}", &digest[..8]),
            input_size: config.input_size,
            framing,
            filter,
            order,
            mean: config.mean,
            scale: config.scale,
        })
    }
}
