use leptos::prelude::*;

use crate::session::Phase;

/// The place of the picture: what was picked, or an invitation.
#[component]
pub(crate) fn Frame(phase: ReadSignal<Phase, LocalStorage>) -> impl IntoView {
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
                    <img src=url alt=format!("Your picture, {name}") data-testid="preview" />
                }.into_any(),
                None => view! { <Invitation /> }.into_any(),
            }}
            <p class="drop-here" aria-hidden="true">"Drop it to see what it shows"</p>
        </div>
    }
}

#[component]
fn Invitation() -> impl IntoView {
    view! {
        <div class="invitation">
            <svg viewBox="0 0 48 48" aria-hidden="true">
                <rect x="5" y="9" width="38" height="30" rx="5" />
                <circle cx="16" cy="19" r="3.5" />
                <path d="M6 34l10-9 8 7 9-10 9 9" />
            </svg>
            <p>"Drop a picture here"</p>
            <p class="hint">"JPEG, PNG, WebP, GIF or BMP"</p>
        </div>
    }
}
