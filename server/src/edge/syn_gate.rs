//! Closing a listener without losing a connection. The system completes handshakes by itself, so a client may be connected
//! before the server has accepted it; if the listener closed then, the connection would be reset. So the listener first
//! stops accepting new handshakes, then accepts those that have begun, and only then closes. A client that was kept out
//! tries again after a second, as TCP does, and is refused. `docs/decisions/0005-shutdown.md` has the alternatives.

use std::{io, time::Duration};

use tokio::net::{TcpListener, TcpStream};

/// How long a handshake that has begun may take: a round trip to the other side of the world.
const HANDSHAKE: Duration = Duration::from_millis(300);

/// Stops accepting new handshakes. Returns how long to keep accepting those that have begun: zero if the system has no such
/// option.
pub(crate) fn keep_out(listener: &TcpListener) -> Duration {
    match hops::set_left_min(listener, hops::MORE_THAN_ANY) {
        Ok(()) => HANDSHAKE,
        Err(_) => Duration::ZERO,
    }
}

/// Lifts the rule of [`keep_out`] for a connection that was accepted after it and inherited it. TCP resends what was
/// dropped meanwhile.
pub(crate) fn let_in(stream: &TcpStream) -> io::Result<()> {
    hops::set_left_min(stream, hops::ANY)
}

/// How many hops the packets to a socket must have left. Linux applies a listener's rule to the packets that open a connection,
/// and not to those that complete a handshake, which belong to no socket yet. It takes no privilege; a packet filter, which
/// could do the same, takes `CAP_NET_ADMIN` on Linux 6.18.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "no crate of the tree sets these options")]
mod hops {
    use std::{ffi::c_int, io, os::fd::AsRawFd};

    /// Common systems send packets with 64 or 128.
    pub(super) const MORE_THAN_ANY: c_int = 255;
    pub(super) const ANY: c_int = 0;

    pub(super) fn set_left_min(socket: &impl AsRawFd, hops: c_int) -> io::Result<()> {
        let v4 = set(socket, libc::IPPROTO_IP, libc::IP_MINTTL, hops);
        // An IPv6 socket may have peers of both versions; an IPv4 socket lacks the IPv6 option.
        let v6 = set(socket, libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT, hops);
        v4.or(v6)
    }

    fn set(socket: &impl AsRawFd, level: c_int, option: c_int, value: c_int) -> io::Result<()> {
        let bytes = libc::socklen_t::try_from(size_of_val(&value)).expect("a few bytes");
        // SAFETY: The kernel reads `bytes` bytes of `value`, which is as long and outlives the call.
        let result = unsafe {
            let value = (&raw const value).cast();
            libc::setsockopt(socket.as_raw_fd(), level, option, value, bytes)
        };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod hops {
    use std::io;

    pub(super) const MORE_THAN_ANY: () = ();
    pub(super) const ANY: () = ();

    pub(super) fn set_left_min<S>(_: &S, (): ()) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::timeout,
    };

    use super::*;

    #[tokio::test]
    async fn begun_handshakes_complete_and_new_ones_are_rejected() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut early = TcpStream::connect(address).await.unwrap();
            assert_eq!(keep_out(&listener), HANDSHAKE);
            early.write_all(b"early").await.unwrap();
            let late = tokio::spawn(TcpStream::connect(address));

            let (mut accepted, _) = listener.accept().await.unwrap();
            let_in(&accepted).unwrap();
            let mut heard = [0; 5];
            accepted.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"early");
            let second = timeout(HANDSHAKE, listener.accept()).await;
            assert!(second.is_err(), "the newcomer was let in");
            drop(listener);
            let count_error = late.await.unwrap().unwrap_err();
            assert_eq!(count_error.kind(), io::ErrorKind::ConnectionRefused);
        }
    }

    #[tokio::test]
    async fn a_connection_that_inherited_the_rule_is_let_in() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        let (mut accepted, _) = listener.accept().await.unwrap();
        hops::set_left_min(&accepted, hops::MORE_THAN_ANY).unwrap();
        let_in(&accepted).unwrap();
        client.write_all(b"request").await.unwrap();
        let mut received = [0; 7];
        let reading = accepted.read_exact(&mut received);
        timeout(Duration::from_secs(5), reading)
            .await
            .expect("the packets are dropped")
            .unwrap();
    }
}
