use futures_util::future::{AbortHandle, abortable};

/// The right to report an answer. Dropping it cancels the work, so that a late answer does not reach the page and the browser
/// aborts the request.
pub(crate) struct Ticket(AbortHandle);

impl Ticket {
    /// A ticket, and the work that ends with it.
    pub(crate) fn issue(
        work: impl Future<Output = ()> + 'static,
    ) -> (Self, impl Future<Output = ()> + 'static) {
        let (work, handle) = abortable(work);
        let work = async move {
            // An error says only that the ticket was dropped.
            let _ = work.await;
        };
        (Self(handle), work)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use futures_util::FutureExt;

    use super::*;

    fn report(reported: &Rc<Cell<bool>>) -> impl Future<Output = ()> + 'static {
        let reported = Rc::clone(reported);
        async move { reported.set(true) }
    }

    #[test]
    fn work_with_a_ticket_reports() {
        let reported = Rc::default();
        let (_ticket, work) = Ticket::issue(report(&reported));
        assert!(work.now_or_never().is_some());
        assert!(reported.get());
    }

    #[test]
    fn work_without_its_ticket_never_reports() {
        let reported = Rc::default();
        let (ticket, work) = Ticket::issue(report(&reported));
        drop(ticket);
        assert!(work.now_or_never().is_some());
        assert!(!reported.get());
    }
}
