use bytes::Bytes;
use imageclassifier_model::{
    Crop, DecodedImage, EncodedImage, Explainer, FeatureMap, Heatmap, Input, InvalidImage, Logits,
    Network, NetworkError, Ranking, Runner, ThreadTeam, Weights,
};

/// What a worker does with an image, and the buffers that it needs. A trait, so that tests can provide stages that are
/// slow, panic or die.
pub trait Stages: Send {
    /// Decodes, crops and resizes.
    ///
    /// # Errors
    /// If the bytes are not an image that is accepted.
    fn prepare(&mut self, image: &EncodedImage<Bytes>) -> Result<(Input, Crop), InvalidImage>;

    /// Runs the network on as many threads as `team` has. Also returns the last feature map if `explain` is set.
    ///
    /// # Errors
    /// If the network's answer is not finite.
    fn infer(
        &mut self,
        input: Input,
        team: &mut ThreadTeam,
        explain: bool,
    ) -> Result<(Logits, Option<FeatureMap>), NetworkError>;

    /// The `top_k` most probable classes, and the heatmap of each if there are features.
    fn rank(
        &self,
        logits: &Logits,
        features: Option<&FeatureMap>,
        top_k: usize,
    ) -> (Ranking, Option<Vec<Heatmap>>);
}

/// Makes the stages of one compute thread, which may share an image with a team of as many threads as the argument says.
pub type MakeStages = dyn Fn(usize) -> Box<dyn Stages> + Send + Sync;

/// The real stages.
struct NetworkStages {
    pixels_max: u64,
    input_size: u32,
    runner: Runner,
    explainer: Explainer,
}

/// Stages that run `network` on images of at most `pixels_max` pixels.
pub(crate) fn network_stages(
    network: Network,
    weights: &Weights,
    pixels_max: u64,
) -> Box<MakeStages> {
    let input_size = weights.variant().input_size();
    let explainer = Explainer::new(weights);
    Box::new(move |_| {
        Box::new(NetworkStages {
            pixels_max,
            input_size,
            runner: network.runner(),
            explainer: explainer.clone(),
        })
    })
}

impl Stages for NetworkStages {
    fn prepare(&mut self, image: &EncodedImage<Bytes>) -> Result<(Input, Crop), InvalidImage> {
        let decoded = DecodedImage::decode(image, self.pixels_max, self.input_size)?;
        Ok((Input::prepare(&decoded), decoded.crop()))
    }

    fn infer(
        &mut self,
        input: Input,
        team: &mut ThreadTeam,
        explain: bool,
    ) -> Result<(Logits, Option<FeatureMap>), NetworkError> {
        if explain {
            let (logits, features) = self.runner.run_explained(input, team)?;
            Ok((logits, Some(features)))
        } else {
            Ok((self.runner.run(input, team)?, None))
        }
    }

    fn rank(
        &self,
        logits: &Logits,
        features: Option<&FeatureMap>,
        top_k: usize,
    ) -> (Ranking, Option<Vec<Heatmap>>) {
        let ranking = Ranking::of(logits, top_k);
        let heatmaps = features.map(|features| {
            let classes = ranking.classes().iter();
            classes
                .map(|class| self.explainer.heatmap(features, class.index))
                .collect()
        });
        (ranking, heatmaps)
    }
}
