use imageclassifier_client::Answer;
use leptos::prelude::*;

use crate::{session::server::Model, settings::language};

/// What identifies the model, and the request in the server's log.
#[component]
pub(super) fn Details(answer: Answer, model: ReadSignal<Model>) -> impl IntoView {
    let language = language::spoken();
    let revision = answer.model_revision.clone();
    // What the server says of its model holds for this answer only if it was the same one.
    let described =
        Memo::new(move |_| Some(model.get()).filter(|model| model.revision == revision));
    let similarity = answer.known_score.map(|score| {
        let score = move || language.get().decimal(f64::from(score), 2);
        view! {
            <dt>{move || language.get().known_score()}</dt>
            <dd>{score}</dd>
        }
    });
    let unknown = move || language.get().not_reported().to_owned();
    let digest = move || {
        described
            .get()
            .map_or_else(unknown, |model| model.weights_digest)
    };
    let preprocessing = move || {
        described
            .get()
            .map_or_else(unknown, |model| model.preprocessing)
    };
    view! {
        <details class="details" data-testid="details">
            <summary>{move || language.get().details()}</summary>
            <dl class="small">
                <dt>{move || language.get().model()}</dt>
                <dd>{answer.model}</dd>
                {similarity}
                <dt>{move || language.get().revision()}</dt>
                <dd>{answer.model_revision}</dd>
                <dt>{move || language.get().weights()}</dt>
                <dd>{digest}</dd>
                <dt>{move || language.get().preprocessing()}</dt>
                <dd>{preprocessing}</dd>
                <dt>{move || language.get().request_id()}</dt>
                <dd>{answer.request_id}</dd>
            </dl>
        </details>
    }
}
