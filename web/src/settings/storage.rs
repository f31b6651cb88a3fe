//! Where the browser keeps settings. None if the visitor has disabled it; writing fails if it is full. Settings then last until
//! the page is reloaded.

use leptos::prelude::window;
use web_sys::Storage;

/// Kept until the visitor clears it.
pub(super) fn local() -> Option<Storage> {
    window().local_storage().ok()?
}

/// Kept until the tab is closed.
pub(super) fn of_tab() -> Option<Storage> {
    window().session_storage().ok()?
}
