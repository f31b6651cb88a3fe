use leptos::prelude::*;

use crate::{
    image::sample::{SAMPLES, Sample},
    settings::language::said,
    texts::Language,
};

/// Samples, for visitors without an image at hand.
#[component]
pub(crate) fn Samples(on_sample: Callback<&'static Sample>) -> impl IntoView {
    let buttons = SAMPLES.iter().map(|sample| {
        view! {
            <li>
                <button type="button" class="card sample" on:click=move |_| on_sample.run(sample)>
                    <img src=sample.url() alt="" width="320" height="240" loading="lazy" decoding="async" />
                    <span>{said(sample.title())}</span>
                </button>
            </li>
        }
    });
    view! {
        <section class="strip samples" aria-labelledby="samples-title">
            <h2 id="samples-title">{said(Language::no_image_at_hand)}</h2>
            <ul>{buttons.collect_view()}</ul>
        </section>
    }
}
