use bytes::Bytes;
use imageclassifier_model::{
    Crop, EncodedImage, FeatureMap, Input, Logits, Network, NetworkError, Picture, PictureError,
    Runner, Team,
};

/// What a compute thread does with a picture, and the buffers it does it in. A trait so that tests can be slow, panic and
/// die in its place.
pub trait Stages: Send {
    /// Decodes, crops and resizes.
    ///
    /// # Errors
    /// If the bytes are no picture that is taken.
    fn prepare(&mut self, image: &EncodedImage<Bytes>) -> Result<(Input, Crop), PictureError>;

    /// Runs the network, on as many threads as `team` has. The last feature map comes along if `explain` asks for it.
    ///
    /// # Errors
    /// If the network gives no finite answer.
    fn infer(
        &mut self,
        input: Input,
        team: &mut Team,
        explain: bool,
    ) -> Result<(Logits, Option<FeatureMap>), NetworkError>;
}

/// Makes the stages of one compute thread, which may share a picture with a team of as many threads as the argument says.
pub type MakeStages = dyn Fn(usize) -> Box<dyn Stages> + Send + Sync;

/// The real stages.
struct NetworkStages {
    pixels_max: u64,
    input_size: u32,
    runner: Runner,
}

/// Stages that run `network` on pictures of at most `pixels_max` pixels.
pub(crate) fn of_network(network: Network, input_size: u32, pixels_max: u64) -> Box<MakeStages> {
    Box::new(move |_| {
        Box::new(NetworkStages {
            pixels_max,
            input_size,
            runner: network.runner(),
        })
    })
}

impl Stages for NetworkStages {
    fn prepare(&mut self, image: &EncodedImage<Bytes>) -> Result<(Input, Crop), PictureError> {
        let picture = Picture::decode(image, self.pixels_max, self.input_size)?;
        Ok((Input::prepare(&picture), picture.crop()))
    }

    fn infer(
        &mut self,
        input: Input,
        team: &mut Team,
        explain: bool,
    ) -> Result<(Logits, Option<FeatureMap>), NetworkError> {
        if explain {
            let (logits, features) = self.runner.run_explained(input, team)?;
            Ok((logits, Some(features)))
        } else {
            Ok((self.runner.run(input, team)?, None))
        }
    }
}
