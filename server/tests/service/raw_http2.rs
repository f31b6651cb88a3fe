//! HTTP/2 frame by frame, for what no client does.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;

const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const INITIAL_WINDOW_SIZE: u16 = 4;

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A connection on which nothing is done by itself but to acknowledge settings and pings.
pub(crate) struct RawHttp2 {
    socket: TcpStream,
    received: Vec<u8>,
}

impl RawHttp2 {
    /// Each stream may be sent `window` bytes before more are granted; the connection as a whole has no such bound.
    pub(crate) async fn connect(address: SocketAddr, window: u32) -> Self {
        let mut connection = Self {
            socket: TcpStream::connect(address).await.unwrap(),
            received: Vec::new(),
        };
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        connection.socket.write_all(preface).await.unwrap();
        let setting = [
            &INITIAL_WINDOW_SIZE.to_be_bytes()[..],
            &window.to_be_bytes(),
        ];
        connection.send(SETTINGS, 0, 0, &setting.concat()).await;
        connection.grant(0, 1 << 30).await;
        connection
    }

    pub(crate) async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.socket
            .write_all(&[&head, payload].concat())
            .await
            .unwrap();
    }

    /// Begins a request, and ends it if it has no body.
    pub(crate) async fn ask(&mut self, stream: u32, fields: &[(&str, &str)], body: Option<&[u8]>) {
        let mut block = Vec::new();
        for (name, value) in fields {
            // Literal, in no table, not compressed.
            block.push(0);
            for text in [name, value] {
                assert!(text.len() < 127);
                block.push(u8::try_from(text.len()).unwrap());
                block.extend(text.as_bytes());
            }
        }
        let end = if body.is_none() { END_STREAM } else { 0 };
        self.send(HEADERS, END_HEADERS | end, stream, &block).await;
        if let Some(body) = body {
            self.send(DATA, END_STREAM, stream, body).await;
        }
    }

    /// Lets the server send `bytes` more.
    pub(crate) async fn grant(&mut self, stream: u32, bytes: u32) {
        self.send(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())
            .await;
    }

    /// The next frame; nothing when the server has closed the connection.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.take() {
                if [SETTINGS, PING].contains(&frame.kind) && frame.flags & ACK == 0 {
                    let payload = if frame.kind == PING {
                        &frame.payload[..]
                    } else {
                        &[]
                    };
                    self.send(frame.kind, ACK, 0, payload).await;
                }
                return Some(frame);
            }
            if self.socket.read_buf(&mut self.received).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    fn take(&mut self) -> Option<Frame> {
        let [a, b, c, kind, flags, s, t, u, v] = *self.received.first_chunk()?;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if self.received.len() < 9 + length {
            return None;
        }
        let payload = self.received.drain(..9 + length).skip(9).collect();
        Some(Frame {
            kind,
            flags,
            stream: u32::from_be_bytes([s, t, u, v]),
            payload,
        })
    }
}
