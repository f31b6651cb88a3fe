//! Stages that do what the image tells them: wait, panic, die.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use imageclassifier_model::{
    CLASSES, Classifier, Crop, CropSquare, Embedding, EncodedImage, Inference, Input, InvalidImage,
    Logits, NetworkError, Ranking, ThreadTeam, Variant,
};
use imageclassifier_proto::ClassifyImageRequest;
use imageclassifier_server::{MakeStages, Stages};

/// What every scripted image begins with: the first bytes of a PNG.
const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What the stages of one server have been through.
#[derive(Clone, Default)]
pub(crate) struct Script {
    decodes: Arc<AtomicUsize>,
    inferences: Arc<AtomicUsize>,
    started: Arc<AtomicUsize>,
    dead: Arc<AtomicBool>,
}

/// A request whose image is an order: "sleep MILLISECONDS", "panic in decode", "panic in inference",
/// "panic in ranking", "die".
pub(crate) fn order(text: &str) -> ClassifyImageRequest {
    ClassifyImageRequest {
        image_data: [MAGIC, text.as_bytes()].concat().into(),
        ..Default::default()
    }
}

impl Script {
    pub(crate) fn stages(&self) -> Box<MakeStages> {
        let script = self.clone();
        Box::new(move |_| {
            assert!(!script.dead.load(Ordering::SeqCst), "the worker stays dead");
            script.started.fetch_add(1, Ordering::SeqCst);
            Box::new(Scripted {
                script: script.clone(),
                order: String::new(),
            })
        })
    }

    /// Workers that have been started.
    pub(crate) fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    /// Images that reached the network.
    pub(crate) fn inferences(&self) -> usize {
        self.inferences.load(Ordering::SeqCst)
    }

    pub(crate) fn decodes(&self) -> usize {
        self.decodes.load(Ordering::SeqCst)
    }

    /// Workers that start from now on die at once.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    pub(crate) fn revive(&self) {
        self.dead.store(false, Ordering::SeqCst);
    }
}

struct Scripted {
    script: Script,
    order: String,
}

impl Stages for Scripted {
    fn prepare(
        &mut self,
        image: &EncodedImage<Bytes>,
        _: &Classifier,
    ) -> Result<(Input, Option<Crop>), InvalidImage> {
        self.script.decodes.fetch_add(1, Ordering::SeqCst);
        let order = image.bytes().strip_prefix(MAGIC).unwrap_or_default();
        self.order = String::from_utf8(order.to_vec()).unwrap();
        if let Some(milliseconds) = self.order.strip_prefix("sleep ") {
            thread::sleep(Duration::from_millis(milliseconds.parse().unwrap()));
        }
        if self.order == "die" {
            self.script.dead.store(true, Ordering::SeqCst);
        }
        assert!(
            !["panic in decode", "die"].contains(&self.order.as_str()),
            "ordered, secretly"
        );
        let crop = Crop {
            square: CropSquare::centre_of(1, 1, 1.0),
            image_width: 1,
            image_height: 1,
        };
        Ok((Input::from_values(1, vec![0.0; 3]).unwrap(), Some(crop)))
    }

    fn infer(
        &mut self,
        _: Input,
        _: &Classifier,
        _: &mut ThreadTeam,
        _: bool,
    ) -> Result<Inference, NetworkError> {
        self.script.inferences.fetch_add(1, Ordering::SeqCst);
        assert_ne!(self.order, "panic in inference", "ordered, secretly");
        if self.order == "not finite" {
            return Err(NetworkError::NotFinite);
        }
        Ok(Inference {
            logits: Logits::new(&[0.0; CLASSES]).unwrap(),
            embedding: Embedding::new(vec![0.0; Variant::Lite0.channels()]),
            features: None,
        })
    }

    fn rank(
        &self,
        classifier: &Classifier,
        inference: &Inference,
        top_k: usize,
    ) -> Result<(Logits, Ranking), NetworkError> {
        assert_ne!(self.order, "panic in ranking", "ordered, secretly");
        let logits = classifier.logits(inference)?;
        let ranking = classifier.rank(&logits, top_k);
        Ok((logits, ranking))
    }
}
