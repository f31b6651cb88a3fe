//! A listener's last moments. It is the kernel that completes handshakes: somebody who takes itself for connected may not
//! have been accepted yet, and would be cut off if the listener closed in this instant. So whoever has yet to begin is kept
//! out, those who have begun are given time to come in, and only then is the listener closed. Who was kept out asks again
//! after a second, as TCP does, and learns that nobody listens.

use std::{io, time::Duration};

use tokio::net::{TcpListener, TcpStream};

/// What a handshake that has begun may still take: a round trip to the other side of the world.
const HANDSHAKE: Duration = Duration::from_millis(300);

/// Ignores whoever begins to connect from now on. For how long those who have begun are to be accepted still; no time at all
/// where the system knows no such rule.
pub(crate) fn keep_out(listener: &TcpListener) -> Duration {
    match hops::set_left_min(listener, hops::MORE_THAN_ANY) {
        Ok(()) => HANDSHAKE,
        Err(_) => Duration::ZERO,
    }
}

/// Listens to somebody accepted after [`keep_out`], whose rule holds for the new connection too. What was said meanwhile is
/// sent again by TCP.
pub(crate) fn let_in(stream: &TcpStream) -> io::Result<()> {
    hops::set_left_min(stream, hops::ANY)
}

/// How many hops the packets to a socket must have left. Linux applies a listener's rule to the packets that open a connection
/// and not to those that complete a handshake, which belong to no socket yet. Anybody may set it; a packet filter, which could
/// do the same, takes a privilege (`CAP_NET_ADMIN`) on Linux 6.18.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "no crate of the tree sets these options")]
mod hops {
    use std::{ffi::c_int, io, os::fd::AsRawFd};

    /// Systems that people use send packets with 64 or 128.
    pub(super) const MORE_THAN_ANY: c_int = 255;
    pub(super) const ANY: c_int = 0;

    pub(super) fn set_left_min(socket: &impl AsRawFd, hops: c_int) -> io::Result<()> {
        let v4 = set(socket, libc::IPPROTO_IP, libc::IP_MINTTL, hops);
        // A socket of IPv6 may have peers of both versions, one of IPv4 has no such option.
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
    async fn whoever_has_begun_is_heard_and_newcomers_find_nobody() {
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
}
