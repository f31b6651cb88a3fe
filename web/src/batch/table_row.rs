use leptos::prelude::*;

use crate::{
    batch::{
        list::Batch,
        row::{Row, State},
        thumbnail::Thumbnail,
    },
    confidence::Certainty,
    settings::language,
    texts::Language,
};

/// A row of the table: an image, its result, and what can be done with it.
#[component]
pub(super) fn TableRow(batch: Batch, row: Row, place: Signal<Option<String>>) -> impl IntoView {
    let language = language::spoken();
    let path = row.path();
    let name = path.clone();
    let is_selected = move || {
        batch
            .selected()
            .is_some_and(|selected| selected.place == row.place)
    };
    let texts = Memo::new(move |_| row.state.with(|state| texts(state, row, language.get())));
    let cell = move |number: usize| texts.with(|texts| texts[number].clone());
    // For the eye; the number says the same.
    let bar = move || {
        let confidence = row.state.with(|state| match state {
            State::Answered(answer, _) => Some(answer.confidence),
            _ => None,
        });
        confidence.map(|confidence| {
            let value = Language::English.decimal(f64::from(confidence) * 100.0, 1);
            view! { <meter aria-hidden="true" min="0" max="100" value=value></meter> }
        })
    };
    let act = move || {
        if row.state.with_untracked(State::is_unfinished) {
            batch.cancel(row);
        } else {
            batch.retry(row);
        }
    };
    let action = Memo::new(move |_| {
        row.state.with(|state| {
            if state.is_unfinished() {
                Some(true)
            } else {
                state.is_worth_retrying().then_some(false)
            }
        })
    });
    let button = move |cancels: bool| {
        let path = path.clone();
        let text = move || {
            if cancels {
                language.get().cancel()
            } else {
                language.get().try_again()
            }
        };
        let heard = move || format!("{} {path}", text());
        view! {
            <button type="button" class="quiet" aria-label=heard on:click=move |_| act()>{text}</button>
        }
    };
    view! {
        <div role="row" class="row" aria-rowindex=move || place.get() data-state=move || row.state.with(name_of)
            data-selected=move || is_selected().to_string()>
            <span role="cell" class="thumbnail"><Thumbnail scheduler=batch.scheduler() row /></span>
            <span role="cell" class="name">
                <button type="button" aria-pressed=move || is_selected().to_string()
                    on:click=move |_| batch.select(Some(row))>{name.to_string()}</button>
            </span>
            <span role="cell" class="result">{move || cell(0)}</span>
            <span role="cell" class="number">{move || cell(1)}{bar}</span>
            <span role="cell" class="number took">{move || cell(2)}{move || action.get().map(&button)}</span>
        </div>
    }
}

/// Label or state, confidence, time.
fn texts(state: &State, row: Row, language: Language) -> [String; 3] {
    match state {
        State::Waiting | State::Asking => [
            row.step().get().text(language),
            String::new(),
            String::new(),
        ],
        State::Answered(answer, took_ms) => [
            match Certainty::of(answer) {
                Certainty::Unknown => language.unknown_closest(&answer.label),
                Certainty::Unsure => language.unsure_label(&answer.label),
                Certainty::Sure => answer.label.clone(),
            },
            language.percent(answer.confidence),
            language.milliseconds(*took_ms),
        ],
        State::Failed(error) => [
            error.failure.sentence(language),
            String::new(),
            String::new(),
        ],
        State::Cancelled => [
            language.cancelled().to_owned(),
            String::new(),
            String::new(),
        ],
    }
}

fn name_of(state: &State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Asking => "asking",
        State::Answered(answer, _) => match Certainty::of(answer) {
            Certainty::Unknown => "unknown",
            Certainty::Unsure => "unsure",
            Certainty::Sure => "answered",
        },
        State::Failed(_) => "failed",
        State::Cancelled => "cancelled",
    }
}
