use bytes::Bytes;
use imageclassifier_model::{
    Classifier, Crop, DecodedImage, EncodedImage, Inference, Input, InvalidImage, Logits, Network,
    NetworkError, Ranking, Runner, ThreadTeam, Weights,
};

/// What a worker does with an image, and the buffers that it needs. A trait, so that tests can provide stages that are
/// slow, panic or die.
pub trait Stages: Send {
    /// Decodes, crops and resizes.
    ///
    /// # Errors
    /// If the bytes are not an image that is accepted.
    fn prepare(&mut self, image: &EncodedImage<Bytes>) -> Result<(Input, Crop), InvalidImage>;

    /// Runs the network on as many threads as `team` has. Keeps the last feature map if `explain` is set.
    ///
    /// # Errors
    /// If the network's answer is not finite.
    fn infer(
        &mut self,
        input: Input,
        team: &mut ThreadTeam,
        explain: bool,
    ) -> Result<Inference, NetworkError>;

    /// The `top_k` most probable classes of `classifier`.
    ///
    /// # Errors
    /// If a logit is not finite.
    fn rank(
        &self,
        classifier: &Classifier,
        inference: &Inference,
        top_k: usize,
    ) -> Result<(Logits, Ranking), NetworkError> {
        let logits = classifier.logits(inference)?;
        let ranking = classifier.rank(&logits, top_k);
        Ok((logits, ranking))
    }
}

/// Makes the stages of one compute thread, which may share an image with a team of as many threads as the argument says.
pub type MakeStages = dyn Fn(usize) -> Box<dyn Stages> + Send + Sync;

/// The real stages.
struct NetworkStages {
    pixels_max: u64,
    input_size: u32,
    runner: Runner,
}

/// Stages that run `network` on images of at most `pixels_max` pixels.
pub(crate) fn network_stages(
    network: Network,
    weights: &Weights,
    pixels_max: u64,
) -> Box<MakeStages> {
    let input_size = weights.variant().input_size();
    Box::new(move |_| {
        Box::new(NetworkStages {
            pixels_max,
            input_size,
            runner: network.runner(),
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
    ) -> Result<Inference, NetworkError> {
        self.runner.infer(input, team, explain)
    }
}
