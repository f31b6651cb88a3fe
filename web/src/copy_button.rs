use leptos::{html, prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

use crate::{
    notice::Notice,
    settings::language::{self, said},
    texts::{Language, Text},
};

/// Copies a text to the clipboard, or, where pages may not, shows it to be copied by hand.
#[component]
pub(crate) fn CopyButton(
    text: Signal<String>,
    /// What it copies.
    label: Text,
) -> impl IntoView {
    let language = language::spoken();
    let notice = Notice::current();
    let copied = RwSignal::new(false);
    let by_hand = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    field.on_load(|field| {
        let _ = field.focus();
        field.select();
    });
    let copy = move |_| {
        let text = text.get_untracked();
        spawn_local(async move {
            if write(&text).await {
                copied.set(true);
                notice.say(Language::copied);
                set_timeout(move || copied.set(false), std::time::Duration::from_secs(3));
            } else {
                by_hand.set(true);
            }
        });
    };
    view! {
        <button type="button" class="quiet copy" on:click=copy>
            {move || {
                let language = language.get();
                if copied.get() { language.copied() } else { label(language) }
            }}
        </button>
        <Show when=move || by_hand.get()>
            <input
                node_ref=field
                class="by-hand"
                readonly
                aria-label=said(Language::copy_by_hand)
                prop:value=move || text.get()
            />
        </Show>
    }
}

/// Whether the clipboard took it. Browsers have one only for pages that came over HTTPS or from this machine.
async fn write(text: &str) -> bool {
    window().is_secure_context()
        && JsFuture::from(window().navigator().clipboard().write_text(text))
            .await
            .is_ok()
}
