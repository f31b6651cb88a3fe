use leptos::prelude::*;

/// How many classes can be shown.
pub(crate) const TOPS: [usize; 3] = [5, 10, 20];

/// As many are asked for with each picture, so that showing more needs no further call.
pub(crate) const TOP_MAX: u32 = 20;

/// How the visitor looks at pictures and answers: stays as it is from one picture to the next. A handle: copies mean the
/// same choices.
#[derive(Clone, Copy)]
pub(crate) struct Viewing {
    /// How many of the classes are shown.
    pub(crate) top: RwSignal<usize>,
    /// Whether each class is shown with all its names.
    pub(crate) names: RwSignal<bool>,
    /// Whether the picture is cut to the square that the network saw.
    pub(crate) seen: RwSignal<bool>,
    /// Whether it is shown where a class was seen.
    pub(crate) why: RwSignal<bool>,
    /// Which class that is: its place in the answer.
    pub(crate) class: RwSignal<usize>,
    /// How much the heatmap covers the picture, 0 to 100.
    pub(crate) cover_percent: RwSignal<u32>,
}

impl Viewing {
    /// Makes the choices known to all components.
    pub(crate) fn provide() {
        provide_context(Self {
            top: RwSignal::new(TOPS[0]),
            names: RwSignal::new(false),
            seen: RwSignal::new(false),
            why: RwSignal::new(false),
            class: RwSignal::new(0),
            cover_percent: RwSignal::new(65),
        });
    }

    pub(crate) fn known() -> Self {
        expect_context()
    }
}
