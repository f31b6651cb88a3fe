use leptos::prelude::*;

/// A picture that comes with the page.
pub(crate) struct Sample {
    title: &'static str,
    file_name: &'static str,
}

static SAMPLES: [Sample; 4] = [
    Sample {
        title: "Coffee",
        file_name: "coffee.jpg",
    },
    Sample {
        title: "Cat",
        file_name: "chelsea.jpg",
    },
    Sample {
        title: "Rocket",
        file_name: "rocket.jpg",
    },
    Sample {
        title: "Pasture",
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
    let buttons = SAMPLES.iter().map(|sample| {
        view! {
            <li>
                <button type="button" class="sample" on:click=move |_| on_sample.run(sample)>
                    <img src=sample.url() alt="" width="320" height="240" loading="lazy" decoding="async" />
                    <span>{sample.title}</span>
                </button>
            </li>
        }
    });
    view! {
        <section class="samples" aria-labelledby="samples-title">
            <h2 id="samples-title">"No picture at hand? Try one of these."</h2>
            <ul>{buttons.collect_view()}</ul>
        </section>
    }
}
