use leptos::prelude::*;

use crate::{
    settings::{language::said, storage},
    texts::Language,
};

/// The key in the browser's storage. It is set only if large images are sent unchanged.
const KEY: &str = "imageclassifier.shrink";
const OFF: &str = "off";

/// Whether large images are shrunk. The visitor can turn this off.
pub(crate) fn remembered() -> bool {
    let kept = storage::local().and_then(|storage| storage.get_item(KEY).ok().flatten());
    kept.as_deref() != Some(OFF)
}

/// The switch for shrinking.
#[component]
pub(crate) fn ShrinkSwitch(shrinking: RwSignal<bool>) -> impl IntoView {
    let change = move |event| {
        let on = event_target_checked(&event);
        shrinking.set(on);
        remember(on);
    };
    view! {
        <label class="shrink">
            <input type="checkbox" prop:checked=move || shrinking.get() on:change=change />
            {said(Language::shrink_large)}
        </label>
    }
}

fn remember(on: bool) {
    if let Some(storage) = storage::local() {
        let _ = if on {
            storage.remove_item(KEY)
        } else {
            storage.set_item(KEY, OFF)
        };
    }
}
