use leptos::prelude::*;

use crate::{
    preview::heat::{self, Heat},
    session::server::Model,
    settings::{
        language::{self, said},
        view_settings::{View, ViewSettings},
    },
    texts::{Language, Text},
};

const VIEWS: [(View, Text); 3] = [
    (View::Original, Language::original),
    (View::ModelInput, Language::model_input),
    (View::Heatmap, Language::heatmap),
];

/// The tabs of the image: radio buttons, which browsers make work with the arrow keys.
#[component]
pub(super) fn Views(can_explain: Memo<bool>) -> impl IntoView {
    let view = ViewSettings::current().view;
    let tabs = VIEWS.map(|(shown, text)| {
        let hidden = move || shown == View::Heatmap && !can_explain.get();
        view! {
            <label hidden=hidden>
                <input
                    type="radio"
                    name="view"
                    prop:checked=move || view.get() == shown
                    on:change=move |_| view.set(shown)
                />
                <span>{said(text)}</span>
            </label>
        }
    });
    view! {
        <fieldset class="tabs">
            <legend class="heard-only">{said(Language::image_view)}</legend>
            {tabs}
        </fieldset>
    }
}

/// Below the image: what the view shows, in words, and the legend of the heatmap.
#[component]
pub(super) fn ViewNote(
    model: ReadSignal<Model>,
    heat: Memo<Option<Heat>>,
    words: Signal<String>,
) -> impl IntoView {
    let language = language::spoken();
    let viewing = ViewSettings::current();
    let set_opacity = move |event| {
        if let Ok(percent) = event_target_value(&event).parse() {
            viewing.opacity_percent.set(percent);
        }
    };
    view! {
        <Show when=move || viewing.view.get() == View::ModelInput>
            <p class="small" data-testid="seen">{move || language.get().seen_note(model.get().input_size)}</p>
        </Show>
        <Show when=move || heat.with(Option::is_some)>
            <p class="small" data-testid="heat">{words}</p>
            <div class="legend small">
                <span>{said(Language::weak_evidence)}</span>
                <span class="scale" aria-hidden="true" style:background=heat::legend()></span>
                <span>{said(Language::strong_evidence)}</span>
                <label>
                    {said(Language::overlay_opacity)}
                    <input
                        type="range"
                        min="0"
                        max="100"
                        step="5"
                        prop:value=move || viewing.opacity_percent.get().to_string()
                        on:input=set_opacity
                    />
                </label>
            </div>
        </Show>
    }
}
