use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A bounded first-in, first-out queue between async callers and compute threads. A job can be removed from the middle, so
/// that cancelled work frees its memory and its place at once.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    length_max: usize,
}

struct State<T> {
    jobs: VecDeque<Waiting<T>>,
    next_ticket: u64,
    closed: bool,
}

struct Waiting<T> {
    ticket: u64,
    /// Jobs that were ahead of this one when it was queued.
    ahead: u32,
    since: Instant,
    job: T,
}

/// What a new job would find in the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueEstimate {
    pub(crate) jobs: u32,
    /// How long the first job has waited so far, per place that it has moved up. Zero if the queue is empty.
    pub(crate) time_per_job: Duration,
}

impl<T> Queue<T> {
    pub(crate) fn new(length_max: usize) -> Self {
        Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                next_ticket: 0,
                closed: false,
            }),
            filled: Condvar::new(),
            length_max,
        }
    }

    /// Appends `job` and returns its ticket, or `None` if the queue is full or closed.
    pub(crate) fn push(&self, job: T) -> Option<u64> {
        let mut state = self.state();
        if state.closed || state.jobs.len() >= self.length_max {
            return None;
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let ahead = state.length();
        state.jobs.push_back(Waiting {
            ticket,
            ahead,
            since: Instant::now(),
            job,
        });
        drop(state);
        self.filled.notify_one();
        Some(ticket)
    }

    /// Removes a job and returns it, unless a worker has already taken it.
    pub(crate) fn remove(&self, ticket: u64) -> Option<T> {
        let mut state = self.state();
        let found = state
            .jobs
            .binary_search_by_key(&ticket, |waiting| waiting.ticket);
        found
            .ok()
            .and_then(|index| state.jobs.remove(index))
            .map(|waiting| waiting.job)
    }

    /// Waits for the oldest job and returns it; `None` once the queue is closed and empty.
    pub(crate) fn pop(&self) -> Option<T> {
        let state = self.state();
        let mut state = self
            .filled
            .wait_while(state, |state| state.jobs.is_empty() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        state.jobs.pop_front().map(|waiting| waiting.job)
    }

    pub(crate) fn len(&self) -> usize {
        self.state().jobs.len()
    }

    pub(crate) fn estimate(&self) -> QueueEstimate {
        let state = self.state();
        let time_per_job = match state.jobs.front() {
            Some(first) => first.since.elapsed() / (first.ahead + 1),
            None => Duration::ZERO,
        };
        QueueEstimate {
            jobs: state.length(),
            time_per_job,
        }
    }

    /// Stops accepting jobs. Workers get `None` from [`Self::pop`] once the queue is empty.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_all();
    }

    /// A poisoned lock is still usable: no method can leave the queue half changed.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn length(&self) -> u32 {
        u32::try_from(self.jobs.len()).expect("`length_max` is a number of requests")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_come_out_in_order_without_those_taken_out() {
        let queue = Queue::new(3);
        let tickets: Vec<_> = (0..3).map(|job| queue.push(job).unwrap()).collect();
        assert_eq!(queue.push(3), None, "full");
        assert_eq!(queue.remove(tickets[1]), Some(1));
        assert_eq!(queue.remove(tickets[1]), None);
        assert_eq!(queue.pop(), Some(0));
        assert_eq!(queue.remove(tickets[0]), None, "begun");
        assert!(queue.push(4).is_some());
        queue.close();
        assert_eq!(queue.push(5), None, "closed");
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(rest, [2, 4]);
    }

    #[test]
    fn the_first_in_line_shows_what_a_place_costs() {
        const WAIT: Duration = Duration::from_millis(20);
        let queue = Queue::new(3);
        assert_eq!(queue.estimate().time_per_job, Duration::ZERO);
        let begun_at = Instant::now();
        queue.push(0).unwrap();
        queue.push(1).unwrap();
        std::thread::sleep(WAIT);
        assert!(queue.estimate().time_per_job >= WAIT);
        queue.pop();
        queue.push(2).unwrap();
        let QueueEstimate { jobs, time_per_job } = queue.estimate();
        assert_eq!(jobs, 2);
        assert!(time_per_job >= WAIT / 2, "one was ahead");
        assert!(time_per_job <= begun_at.elapsed() / 2);
    }

    #[test]
    fn closing_ends_those_who_wait() {
        let queue = Queue::<()>::new(1);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.pop());
            queue.close();
            assert_eq!(waiting.join().unwrap(), None);
        });
    }
}
