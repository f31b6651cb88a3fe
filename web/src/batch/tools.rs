use js_sys::Array;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlElement, Url};

use crate::{
    batch::{
        counts::Counts,
        export::{self, Finished},
        list::Batch,
        order::{Sort, StateFilter, ViewFilter},
        row::State,
    },
    settings::{language::said, view_settings::ViewSettings},
    texts::{Language, Text},
};

/// Above the table: filters, sorting, and buttons that cancel, retry, save and close the batch.
#[component]
pub(super) fn Tools(batch: Batch, filter: ViewFilter, counts: Memo<Counts>) -> impl IntoView {
    let top = ViewSettings::current().top;
    let is_busy = Memo::new(move |_| counts.get().is_unfinished());
    let can_retry = Memo::new(move |_| counts.get().worth_retrying > 0);
    let is_empty = move || counts.get().finished() == 0;
    view! {
        <div class="tools">
            <label>
                {said(Language::find)}
                <input type="search" on:input=move |event| filter.text.set(event_target_value(&event)) />
            </label>
            <label>
                {said(Language::show)}
                <select on:change=move |event| {
                    filter.state.set(chosen(&StateFilter::ALL, &event));
                }>
                    {StateFilter::ALL.map(|show| view! {
                        <option prop:selected=move || filter.state.get() == show>{said(show.text())}</option>
                    }).collect_view()}
                </select>
            </label>
            <label>
                {said(Language::sort)}
                <select on:change=move |event| {
                    filter.sort.set(chosen(&Sort::ALL, &event));
                }>
                    {Sort::ALL.map(|sort| view! { <option>{said(sort.text())}</option> }).collect_view()}
                </select>
            </label>
            <div class="buttons">
                <Show when=move || is_busy.get()>
                    <button type="button" class="quiet" on:click=move |_| batch.cancel_all()>
                        {said(Language::cancel_all)}
                    </button>
                </Show>
                <Show when=move || can_retry.get()>
                    <button type="button" class="quiet" on:click=move |_| batch.retry_rest()>
                        {said(Language::retry_rest)}
                    </button>
                </Show>
                <button type="button" class="quiet" disabled=is_empty
                    on:click=move |_| save(batch, "classified.csv", "text/csv", export::csv)>
                    {said(Language::save_csv)}
                </button>
                <button type="button" class="quiet" disabled=is_empty
                    on:click=move |_| save(batch, "classified.jsonl", "application/jsonl", |rows| {
                        export::json(rows, top.get_untracked())
                    })>
                    {said(Language::save_json)}
                </button>
                <button type="button" class="quiet" on:click=move |_| {
                    batch.clear();
                    focus_first_button();
                }>
                    {said(Language::clear)}
                </button>
            </div>
        </div>
    }
}

impl StateFilter {
    fn text(self) -> Text {
        match self {
            Self::All => Language::show_all,
            Self::Answered => Language::show_classified,
            Self::Unsure => Language::show_unsure,
            Self::Unknown => Language::show_unknown,
            Self::Failed => Language::show_failed,
            Self::Cancelled => Language::show_cancelled,
            Self::Unfinished => Language::show_unfinished,
        }
    }
}

impl Sort {
    fn text(self) -> Text {
        match self {
            Self::FailedFirst => Language::failed_first,
            Self::AsAdded => Language::as_added,
            Self::Name => Language::by_name,
            Self::Label => Language::by_label,
            Self::LowestConfidence => Language::lowest_confidence_first,
            Self::HighestConfidence => Language::highest_confidence_first,
            Self::Slowest => Language::slowest_first,
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

/// Saves the finished rows as a file, in the order in which they were added.
fn save(
    batch: Batch,
    file_name: &str,
    media_type: &str,
    write: impl Fn(&[Finished<'_>]) -> String,
) {
    let rows = batch.rows().get_untracked();
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
                State::Failed(error) => Err(Some(&**error)),
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

/// The batch and its buttons are gone: the next image begins here.
fn focus_first_button() {
    let button = document().query_selector("button.pick").ok().flatten();
    if let Some(button) = button {
        let _ = button.unchecked_into::<HtmlElement>().focus();
    }
}
