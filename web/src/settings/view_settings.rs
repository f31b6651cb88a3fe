use leptos::prelude::*;

/// How many classes can be shown.
pub(crate) const TOPS: [usize; 3] = [5, 10, 20];

/// Each request asks for this many, so that showing more classes needs no further request.
pub(crate) const TOP_MAX: u32 = 20;

/// How images and results are shown; it stays the same from one image to the next. A handle: copies mean the same settings.
#[derive(Clone, Copy)]
pub(crate) struct ViewSettings {
    /// How many of the classes are shown.
    pub(crate) top: RwSignal<usize>,
    /// Whether each class is shown with its synonyms.
    pub(crate) names: RwSignal<bool>,
    /// Whether the image is cropped to the square that the network saw.
    pub(crate) seen: RwSignal<bool>,
    /// Whether a heatmap shows the evidence for a class.
    pub(crate) why: RwSignal<bool>,
    /// The position of that class in the answer.
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
            seen: RwSignal::new(false),
            why: RwSignal::new(false),
            class: RwSignal::new(0),
            opacity_percent: RwSignal::new(65),
        });
    }

    pub(crate) fn current() -> Self {
        expect_context()
    }
}
