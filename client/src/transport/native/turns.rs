use std::time::Duration;

use tokio::time::Instant;

use super::backoff::backoff;

/// For how long one request alone probes a server that was set aside: as long as a connection may take.
const PROBE: Duration = super::CONNECT_TIMEOUT;

/// Servers that take turns. One that is unavailable is set aside, longer each time; then one request probes it. If all are set
/// aside, the one whose time is over first is next.
#[derive(Debug)]
pub(super) struct Turns<T> {
    turns: Vec<Turn<T>>,
    next: usize,
}

#[derive(Debug)]
struct Turn<T> {
    server: T,
    /// Since its last answer.
    failures: u32,
    aside_until: Option<Instant>,
    is_probing: bool,
}

impl<T: Clone + PartialEq> Turns<T> {
    /// `next` is the position of the first one, so that clients do not all begin with the same server.
    pub(super) fn new(servers: Vec<T>, next: usize) -> Self {
        let mut turns = Self {
            turns: Vec::new(),
            next,
        };
        turns.replace(servers);
        turns
    }

    /// Keeps what is known about those of `servers` that are known.
    pub(super) fn replace(&mut self, servers: Vec<T>) {
        let mut known = std::mem::take(&mut self.turns);
        self.turns = servers
            .into_iter()
            .map(|server| {
                let at = known.iter().position(|turn| turn.server == server);
                at.map_or_else(|| Turn::new(server), |at| known.swap_remove(at))
            })
            .collect();
    }

    pub(super) fn servers(&self) -> impl Iterator<Item = &T> {
        self.turns.iter().map(|turn| &turn.server)
    }

    pub(super) fn len(&self) -> usize {
        self.turns.len()
    }

    /// The server for the next request; `None` if there are no servers.
    pub(super) fn next(&mut self) -> Option<T> {
        let (now, count) = (Instant::now(), self.turns.len());
        let back_at = |at: &usize| {
            self.turns[*at]
                .aside_until
                .map_or(now, |until| until.max(now))
        };
        let order = (0..count).map(|offset| (self.next + offset) % count);
        let at = order.min_by_key(back_at)?;
        self.next = at + 1;
        let turn = &mut self.turns[at];
        if turn.failures > 0 && !turn.is_aside(now) {
            turn.is_probing = true;
            turn.aside_until = Some(now + PROBE);
        }
        Some(turn.server.clone())
    }

    /// Whether a server is not set aside.
    pub(super) fn is_any_available(&self) -> bool {
        let now = Instant::now();
        self.turns.iter().any(|turn| !turn.is_aside(now))
    }

    /// How often a server has failed since its last answer; requests that fail together count once.
    pub(super) fn failures(&self, server: &T) -> u32 {
        let mut turns = self.turns.iter();
        turns
            .find(|turn| turn.server == *server)
            .map_or(0, |turn| turn.failures)
    }

    pub(super) fn unavailable(&mut self, server: &T, hint: Option<Duration>) {
        let now = Instant::now();
        // Requests that fail together count once.
        if let Some(turn) = self.turn(server)
            && (turn.is_probing || !turn.is_aside(now))
        {
            turn.aside_until = Some(now + backoff(turn.failures, hint));
            turn.failures += 1;
            turn.is_probing = false;
        }
    }

    /// The server has answered, even if with an error.
    pub(super) fn answered(&mut self, server: &T) {
        if let Some(turn) = self.turn(server) {
            turn.failures = 0;
            turn.aside_until = None;
            turn.is_probing = false;
        }
    }

    /// Replaces a server by one that equals it.
    pub(super) fn renew(&mut self, server: &T, fresh: T) {
        if let Some(turn) = self.turn(server) {
            turn.server = fresh;
        }
    }

    fn turn(&mut self, server: &T) -> Option<&mut Turn<T>> {
        self.turns.iter_mut().find(|turn| turn.server == *server)
    }
}

impl<T> Turn<T> {
    fn new(server: T) -> Self {
        Self {
            server,
            failures: 0,
            aside_until: None,
            is_probing: false,
        }
    }

    fn is_aside(&self, now: Instant) -> bool {
        self.aside_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn six(turns: &mut Turns<char>) -> Vec<char> {
        (0..6).filter_map(|_| turns.next()).collect()
    }

    fn count(turns: &mut Turns<char>, server: char) -> usize {
        six(turns)
            .into_iter()
            .filter(|&next| next == server)
            .count()
    }

    #[tokio::test(start_paused = true)]
    async fn servers_that_fail_are_set_aside() {
        let mut turns = Turns::new(vec!['a', 'b', 'c'], 1);
        assert_eq!(six(&mut turns), ['b', 'c', 'a', 'b', 'c', 'a']);
        turns.unavailable(&'b', None);
        turns.unavailable(&'b', None);
        assert_eq!(six(&mut turns), ['c', 'a', 'c', 'a', 'c', 'a']);
        advance(Duration::from_millis(130)).await;
        assert_eq!(count(&mut turns, 'b'), 1, "one request probes it");
        turns.unavailable(&'b', None);
        advance(Duration::from_millis(130)).await;
        assert_eq!(count(&mut turns, 'b'), 0, "twice as long");
        advance(Duration::from_millis(130)).await;
        assert_eq!(count(&mut turns, 'b'), 1);
        turns.answered(&'b');
        assert_eq!(count(&mut turns, 'b'), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_to_come_back_is_next_if_all_are_set_aside() {
        let mut turns = Turns::new(vec!['a', 'b'], 0);
        turns.unavailable(&'a', Some(Duration::from_secs(9)));
        assert!(turns.is_any_available());
        turns.unavailable(&'b', Some(Duration::from_secs(1)));
        assert!(!turns.is_any_available());
        assert_eq!(six(&mut turns), ['b'; 6]);
        turns.replace(vec!['a', 'c']);
        assert_eq!(six(&mut turns), ['c'; 6], "a is still set aside");
        turns.replace(vec![]);
        assert_eq!(turns.next(), None);
    }
}
