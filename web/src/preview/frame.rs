use leptos::{html, prelude::*};

use crate::{
    preview::{
        controls::{ViewNote, Views},
        drawing,
        heat::Heat,
        seen::Seen,
        source::{self, Shown},
    },
    session::{
        phase::{Phase, has_heatmaps},
        server::Model,
    },
    settings::{
        language::{self, said},
        view_settings::{View, ViewSettings},
    },
    texts::Language,
};

/// The image that was picked, or an invitation to pick one; and what the network saw of it.
#[component]
pub(crate) fn Frame(
    phase: ReadSignal<Phase, LocalStorage>,
    model: ReadSignal<Model>,
) -> impl IntoView {
    let language = language::spoken();
    let viewing = ViewSettings::current();
    let element = NodeRef::<html::Img>::new();
    let canvas = NodeRef::<html::Canvas>::new();
    let shown = source::shown(phase);
    let name = move || shown.get().map(|shown| shown.name).unwrap_or_default();
    // Width and height of the upright image, once it has loaded.
    let size = RwSignal::new(None);
    let is_broken = RwSignal::new(false);
    let loaded = move |_| {
        let found = element.get_untracked();
        size.set(found.map(|image| (image.natural_width(), image.natural_height())));
    };
    Effect::new(move || {
        shown.track();
        size.set(None);
        is_broken.set(false);
    });
    // Until there is an answer, the server is taken to explain: the tabs stay where they are.
    let can_explain =
        Memo::new(move |_| phase.with(|phase| phase.answer().is_none_or(has_heatmaps)));
    let heat = Memo::new(move |_| {
        let class = viewing.class.get();
        let is_wanted = viewing.view.get() == View::Heatmap;
        phase.with(|phase| {
            is_wanted
                .then(|| Heat::of(phase.answer()?, class))
                .flatten()
        })
    });
    let class = move || {
        let class = viewing.class.get();
        phase.with(|phase| {
            let prediction = phase.answer()?.predictions.get(class)?;
            Some(prediction.label.clone())
        })
    };
    let is_square = move || viewing.view.get() == View::ModelInput && size.get().is_some();
    let is_drawn = move || is_square() || (size.get().is_some() && heat.with(Option::is_some));

    Effect::new(move || {
        let (Some(image), Some(canvas), Some(size)) = (element.get(), canvas.get(), size.get())
        else {
            return;
        };
        let model = model.get();
        let seen = phase.with(|phase| Seen::of(size, phase.answer(), &model));
        let drawn = if viewing.view.get() == View::ModelInput {
            drawing::model_input(&canvas, &image, seen, model.input_size)
        } else if let Some(heat) = heat.get() {
            let opacity = f64::from(viewing.opacity_percent.get()) / 100.0;
            drawing::over(&canvas, size, seen, &heat, opacity)
        } else {
            Ok(())
        };
        if drawn.is_err() {
            // The browser has no memory for the drawing. Show the image itself.
            viewing.view.set(View::Original);
        }
    });

    // The drawing in words, for screen readers.
    let drawing_text = move || {
        let language = language.get();
        match (heat.get(), class()) {
            (Some(heat), Some(class)) => language.heat(&class, heat.strongest()),
            _ => language.model_input().to_owned(),
        }
    };
    view! {
        <div class="preview">
            <div class="frame">
                {move || match shown.get() {
                    Some(Shown { url, name }) => view! {
                        <img
                            node_ref=element
                            src=url
                            class:covered=is_square
                            hidden=move || is_broken.get()
                            alt=move || language.get().your_image(&name)
                            data-testid="preview"
                            on:load=loaded
                            on:error=move |_| is_broken.set(true)
                        />
                    }.into_any(),
                    None => view! { <Invitation /> }.into_any(),
                }}
                <Show when=move || is_broken.get()>
                    <p class="no-preview">{move || language.get().cannot_display(&name())}</p>
                </Show>
                <canvas
                    node_ref=canvas
                    role="img"
                    data-testid="drawing"
                    hidden=move || !is_drawn()
                    aria-label=drawing_text
                ></canvas>
            </div>
            <Show when=move || size.get().is_some()>
                <Views can_explain />
                <ViewNote model heat words=Signal::derive(drawing_text) />
            </Show>
        </div>
    }
}

/// A placeholder for the image.
#[component]
fn Invitation() -> impl IntoView {
    view! {
        <div class="invitation">
            <svg viewBox="0 0 48 48" aria-hidden="true">
                <rect x="5" y="9" width="38" height="30" rx="5" />
                <circle cx="16" cy="19" r="3.5" />
                <path d="M6 34l10-9 8 7 9-10 9 9" />
            </svg>
            <p>{said(Language::drop_an_image_here)}</p>
            <p class="hint">{said(Language::formats)}</p>
        </div>
    }
}
