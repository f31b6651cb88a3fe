use leptos::prelude::*;

use crate::texts::Text;

/// A short text for screen readers, announced until the next image. A handle: copies mean the same notice.
#[derive(Clone, Copy)]
pub(crate) struct Notice(RwSignal<Option<Text>>);

impl Notice {
    pub(crate) fn provide() {
        provide_context(Self(RwSignal::new(None)));
    }

    pub(crate) fn current() -> Self {
        expect_context()
    }

    pub(crate) fn say(self, text: Text) {
        self.0.set(Some(text));
    }

    pub(crate) fn latest(self) -> Option<Text> {
        self.0.get()
    }

    pub(crate) fn clear(self) {
        self.0.set(None);
    }
}
