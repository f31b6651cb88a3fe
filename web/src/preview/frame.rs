use leptos::{html, prelude::*};

use crate::{
    preview::{
        controls::PreviewControls,
        drawing,
        heat::Heat,
        source::{self, Shown},
        square::Square,
    },
    session::{phase::Phase, server::Model},
    settings::{language, view_settings::ViewSettings},
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
    let heat = Memo::new(move |_| {
        let why = viewing.why.get();
        let class = viewing.class.get();
        phase.with(|phase| why.then(|| Heat::of(phase.answer()?, class)).flatten())
    });
    let class = move || {
        let class = viewing.class.get();
        phase.with(|phase| {
            let prediction = phase.answer()?.predictions.get(class)?;
            Some(prediction.label.clone())
        })
    };
    let is_square = move || viewing.seen.get() && size.get().is_some();
    let is_drawn = move || size.get().is_some() && (viewing.seen.get() || heat.get().is_some());

    Effect::new(move || {
        let (Some(image), Some(canvas), Some(size)) = (element.get(), canvas.get(), size.get())
        else {
            return;
        };
        let input_size = model.get().input_size;
        let square = phase.with(|phase| {
            let crop = phase.answer().and_then(|answer| answer.crop.as_ref());
            Square::of(size, crop, input_size)
        });
        let opacity = f64::from(viewing.opacity_percent.get()) / 100.0;
        let heat = heat.get();
        let drawn = match (viewing.seen.get(), &heat) {
            (true, heat) => {
                let heat = heat.as_ref().map(|heat| (heat, opacity));
                drawing::square(&canvas, &image, square, input_size, heat)
            }
            (false, Some(heat)) => drawing::over(&canvas, size, square, heat, opacity),
            (false, None) => Ok(()),
        };
        if drawn.is_err() {
            // The browser has no memory for the drawing. Show the image itself.
            viewing.seen.set(false);
            viewing.why.set(false);
        }
    });

    // The drawing in words, for screen readers.
    let drawing_text = move || {
        let language = language.get();
        match (heat.get(), class()) {
            (Some(heat), Some(class)) => language.heat(&class, heat.strongest()),
            _ => language.what_it_saw().to_owned(),
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
                    None => view! { <Invitation phase /> }.into_any(),
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
                <p class="drop-here" aria-hidden="true">{move || language.get().drop_it()}</p>
            </div>
            <Show when=move || size.get().is_some()>
                <PreviewControls model heat class=Signal::derive(class) />
            </Show>
        </div>
    }
}

/// A placeholder for the image; a shared result comes without one.
#[component]
fn Invitation(phase: ReadSignal<Phase, LocalStorage>) -> impl IntoView {
    let language = language::spoken();
    let is_shared = move || phase.with(Phase::is_shared);
    view! {
        <div class="invitation">
            <svg viewBox="0 0 48 48" aria-hidden="true">
                <rect x="5" y="9" width="38" height="30" rx="5" />
                <circle cx="16" cy="19" r="3.5" />
                <path d="M6 34l10-9 8 7 9-10 9 9" />
            </svg>
            <p>
                {move || {
                    let language = language.get();
                    if is_shared() { language.image_not_shared() } else { language.drop_an_image_here() }
                }}
            </p>
            <p class="hint" hidden=is_shared>{move || language.get().formats()}</p>
        </div>
    }
}
