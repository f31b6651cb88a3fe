use leptos::prelude::*;

use crate::{language, session::Phase};

/// The place of the picture: what was picked, or an invitation.
#[component]
pub(crate) fn Frame(phase: ReadSignal<Phase, LocalStorage>) -> impl IntoView {
    let language = language::spoken();
    // The picture stays the same element from asking to answer, so that it does not flicker.
    let picture = Memo::new(move |_| {
        phase.with(|phase| {
            phase
                .picked()
                .map(|picked| (picked.preview_url(), picked.name()))
        })
    });
    view! {
        <div class="frame">
            {move || match picture.get() {
                Some((url, name)) => view! {
                    <img src=url alt=move || language.get().your_picture(&name) data-testid="preview" />
                }.into_any(),
                None => view! { <Invitation /> }.into_any(),
            }}
            <p class="drop-here" aria-hidden="true">{move || language.get().drop_it()}</p>
        </div>
    }
}

#[component]
fn Invitation() -> impl IntoView {
    let language = language::spoken();
    view! {
        <div class="invitation">
            <svg viewBox="0 0 48 48" aria-hidden="true">
                <rect x="5" y="9" width="38" height="30" rx="5" />
                <circle cx="16" cy="19" r="3.5" />
                <path d="M6 34l10-9 8 7 9-10 9 9" />
            </svg>
            <p>{move || language.get().drop_a_picture_here()}</p>
            <p class="hint">{move || language.get().formats()}</p>
        </div>
    }
}
