use leptos::{html, prelude::*};

use crate::{
    failure::Remedy,
    result::{
        answer::{AnswerActions, AnswerCard, AnswerOutline, SharedCard},
        failure_note::FailureNote,
        progress::Progress,
        token_form::TokenForm,
    },
    session::{phase::Phase, server::Model, step::Step},
    settings::language::{self, said},
    texts::Language,
};

/// The result panel: the answer, the progress, or why there is neither, in the page's one alert.
#[component]
pub(crate) fn Outcome(
    phase: ReadSignal<Phase, LocalStorage>,
    model: ReadSignal<Model>,
    step: Signal<Step>,
    actions: AnswerActions,
    on_retry: Callback<Remedy>,
    on_token: Callback<String>,
    on_cancel: Callback<()>,
) -> impl IntoView {
    let section = NodeRef::<html::Section>::new();
    // The button is gone after it was used: without this the focus would fall back to the top of the page.
    let focus = move || {
        if let Some(section) = section.get_untracked() {
            let _ = section.focus();
        }
    };
    let on_retry = Callback::new(move |remedy| {
        on_retry.run(remedy);
        focus();
    });
    let on_cancel = Callback::new(move |()| {
        on_cancel.run(());
        focus();
    });
    let on_token = Callback::new(move |token| {
        on_token.run(token);
        focus();
    });

    let is_asking = Memo::new(move |_| phase.with(Phase::is_asking));

    view! {
        <section
            node_ref=section
            class="answer"
            aria-label=said(Language::result)
            tabindex="-1"
            aria-busy=move || is_asking.get().to_string()
        >
            {move || phase.with(|phase| answer(phase, model, actions))}
            <Show when=move || is_asking.get()>
                <Progress step on_cancel />
            </Show>
            {move || phase.with(|phase| cancelled(phase, on_retry))}
            <div role="alert">{move || phase.with(|phase| failure(phase, on_retry))}</div>
            {move || phase.with(|phase| token_form(phase, on_token))}
        </section>
    }
}

fn answer(phase: &Phase, model: ReadSignal<Model>, actions: AnswerActions) -> AnyView {
    match phase {
        Phase::Fetching { .. } | Phase::Asking(_) => view! { <AnswerOutline /> }.into_any(),
        Phase::Answered(_, answer, took_ms) => {
            view! { <AnswerCard answer=answer.clone() took_ms=*took_ms model actions /> }.into_any()
        }
        Phase::Shared(shared) => view! { <SharedCard shared=shared.clone() /> }.into_any(),
        Phase::Empty | Phase::Failed(..) | Phase::Cancelled(_) => ().into_any(),
    }
}

fn failure(phase: &Phase, on_retry: Callback<Remedy>) -> Option<impl IntoView + use<>> {
    let Phase::Failed(picked, failure) = phase else {
        return None;
    };
    let can_retry = picked.is_some();
    let on_retry = can_retry.then_some(on_retry);
    Some(view! { <FailureNote failure=failure.clone() on_retry /> })
}

/// A neutral note, which screen readers hear as the page's announcement.
fn cancelled(phase: &Phase, on_retry: Callback<Remedy>) -> Option<impl IntoView + use<>> {
    let Phase::Cancelled(picked) = phase else {
        return None;
    };
    let language = language::spoken();
    let name = picked.name();
    Some(view! {
        <p class="cancelled" data-testid="cancelled">
            {move || language.get().cancelled_image(&name)}
        </p>
        <button type="button" class="retry" on:click=move |_| on_retry.run(Remedy::TryAgain)>
            {said(Language::try_again)}
        </button>
    })
}

/// Outside the alert, so that screen readers announce only its sentence.
fn token_form(phase: &Phase, on_token: Callback<String>) -> Option<impl IntoView + use<>> {
    match phase {
        Phase::Failed(_, failure) if failure.remedy() == Remedy::AccessToken => {
            Some(view! { <TokenForm on_token /> })
        }
        _ => None,
    }
}
