use leptos::{ev, prelude::*};
use web_sys::{DataTransfer, DragEvent};

use crate::{
    failure::Failure,
    inputs::{
        address::Address,
        dropped::Dropped,
        transfer::{dropped_addresses, holds_files},
    },
};

/// Makes the whole page a drop zone for images, folders and images of other sites. The signal says whether something is
/// dragged over it.
pub(crate) fn listen(
    on_files: Callback<Dropped>,
    on_addresses: Callback<Vec<Address>>,
    on_failure: Callback<Failure>,
) -> ReadSignal<bool> {
    let (hovering, set_hovering) = signal(false);
    let enter = window_event_listener(ev::dragover, move |event| {
        if let Some(transfer) = accepted(&event) {
            event.prevent_default(); // tells the browser that a drop is accepted
            transfer.set_drop_effect("copy");
            if !hovering.get_untracked() {
                set_hovering.set(true);
            }
        }
    });
    let leave = window_event_listener(ev::dragleave, move |event| {
        // The related target is the next element; outside the window there is none.
        if event.related_target().is_none() {
            set_hovering.set(false);
        }
    });
    let drop = window_event_listener(ev::drop, move |event| {
        set_hovering.set(false);
        if let Some(transfer) = accepted(&event) {
            event.prevent_default(); // else the browser opens the file in place of the page
            if let Some(dropped) = Dropped::of(&transfer) {
                on_files.run(dropped);
                return;
            }
            let addresses = dropped_addresses(&transfer);
            if !addresses.is_empty() {
                on_addresses.run(addresses);
            } else if holds_files(&transfer) {
                on_failure.run(Failure::DropUnreadable);
            } else {
                on_failure.run(Failure::NothingDropped);
            }
        }
    });
    on_cleanup(move || {
        enter.remove();
        leave.remove();
        drop.remove();
    });
    hovering
}

/// The dragged data, if it has files or a link; text is left to the browser.
fn accepted(event: &DragEvent) -> Option<DataTransfer> {
    let transfer = event.data_transfer()?;
    let holds_links = || transfer.types().iter().any(|kind| kind == "text/uri-list");
    (holds_files(&transfer) || holds_links()).then_some(transfer)
}
