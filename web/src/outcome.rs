use leptos::{html, prelude::*};

use crate::{
    answer::{AnswerCard, AnswerOutline},
    failure_note::FailureNote,
    session::Phase,
};

/// What came of asking: the answer, or the page's one alert.
#[component]
pub(crate) fn Outcome(
    phase: ReadSignal<Phase, LocalStorage>,
    on_retry: Callback<()>,
) -> impl IntoView {
    let section = NodeRef::<html::Section>::new();
    let on_retry = Callback::new(move |()| {
        on_retry.run(());
        // The button is gone now: without this the focus would fall back to the top of the page.
        if let Some(section) = section.get_untracked() {
            let _ = section.focus();
        }
    });

    view! {
        <section
            node_ref=section
            class="answer"
            aria-label="Answer"
            tabindex="-1"
            aria-busy=move || phase.with(Phase::is_asking).to_string()
        >
            {move || phase.with(answer)}
            <div role="alert">{move || phase.with(|phase| failure(phase, on_retry))}</div>
        </section>
    }
}

fn answer(phase: &Phase) -> AnyView {
    match phase {
        Phase::Empty => view! {
            <p class="waiting">"The five best guesses appear here, and how sure the network is of each."</p>
        }
        .into_any(),
        Phase::Asking(_) => view! { <AnswerOutline /> }.into_any(),
        Phase::Answered(_, answer, took_ms) => {
            view! { <AnswerCard answer=answer.clone() took_ms=*took_ms /> }.into_any()
        }
        Phase::Failed(..) => ().into_any(),
    }
}

fn failure(phase: &Phase, on_retry: Callback<()>) -> Option<impl IntoView + use<>> {
    let Phase::Failed(picked, failure) = phase else {
        return None;
    };
    let can_retry = picked.is_some() && failure.may_pass();
    let on_retry = can_retry.then_some(on_retry);
    Some(view! { <FailureNote failure=failure.clone() on_retry /> })
}
