mod snippets;

use leptos::{html, prelude::*};

use crate::{
    copy_button::CopyButton,
    settings::{access_token, language, view_settings::ViewSettings},
    texts::Language,
};
use snippets::{SNIPPETS, Server, Snippet};

/// Programs that use the same server: a drawer over the page, with the browser's own dialog behaviour.
#[component]
pub(crate) fn ApiDrawer(open: RwSignal<bool>) -> impl IntoView {
    let language = language::spoken();
    let drawer = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(drawer) = drawer.get()
            && open.get()
            && !drawer.open()
        {
            // It can fail only for a dialog that is not in the page.
            let _ = drawer.show_modal();
        }
    });
    let close = move |_| {
        if let Some(drawer) = drawer.get_untracked() {
            drawer.close();
        }
    };
    let server = Server::own();
    let address = server.address().to_owned();
    let snippets = move || {
        let server = server.clone();
        // Rendered when it is opened: half of the page's text is in here.
        open.get().then(|| {
            SNIPPETS
                .iter()
                .map(|snippet| view! { <Part snippet server=server.clone() /> })
                .collect_view()
        })
    };
    let wants_token = move || open.get() && access_token::remembered().is_some();
    view! {
        <dialog node_ref=drawer class="drawer" aria-labelledby="api-title" on:close=move |_| open.set(false)>
            <div class="drawer-head">
                <h2 id="api-title">{move || language.get().use_via_api()}</h2>
                <button type="button" class="quiet" on:click=close>{move || language.get().close()}</button>
            </div>
            <p>{move || language.get().api_lead(&address)}</p>
            <Show when=wants_token>
                <p class="unsure">{move || language.get().token_in_api()}</p>
            </Show>
            {snippets}
        </dialog>
    }
}

#[component]
fn Part(snippet: &'static Snippet, server: Server) -> impl IntoView {
    let top = ViewSettings::current().top;
    let text = Signal::derive(move || snippet.filled(&server, top.get()));
    view! {
        <details name="snippet" class="snippet" open=snippet.is_first()>
            <summary lang="en">{snippet.title}</summary>
            <pre tabindex="0" lang="en" aria-label=snippet.title><code>{text}</code></pre>
            <CopyButton text label=Language::copy />
        </details>
    }
}
