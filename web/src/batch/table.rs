use leptos::{html, prelude::*};

use crate::{
    batch::{
        list::Batch,
        order::{self, Facts, StateFilter, ViewFilter},
        row::Row,
        table_row::TableRow,
        tools::Tools,
    },
    settings::language::{self, said},
    texts::Language,
};

/// As high as the style sheet makes a row.
const ROW_REM: f64 = 3.5;
/// Rows drawn above and below those in view, so that none is missing while one scrolls, and the next can get the focus.
const MARGIN_ROWS: usize = 6;
/// In view at first, before anything was measured.
const VIEW_ROWS: usize = 12;

/// The batch, once there is one.
#[component]
pub(crate) fn BatchSection(batch: Batch) -> impl IntoView {
    view! {
        <Show when=move || !batch.is_empty()>
            <List batch />
        </Show>
    }
}

#[component]
fn List(batch: Batch) -> impl IntoView {
    let language = language::spoken();
    let filter = ViewFilter {
        state: RwSignal::default(),
        sort: RwSignal::default(),
        text: RwSignal::default(),
    };
    let counts = Memo::new(move |_| batch.counts());
    let title = move || counts.get().sentence(language.get());
    view! {
        <section class="batch" aria-labelledby="batch-title" data-testid="batch">
            <h2 id="batch-title">{title}</h2>
            <Show when=move || counts.get().failed != 0>
                <button type="button" class="plain" on:click=move |_| filter.state.set(StateFilter::Failed)>
                    {said(Language::show_only_failed)}
                </button>
            </Show>
            <progress
                aria-labelledby="batch-title"
                prop:max=move || counts.get().all as f64
                prop:value=move || counts.get().finished() as f64
            ></progress>
            <Tools batch filter counts />
            <Table batch filter />
        </section>
    }
}

/// Only the rows in view are rendered; empty space above and below stands for the others.
#[component]
fn Table(batch: Batch, filter: ViewFilter) -> impl IntoView {
    let language = language::spoken();
    let scroller = NodeRef::<html::Div>::new();
    let positions = Memo::new(move |_| positions(batch, filter));
    let total = Memo::new(move |_| positions.with(Vec::len));
    let view_rows = RwSignal::new((0, VIEW_ROWS));
    let measure = move || {
        if let Some(scroller) = scroller.get_untracked() {
            let in_view = in_view(
                scroller.scroll_top(),
                scroller.client_height(),
                scroller.scroll_height(),
                total.get_untracked(),
            );
            if in_view != view_rows.get_untracked() {
                view_rows.set(in_view);
            }
        }
    };
    let drawn = Memo::new(move |_| {
        let (first, last) = view_rows.get();
        let total = total.get();
        let last = (last + MARGIN_ROWS).min(total);
        (first.saturating_sub(MARGIN_ROWS).min(last), last)
    });
    let rows = move || {
        let (first, last) = drawn.get();
        batch.rows().with(|rows| {
            positions.with(|positions| {
                positions
                    .get(first..last)
                    .unwrap_or_default()
                    .iter()
                    .map(|at| rows[*at])
                    .collect::<Vec<_>>()
            })
        })
    };
    let place_of = move |row: Row| {
        batch.rows().with(|rows| {
            positions.with(|positions| {
                positions
                    .iter()
                    .position(|at| rows[*at].place == row.place)
                    .map(|at| (at + 2).to_string())
            })
        })
    };
    let header = move || {
        language
            .get()
            .columns()
            .map(|title| view! { <span role="columnheader">{title}</span> })
    };
    view! {
        <div
            node_ref=scroller
            class="scroller"
            role="region"
            tabindex="0"
            aria-label=said(Language::images)
            on:scroll=move |_| measure()
        >
            <div role="table" aria-label=said(Language::images) aria-rowcount=move || (total.get() + 1).to_string()>
                <div role="rowgroup" class="head">
                    <div role="row" aria-rowindex="1" class="row">{move || header().collect_view()}</div>
                </div>
                <div role="rowgroup">
                    <div class="space" role="presentation" style:height=move || rem(drawn.get().0)></div>
                    <For each=rows key=|row| row.place let(row)>
                        <TableRow batch row place=Signal::derive(move || place_of(row)) />
                    </For>
                    <div class="space" role="presentation" style:height=move || rem(total.get().saturating_sub(drawn.get().1))></div>
                </div>
            </div>
            <Show when=move || total.get() == 0>
                <p class="none">{said(Language::no_such_row)}</p>
            </Show>
        </div>
    }
}

/// The positions of the rows that the filter admits, sorted.
fn positions(batch: Batch, filter: ViewFilter) -> Vec<usize> {
    batch.pulse().track();
    let (shown, sort) = (filter.state.get(), filter.sort.get());
    let text = order::lower_case(filter.text.get().trim());
    batch.rows().with(|rows| {
        let states: Vec<_> = rows
            .iter()
            .map(|row| (row.path(), row.state.get_untracked()))
            .collect();
        let facts: Vec<_> = states
            .iter()
            .map(|(path, state)| Facts { path, state })
            .collect();
        let mut positions: Vec<_> = (0..facts.len())
            .filter(|at| order::admits(shown, &text, &facts[*at]))
            .collect();
        positions.sort_by(|one, other| sort.compare(&facts[*one], &facts[*other]));
        positions
    })
}

/// The first row in view and the one after the last, from the scroller's numbers in pixels.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a scroller's pixels are few and not negative"
)]
fn in_view(scroll_top: i32, view_height: i32, whole_height: i32, total: usize) -> (usize, usize) {
    if total == 0 || whole_height <= 0 {
        return (0, VIEW_ROWS);
    }
    // The header counts as a row.
    let row_height = f64::from(whole_height) / (total + 1) as f64;
    let first = (f64::from(scroll_top) / row_height).floor() as usize;
    let count = (f64::from(view_height) / row_height).ceil() as usize + 1;
    (first, first + count)
}

fn rem(rows: usize) -> String {
    format!("{}rem", rows as f64 * ROW_REM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_view_follows_from_the_scrollers_pixels() {
        // 99 rows and the header of 56 pixels each, in a view of 10 rows.
        for (scroll_top, expected) in [
            (0, (0, 11)),
            (56, (1, 12)),
            (83, (1, 12)),
            (5040, (90, 101)),
        ] {
            assert_eq!(in_view(scroll_top, 560, 5600, 99), expected, "{scroll_top}");
        }
        assert_eq!(in_view(0, 560, 0, 99), (0, VIEW_ROWS));
        assert_eq!(in_view(0, 560, 560, 0), (0, VIEW_ROWS));
    }
}
