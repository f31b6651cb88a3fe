use bytes::Bytes;
use imageclassifier_model::{
    Classifier, Crop, DecodedImage, EncodedImage, ImportedNetwork, ImportedRunner, Inference,
    Input, InvalidImage, Logits, Network, NetworkError, Ranking, Runner, ThreadTeam, Weights,
};

/// What a worker does with an image, and the buffers that it needs. A trait, so that tests can provide stages that are
/// slow, panic or die.
pub trait Stages: Send {
    /// Decodes, crops and resizes for `classifier`'s network. There is no crop if that sees the whole image as a square.
    ///
    /// # Errors
    /// If the bytes are not an image that is accepted.
    fn prepare(
        &mut self,
        image: &EncodedImage<Bytes>,
        classifier: &Classifier,
    ) -> Result<(Input, Option<Crop>), InvalidImage>;

    /// Runs `classifier`'s network on as many threads as `team` has. Keeps the last feature map if `explain` is set.
    ///
    /// # Errors
    /// If the network's answer is not finite.
    fn infer(
        &mut self,
        input: Input,
        classifier: &Classifier,
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
    /// Of the models with networks of their own that were asked for last.
    imported: Vec<ImportedRunner>,
}

/// Networks besides the built-in one whose buffers a thread keeps: those of a large one take 20 MB.
const IMPORTED_RUNNERS_MAX: usize = 4;

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
            imported: Vec::new(),
        })
    })
}

impl Stages for NetworkStages {
    fn prepare(
        &mut self,
        image: &EncodedImage<Bytes>,
        classifier: &Classifier,
    ) -> Result<(Input, Option<Crop>), InvalidImage> {
        let Some(network) = classifier.network() else {
            let decoded = DecodedImage::decode(image, self.pixels_max, self.input_size)?;
            return Ok((Input::prepare(&decoded), decoded.crop()));
        };
        let preprocessing = network.preprocessing();
        let decoded = DecodedImage::decode(image, self.pixels_max, preprocessing.view())?;
        Ok((Input::prepare_for(&decoded, preprocessing), decoded.crop()))
    }

    fn infer(
        &mut self,
        input: Input,
        classifier: &Classifier,
        team: &mut ThreadTeam,
        explain: bool,
    ) -> Result<Inference, NetworkError> {
        match classifier.network() {
            None => self.runner.infer(input, team, explain),
            Some(network) => self.imported(network).infer(&input, team, explain),
        }
    }
}

impl NetworkStages {
    /// The runner of `network`. It becomes the one most recently used, which is dropped last.
    fn imported(&mut self, network: &ImportedNetwork) -> &mut ImportedRunner {
        let runners = &mut self.imported;
        let runner = match runners.iter().position(|it| it.network().is(network)) {
            Some(index) => runners.remove(index),
            None => network.runner(),
        };
        runners.truncate(IMPORTED_RUNNERS_MAX - 1);
        runners.insert(0, runner);
        &mut runners[0]
    }
}
