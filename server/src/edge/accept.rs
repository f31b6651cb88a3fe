//! Accepts connections, up to the number that may be open at once, and in spite of errors.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

/// A new connection, its peer, and the place that it takes among the connections that may be open.
pub(crate) type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

/// How long to wait for the system to free a descriptor or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// The next connection, as soon as one of `places` is free.
pub(crate) async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Accepted {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.expect("the semaphore is never closed");
    let (stream, peer) = in_spite_of_errors(|| listener.accept()).await;
    // Small frames, window updates above all, must not wait for an acknowledgement: that costs a client 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        // If the connection has already ended, reading from it shows that.
        tracing::debug!("cannot set TCP_NODELAY: {error}");
    }
    (stream, peer, place)
}

/// The first success of `accept`. Pauses after each error, except for errors of a single peer, which do not affect the next
/// one.
async fn in_spite_of_errors<T, F>(mut accept: impl FnMut() -> F) -> T
where
    F: Future<Output = io::Result<T>>,
{
    loop {
        match accept().await {
            Ok(accepted) => return accepted,
            Err(error) if concerns_one_peer(&error) => {
                tracing::debug!("a connection ended before it was accepted: {error}");
            }
            Err(error) => {
                tracing::warn!("cannot accept connections: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Whether the error belongs to the connection that would have been accepted, and not to the listener or the process.
fn concerns_one_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown,
        NetworkUnreachable, PermissionDenied, TimedOut, Unsupported,
    };
    match error.kind() {
        ConnectionAborted | ConnectionRefused | ConnectionReset | HostUnreachable | NetworkDown
        | NetworkUnreachable | PermissionDenied | TimedOut | Unsupported => true,
        _ => is_pending_network_error(error),
    }
}

/// The other errors of a new connection that Linux's accept(2) passes on. They have no `ErrorKind`.
#[cfg(target_os = "linux")]
fn is_pending_network_error(error: &io::Error) -> bool {
    const ERRORS: [i32; 4] = [
        libc::EPROTO,
        libc::ENOPROTOOPT,
        libc::EHOSTDOWN,
        libc::ENONET,
    ];
    error
        .raw_os_error()
        .is_some_and(|code| ERRORS.contains(&code))
}

#[cfg(not(target_os = "linux"))]
fn is_pending_network_error(_: &io::Error) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// How long it takes to get past `errors`.
    async fn delay(errors: &[i32]) -> Duration {
        let begun_at = Instant::now();
        let mut errors = errors.iter();
        in_spite_of_errors(|| {
            let next = errors.next();
            let result = next.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(*code)));
            async move { result }
        })
        .await;
        begun_at.elapsed()
    }

    #[tokio::test]
    async fn only_exhausted_resources_pause_accepting() {
        let of_one_peer = [
            libc::ECONNABORTED,
            libc::ECONNRESET,
            libc::ECONNREFUSED,
            libc::EPERM,
            libc::EPROTO,
            libc::ENOPROTOOPT,
            libc::EOPNOTSUPP,
            libc::ENETDOWN,
            libc::ENETUNREACH,
            libc::EHOSTDOWN,
            libc::EHOSTUNREACH,
            libc::ENONET,
            libc::ETIMEDOUT,
        ];
        let delayed = delay(&of_one_peer).await;
        assert!(delayed < PAUSE, "{delayed:?}");
        for exhausted in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
            let delayed = delay(&[exhausted]).await;
            assert!(delayed >= PAUSE, "errno {exhausted}: {delayed:?}");
        }
    }
}
