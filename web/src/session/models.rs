use imageclassifier_client::{Classifier, ModelState, ModelSummary};
use leptos::{prelude::*, task::spawn_local};

use crate::{
    session::server::{CROP_FRACTION, Limits, Model},
    settings::model_choice,
};

/// The model that requests use, and what the server says of it and of the others. A handle: copies mean the same choice.
#[derive(Clone, Copy)]
pub(crate) struct Models {
    classifier: StoredValue<Classifier, LocalStorage>,
    /// The chosen name. Empty means the server's default model.
    chosen: RwSignal<String>,
    offered: RwSignal<Offered>,
    accepts_feedback: RwSignal<bool>,
    model: RwSignal<Model>,
    limits: StoredValue<Limits>,
}

/// The models that can be chosen, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offered {
    /// In the server's order. Each name stands for that model's current version.
    pub(crate) names: Vec<String>,
    default: String,
}

impl Models {
    /// The choice that this tab remembers, at the server of `classifier`.
    pub(super) fn new(classifier: StoredValue<Classifier, LocalStorage>) -> Self {
        let models = Self {
            classifier,
            chosen: RwSignal::new(model_choice::remembered()),
            offered: RwSignal::default(),
            accepts_feedback: RwSignal::new(false),
            model: RwSignal::new(Model::default()),
            limits: StoredValue::new(Limits::default()),
        };
        models.learn();
        models
    }

    pub(crate) fn offered(self) -> ReadSignal<Offered> {
        self.offered.read_only()
    }

    /// Whether the server keeps images with their correct class.
    pub(crate) fn accepts_feedback(self) -> ReadSignal<bool> {
        self.accepts_feedback.read_only()
    }

    /// The description of the model that requests use.
    pub(crate) fn model(self) -> ReadSignal<Model> {
        self.model.read_only()
    }

    /// What the server accepts, as far as it is known.
    pub(crate) fn limits(self) -> Limits {
        self.limits.get_value()
    }

    /// The name to send with requests.
    pub(super) fn chosen(self) -> String {
        self.chosen.get_untracked()
    }

    /// The name that programs have to send; empty for the default model.
    pub(crate) fn name_for_programs(self) -> String {
        self.chosen.with(|chosen| {
            let is_default = self.offered.with(|offered| offered.default == *chosen);
            if is_default {
                String::new()
            } else {
                chosen.clone()
            }
        })
    }

    /// Whether the menu shows this name as chosen.
    pub(crate) fn is_chosen(self, name: &str) -> bool {
        self.chosen.with(|chosen| {
            self.offered
                .with(|offered| offered.name_or_default(chosen) == name)
        })
    }

    /// Uses this model from now on, in this tab.
    pub(crate) fn choose(self, name: &str) {
        model_choice::remember(name);
        self.chosen.set(name.to_owned());
        self.describe();
    }

    /// Uses this model if the server has it: the one that a link to a result names.
    pub(super) fn adopt(self, name: &str) {
        let is_offered = self.offered.with_untracked(|offered| offered.has(name));
        let is_other = self.chosen.with_untracked(|chosen| {
            self.offered
                .with_untracked(|offered| offered.name_or_default(chosen) != name)
        });
        if is_offered && is_other {
            self.choose(name);
        }
    }

    /// Uses the default model instead of one that the server no longer has.
    pub(super) fn leave_missing(self) {
        if !self.chosen().is_empty() {
            self.choose("");
            self.learn();
        }
    }

    /// Asks the server for its models and for the description of the chosen one.
    pub(super) fn learn(self) {
        self.describe();
        let classifier = self.classifier.get_value();
        spawn_local(async move {
            // A server that is too old to list its models has one, and needs no menu.
            let Ok(list) = classifier.model_list().await else {
                return;
            };
            self.accepts_feedback.set(list.accepts_feedback);
            let offered = Offered::of(list.models);
            let chosen = self.chosen();
            let is_missing = !chosen.is_empty() && !offered.has(&chosen);
            self.offered.set(offered);
            if is_missing {
                self.choose("");
            }
        });
    }

    /// Fetches the description of the model again if a result came from another revision.
    pub(super) fn describe_unless(self, revision: &str) {
        if self
            .model
            .with_untracked(|model| model.revision != revision)
        {
            self.describe();
        }
    }

    /// Without the description the contract's limits stand; the server checks its own in any case.
    fn describe(self) {
        let classifier = self.classifier.get_value();
        let chosen = self.chosen();
        spawn_local(async move {
            let Ok(model) = classifier.model(&chosen).await else {
                return;
            };
            // Another one may have been chosen meanwhile.
            if self.chosen() != chosen {
                return;
            }
            if let Some(limits) = model.limits {
                self.limits.set_value(Limits {
                    image_bytes_max: limits.image_bytes_max,
                    batch_images_max: limits.batch_images_max.max(1) as usize,
                    media_types: limits.media_types.into(),
                });
            }
            let preprocessing = model.preprocessing.unwrap_or_default();
            self.model.set(Model {
                revision: model.revision,
                weights_digest: model.weights_digest,
                preprocessing: preprocessing.version,
                input_size: model.input_size,
                crop_fraction: match preprocessing.crop_fraction {
                    // Of a server that does not say it.
                    0.0 => CROP_FRACTION,
                    fraction => fraction.into(),
                },
                squash: preprocessing.squash,
                labels: model.labels.into(),
            });
        });
    }
}

impl Offered {
    /// A broken version is left out; its model is offered if another version works.
    fn of(models: Vec<ModelSummary>) -> Self {
        let mut offered = Self::default();
        let usable =
            |model: &ModelSummary| model.is_current && model.state() == ModelState::Serving;
        for model in models.into_iter().filter(usable) {
            if model.is_default {
                offered.default.clone_from(&model.name);
            }
            offered.names.push(model.name);
        }
        offered
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|offered| offered == name)
    }

    fn name_or_default<'a>(&'a self, name: &'a str) -> &'a str {
        if name.is_empty() { &self.default } else { name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str, version: u64, state: ModelState, is_current: bool) -> ModelSummary {
        ModelSummary {
            name: name.to_owned(),
            version,
            state: state.into(),
            is_current,
            is_default: is_current && name == "lite0",
            ..ModelSummary::default()
        }
    }

    #[test]
    fn each_model_with_a_working_version_is_offered_once() {
        let offered = Offered::of(vec![
            version("broken", 0, ModelState::Broken, false),
            version("lite0", 0, ModelState::Serving, true),
            version("trees", 3, ModelState::Broken, false),
            version("trees", 2, ModelState::Serving, true),
            version("trees", 1, ModelState::Serving, false),
            version("unloaded", 0, ModelState::Unloaded, false),
        ]);
        assert_eq!(offered.names, ["lite0", "trees"]);
        assert!(offered.has("trees") && !offered.has("broken"));
        assert_eq!(offered.name_or_default(""), "lite0");
        assert_eq!(offered.name_or_default("trees"), "trees");
    }
}
