use leptos::prelude::*;

use crate::{
    preview::heat::Heat,
    session::server::Model,
    settings::{language, view_settings::ViewSettings},
};

/// Below the image: the switch to the square that the network saw, and the legend of the heatmap.
#[component]
pub(crate) fn PreviewControls(
    model: ReadSignal<Model>,
    heat: Memo<Option<Heat>>,
    class: Signal<Option<String>>,
) -> impl IntoView {
    let language = language::spoken();
    let viewing = ViewSettings::current();
    let set_opacity = move |event| {
        if let Ok(percent) = event_target_value(&event).parse() {
            viewing.opacity_percent.set(percent);
        }
    };
    let where_strongest = move || {
        let language = language.get();
        match (heat.get(), class.get()) {
            (Some(heat), Some(class)) => language.heat(&class, heat.strongest()),
            _ => String::new(),
        }
    };
    view! {
        <div class="preview-controls">
            <button
                type="button"
                class="quiet"
                aria-pressed=move || viewing.seen.get().to_string()
                on:click=move |_| viewing.seen.update(|seen| *seen = !*seen)
            >
                {move || language.get().what_it_saw()}
            </button>
            <Show when=move || viewing.seen.get()>
                <p class="small" data-testid="seen">{move || language.get().seen_note(model.get().input_size)}</p>
            </Show>
            <Show when=move || heat.with(Option::is_some)>
                <p data-testid="heat">{where_strongest}</p>
                <div class="legend">
                    <span>{move || language.get().evidence_against()}</span>
                    <span class="scale" aria-hidden="true"></span>
                    <span>{move || language.get().evidence_for()}</span>
                </div>
                <label class="overlay-opacity">
                    {move || language.get().overlay_opacity()}
                    <input
                        type="range"
                        min="0"
                        max="100"
                        step="5"
                        prop:value=move || viewing.opacity_percent.get().to_string()
                        on:input=set_opacity
                    />
                </label>
            </Show>
        </div>
    }
}
