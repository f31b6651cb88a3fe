use js_sys::Array;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlElement, Url};

use crate::{
    batch::{
        export::{self, Finished},
        list::{Count, Many},
        order::{Sort, StateFilter, ViewFilter},
        row::State,
    },
    settings::{language, viewing::Viewing},
    texts::Language,
};

/// What can be done with the list: look through it, go on with it, save it, close it.
#[component]
pub(super) fn Tools(many: Many, filter: ViewFilter, count: Memo<Count>) -> impl IntoView {
    let language = language::spoken();
    let top = Viewing::known().top;
    let is_busy = Memo::new(move |_| count.get().finished() < count.get().all);
    let can_retry = Memo::new(move |_| count.get().worth_retrying > 0);
    let is_empty = move || count.get().finished() == 0;
    let text = move |text: fn(Language) -> &'static str| move || text(language.get());
    view! {
        <div class="tools">
            <label>
                {text(Language::find)}
                <input type="search" on:input=move |event| filter.text.set(event_target_value(&event)) />
            </label>
            <label>
                {text(Language::show)}
                <select on:change=move |event| {
                    filter.state.set(chosen(&StateFilter::ALL, &event));
                }>
                    {StateFilter::ALL.map(|show| view! { <option>{move || show.text(language.get())}</option> }).collect_view()}
                </select>
            </label>
            <label>
                {text(Language::sort)}
                <select on:change=move |event| {
                    filter.sort.set(chosen(&Sort::ALL, &event));
                }>
                    {Sort::ALL.map(|sort| view! { <option>{move || sort.text(language.get())}</option> }).collect_view()}
                </select>
            </label>
            <div class="buttons">
                <Show when=move || is_busy.get()>
                    <button type="button" class="quiet" on:click=move |_| many.cancel_all()>
                        {text(Language::cancel_all)}
                    </button>
                </Show>
                <Show when=move || can_retry.get()>
                    <button type="button" class="quiet" on:click=move |_| many.retry_failed()>
                        {text(Language::retry_failed)}
                    </button>
                </Show>
                <button type="button" class="quiet" disabled=is_empty
                    on:click=move |_| save(many, "classified.csv", "text/csv", export::csv)>
                    {text(Language::save_csv)}
                </button>
                <button type="button" class="quiet" disabled=is_empty
                    on:click=move |_| save(many, "classified.jsonl", "application/jsonl", |rows| {
                        export::json(rows, top.get_untracked())
                    })>
                    {text(Language::save_json)}
                </button>
                <button type="button" class="quiet" on:click=move |_| {
                    many.clear();
                    focus_first_button();
                }>
                    {text(Language::clear)}
                </button>
            </div>
        </div>
    }
}

impl StateFilter {
    fn text(self, language: Language) -> &'static str {
        match self {
            Self::All => language.show_all(),
            Self::Answered => language.show_answered(),
            Self::Unsure => language.show_unsure(),
            Self::Failed => language.show_failed(),
            Self::Unfinished => language.show_unfinished(),
        }
    }
}

impl Sort {
    fn text(self, language: Language) -> &'static str {
        match self {
            Self::AsAdded => language.as_added(),
            Self::Name => language.by_name(),
            Self::Answer => language.by_answer(),
            Self::LeastSure => language.least_sure_first(),
            Self::MostSure => language.most_sure_first(),
            Self::Slowest => language.slowest_first(),
        }
    }
}

fn chosen<T: Copy + Default>(all: &[T], event: &leptos::ev::Event) -> T {
    let select = event_target::<web_sys::HtmlSelectElement>(event);
    let chosen = usize::try_from(select.selected_index()).ok();
    chosen
        .and_then(|at| all.get(at).copied())
        .unwrap_or_default()
}

/// The pictures that are finished, in the order of coming, as a file.
fn save(many: Many, file_name: &str, media_type: &str, write: impl Fn(&[Finished<'_>]) -> String) {
    let rows = many.rows().get_untracked();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (row.path(), row.state.get_untracked()))
        .collect();
    let finished: Vec<_> = rows
        .iter()
        .filter_map(|(path, state)| {
            let result = match state {
                State::Waiting | State::Asking => return None,
                State::Answered(answer, _) => Ok(&**answer),
                State::Failed(fault) => Err(Some(&**fault)),
                State::Cancelled => Err(None),
            };
            Some(Finished { path, result })
        })
        .collect();
    // It can fail only in a browser that saves no files.
    let _ = download(file_name, media_type, &write(&finished));
}

fn download(file_name: &str, media_type: &str, text: &str) -> Result<(), JsValue> {
    let kind = BlobPropertyBag::new();
    kind.set_type(media_type);
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&text.into()), &kind)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&url);
    link.set_download(file_name);
    link.click();
    // The browser has taken it by then.
    set_timeout(
        move || {
            let _ = Url::revoke_object_url(&url);
        },
        std::time::Duration::from_secs(10),
    );
    Ok(())
}

/// The list and its buttons are gone: the next picture begins here.
fn focus_first_button() {
    let button = document().query_selector("button.pick").ok().flatten();
    if let Some(button) = button {
        let _ = button.unchecked_into::<HtmlElement>().focus();
    }
}
