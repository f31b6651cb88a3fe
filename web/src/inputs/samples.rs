use leptos::prelude::*;

use crate::{
    settings::language,
    texts::{Language, Text},
};

/// A picture that comes with the page.
pub(crate) struct Sample {
    title: Text,
    file_name: &'static str,
}

static SAMPLES: [Sample; 4] = [
    Sample {
        title: Language::sample_coffee,
        file_name: "coffee.jpg",
    },
    Sample {
        title: Language::sample_cat,
        file_name: "chelsea.jpg",
    },
    Sample {
        title: Language::sample_rocket,
        file_name: "rocket.jpg",
    },
    Sample {
        title: Language::sample_pasture,
        file_name: "march-pastoral.jpg",
    },
];

impl Sample {
    pub(crate) fn file_name(&self) -> &'static str {
        self.file_name
    }

    pub(crate) fn url(&self) -> String {
        format!("samples/{}", self.file_name)
    }
}

/// For those who have no picture at hand.
#[component]
pub(crate) fn Samples(on_sample: Callback<&'static Sample>) -> impl IntoView {
    let language = language::spoken();
    let buttons = SAMPLES.iter().map(|sample| {
        view! {
            <li>
                <button type="button" class="sample" on:click=move |_| on_sample.run(sample)>
                    <img src=sample.url() alt="" width="320" height="240" loading="lazy" decoding="async" />
                    <span>{move || (sample.title)(language.get())}</span>
                </button>
            </li>
        }
    });
    view! {
        <section class="samples" aria-labelledby="samples-title">
            <h2 id="samples-title">{move || language.get().no_picture_at_hand()}</h2>
            <ul>{buttons.collect_view()}</ul>
        </section>
    }
}
