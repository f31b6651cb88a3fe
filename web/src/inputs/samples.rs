use leptos::prelude::*;

use crate::{
    image::sample::{SAMPLES, Sample},
    settings::language,
};

/// Samples, for visitors without an image at hand.
#[component]
pub(crate) fn Samples(on_sample: Callback<&'static Sample>) -> impl IntoView {
    let language = language::spoken();
    let buttons = SAMPLES.iter().map(|sample| {
        view! {
            <li>
                <button type="button" class="sample" on:click=move |_| on_sample.run(sample)>
                    <img src=sample.url() alt="" width="320" height="240" loading="lazy" decoding="async" />
                    <span>{move || sample.title(language.get())}</span>
                </button>
            </li>
        }
    });
    view! {
        <section class="samples" aria-labelledby="samples-title">
            <h2 id="samples-title">{move || language.get().no_image_at_hand()}</h2>
            <ul>{buttons.collect_view()}</ul>
        </section>
    }
}
