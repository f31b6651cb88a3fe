use leptos::{ev, prelude::*};
use web_sys::{DataTransfer, DragEvent, File};

/// Makes the whole page a place to drop a picture. The signal says whether one is held over it.
pub(crate) fn listen(on_file: Callback<File>) -> ReadSignal<bool> {
    let (hovering, set_hovering) = signal(false);
    let enter = window_event_listener(ev::dragover, move |event| {
        if let Some(transfer) = files_in(&event) {
            event.prevent_default(); // says that a drop is welcome
            transfer.set_drop_effect("copy");
            if !hovering.get_untracked() {
                set_hovering.set(true);
            }
        }
    });
    let leave = window_event_listener(ev::dragleave, move |event| {
        // Between two elements of the page there is a next one; at the window's edge there is none.
        if event.related_target().is_none() {
            set_hovering.set(false);
        }
    });
    let drop = window_event_listener(ev::drop, move |event| {
        set_hovering.set(false);
        if let Some(transfer) = files_in(&event) {
            event.prevent_default(); // else the browser opens the file in place of the page
            if let Some(file) = first_file(&transfer) {
                on_file.run(file);
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

/// What is dragged, if it is files rather than text or a link.
fn files_in(event: &DragEvent) -> Option<DataTransfer> {
    let transfer = event.data_transfer()?;
    transfer
        .types()
        .iter()
        .any(|kind| kind == "Files")
        .then_some(transfer)
}

fn first_file(transfer: &DataTransfer) -> Option<File> {
    transfer.files()?.get(0)
}
