use leptos::prelude::*;

use crate::{
    confidence::Certainty,
    result::bars::Classes,
    session::{
        history::{Entry, History},
        phase::Phase,
    },
    settings::language::{self, said},
    texts::Language,
};

/// The last answers as thumbnails, to return to. Nothing before the second: the first is shown anyway.
#[component]
pub(crate) fn HistoryStrip(
    history: History,
    phase: ReadSignal<Phase, LocalStorage>,
    on_entry: Callback<Entry>,
) -> impl IntoView {
    let entries = history.entries();
    let items = move || {
        let entries = entries.get().into_iter();
        entries
            .map(|entry| item(entry, phase, on_entry))
            .collect_view()
    };
    view! {
        <Show when=move || entries.with(|entries| entries.len() > 1)>
            <section class="strip" aria-labelledby="history-title" data-testid="history">
                <h2 id="history-title">{said(Language::history)}</h2>
                <ul>{items}</ul>
            </section>
        </Show>
    }
}

fn item(
    entry: Entry,
    phase: ReadSignal<Phase, LocalStorage>,
    on_entry: Callback<Entry>,
) -> impl IntoView {
    let language = language::spoken();
    let url = entry.picked.shown_url();
    let request_id = entry.answer.request_id.clone();
    let is_shown = move || {
        phase
            .with(|phase| phase.shows(&request_id))
            .then_some("true")
    };
    let (label, confidence) = (entry.answer.label.clone(), entry.answer.confidence);
    let text = if Certainty::of(&entry.answer) == Certainty::Unknown {
        view! { <span>{said(Language::unknown)}</span> }.into_any()
    } else {
        let percent = move || language.get().percent(confidence);
        view! { <span lang="en">{label}</span> " " {percent} }.into_any()
    };
    view! {
        <li>
            <button type="button" class="card" aria-current=is_shown on:click=move |_| on_entry.run(entry.clone())>
                <img src=url alt="" decoding="async" />
                {text}
            </button>
        </li>
    }
}

/// The answer that was kept beside the one that is shown: of another image, or of another model.
#[component]
pub(crate) fn Comparison(
    history: History,
    phase: ReadSignal<Phase, LocalStorage>,
) -> impl IntoView {
    let pinned = history.pinned();
    let sides = move || {
        let pinned = pinned.get()?;
        let shown = phase
            .with(|phase| Entry::of(phase).filter(|_| !phase.shows(&pinned.answer.request_id)));
        let other = match shown {
            Some(shown) => side(&shown),
            None => view! { <p class="hint">{said(Language::compare_hint)}</p> }.into_any(),
        };
        Some(view! {
            <section class="comparison" aria-labelledby="comparison-title" data-testid="comparison">
                <h2 id="comparison-title">{said(Language::comparison)}</h2>
                <button type="button" class="quiet" on:click=move |_| history.pin(None)>
                    {said(Language::close)}
                </button>
                {side(&pinned)}
                {other}
            </section>
        })
    };
    view! { {sides} }
}

fn side(entry: &Entry) -> AnyView {
    let answer = &entry.answer;
    let name = entry.picked.name();
    view! {
        <article>
            <img src=entry.picked.shown_url() alt=name.clone() />
            <p class="small">{name}<br />{answer.model.clone()}</p>
            <Classes
                predictions=answer.predictions.clone()
                certainty=Certainty::of(answer)
                can_explain=false
            />
        </article>
    }
    .into_any()
}
