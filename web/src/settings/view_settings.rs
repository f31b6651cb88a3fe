use imageclassifier_crop::heat::OPACITY_PERCENT;
use leptos::prelude::*;

/// How many classes can be shown.
pub(crate) const TOPS: [usize; 3] = [5, 10, 20];

/// Each request asks for this many, so that showing more classes needs no further request.
pub(crate) const TOP_MAX: u32 = 20;

/// What is shown of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Original,
    /// The square that the network saw, with its pixels.
    ModelInput,
    /// The image under the evidence for a class.
    Heatmap,
}

/// How images and results are shown; it stays the same from one image to the next. A handle: copies mean the same settings.
#[derive(Clone, Copy)]
pub(crate) struct ViewSettings {
    /// How many of the classes are shown.
    pub(crate) top: RwSignal<usize>,
    /// Whether each class is shown with its synonyms.
    pub(crate) names: RwSignal<bool>,
    pub(crate) view: RwSignal<View>,
    /// The position in the answer of the class whose evidence is shown.
    pub(crate) class: RwSignal<usize>,
    /// Opacity of the heatmap, 0 to 100.
    pub(crate) opacity_percent: RwSignal<u32>,
}

impl ViewSettings {
    /// Provides the settings to all components.
    pub(crate) fn provide() {
        provide_context(Self {
            top: RwSignal::new(TOPS[0]),
            names: RwSignal::new(false),
            view: RwSignal::new(View::Original),
            class: RwSignal::new(0),
            opacity_percent: RwSignal::new(OPACITY_PERCENT),
        });
    }

    pub(crate) fn current() -> Self {
        expect_context()
    }
}
