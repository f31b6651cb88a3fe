//! Trusted proxies name the client for whom they speak; others are not believed.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Command, Stdio},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::spawn_blocking,
};
use tonic::Code;

use crate::{
    app::{App, within_seconds},
    protocol::{Protocol, call},
    script::{Script, order},
};

const TRUSTED: [&str; 4] = [
    "--rate-limit",
    "1",
    "--trusted-proxies",
    "127.0.0.1,10.0.0.0/8",
];
const UNTRUSTED: [&str; 4] = ["--rate-limit", "1", "--trusted-proxies", "10.0.0.0/8"];

/// Whether two requests with these headers count as those of one client.
async fn same_client(app: &App, protocol: Protocol, headers: [&[(&str, &str)]; 2]) -> bool {
    let first = call(app.address, protocol, &order(""), headers[0]).await;
    let second = call(app.address, protocol, &order(""), headers[1]).await;
    first.outcome.expect("the client's first");
    match second.outcome {
        Ok(_) => false,
        Err(status) => {
            assert_eq!(status.code(), Code::ResourceExhausted);
            true
        }
    }
}

#[tokio::test]
async fn headers_of_a_trusted_proxy_name_the_client() {
    const XFF: &str = "x-forwarded-for";
    for protocol in [Protocol::Grpc, Protocol::GrpcWebText, Protocol::ALL[4]] {
        let app = App::with_stages(&TRUSTED, Script::default().stages()).await;
        for (same, headers) in [
            (false, [&[(XFF, "192.0.2.1")][..], &[(XFF, "192.0.2.2")]]),
            (true, [&[(XFF, "192.0.2.3")], &[(XFF, "192.0.2.3")]]),
            // What a client claims stands before what the proxy knows.
            (
                true,
                [
                    &[(XFF, "192.0.2.8, 192.0.2.4")],
                    &[(XFF, "192.0.2.9, 192.0.2.4")],
                ],
            ),
            (
                true,
                [
                    &[(XFF, "192.0.2.5, 10.1.2.3")],
                    &[("forwarded", "for=192.0.2.5")],
                ],
            ),
            // Without an address that can be believed, it is the proxy's own.
            (
                true,
                [
                    &[(XFF, "somebody")],
                    &[(XFF, "192.0.2.6"), ("forwarded", "for=192.0.2.7")],
                ],
            ),
        ] {
            let found = same_client(&app, protocol, headers).await;
            assert_eq!(found, same, "{protocol:?} {headers:?}");
        }
    }
}

#[tokio::test]
async fn headers_of_others_are_ignored() {
    for options in [&UNTRUSTED[..], &UNTRUSTED[..2]] {
        let app = App::with_stages(options, Script::default().stages()).await;
        let headers: [&[_]; 2] = [
            &[
                ("x-forwarded-for", "192.0.2.1"),
                ("forwarded", "for=192.0.2.1"),
            ],
            &[
                ("x-forwarded-for", "192.0.2.2"),
                ("forwarded", "for=192.0.2.2"),
            ],
        ];
        assert!(same_client(&app, Protocol::Grpc, headers).await);
    }
}

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A header of the PROXY protocol, version 2: TCP over IPv4, with a field that is not understood.
fn proxied(client: [u8; 4]) -> Vec<u8> {
    let addresses = [&client[..], &[127, 0, 0, 1], &[0x12, 0x34, 0xc3, 0x83]].concat();
    [SIGNATURE, b"\x21\x11\0\x10", &addresses, b"\xe0\0\x01x"].concat()
}

/// The status of a request in plain HTTP behind `prefix`; `None` if the connection ended instead.
async fn status_behind(address: SocketAddr, prefix: &[u8], headers: &str) -> Option<u16> {
    let image = order("").image_data;
    let head = format!(
        "POST /v1/classify HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        image.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = [prefix, head.as_bytes(), &image].concat();
    // In pieces, as it may arrive.
    let (begin, rest) = request.split_at(prefix.len().min(14));
    stream.write_all(begin).await.unwrap();
    tokio::task::yield_now().await;
    let _ = stream.write_all(rest).await;
    let mut answer = Vec::new();
    let _ = within_seconds(5, stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.strip_prefix("HTTP/1.1 ")?.split(' ').next()?;
    Some(status.parse().unwrap())
}

#[tokio::test]
async fn a_proxy_header_of_a_trusted_proxy_names_the_client() {
    let app = App::with_stages(&TRUSTED, Script::default().stages()).await;
    let local = [SIGNATURE, b"\x20\0\0\0"].concat();
    for (name, prefix, headers, expected) in [
        ("a client", proxied([192, 0, 2, 1]), "", 200),
        ("another one", proxied([192, 0, 2, 2]), "", 200),
        ("the first again", proxied([192, 0, 2, 1]), "", 429),
        ("the proxy itself", local.clone(), "", 200),
        ("the same without a header", Vec::new(), "", 429),
        (
            "a trusted client",
            proxied([10, 0, 0, 1]),
            "x-forwarded-for: 192.0.2.3\r\n",
            200,
        ),
        (
            "whose client it is",
            local,
            "x-forwarded-for: 192.0.2.3\r\n",
            429,
        ),
        (
            "another client's claim",
            proxied([192, 0, 2, 1]),
            "x-forwarded-for: 192.0.2.4\r\n",
            429,
        ),
    ] {
        let status = status_behind(app.address, &prefix, headers).await;
        assert_eq!(status, Some(expected), "{name}");
    }

    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(&proxied([192, 0, 2, 9])).await.unwrap();
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.unwrap();
    tokio::spawn(connection);
    for expected in [200, 429] {
        let request = Request::post("http://localhost/v1/classify");
        let request = request.body(Full::new(order("").image_data)).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), expected);
        let _: Bytes = response.into_body().collect().await.unwrap().to_bytes();
    }
}

#[tokio::test]
async fn proxy_headers_that_are_not_understood_end_the_connection() {
    let options = [&TRUSTED[..], &["--first-request-timeout", "0.5"]].concat();
    let app = App::with_stages(&options, Script::default().stages()).await;
    for (name, prefix) in [
        (
            "another signature",
            b"\r\n\r\n\0\r\nQUIX\n\x21\x11\0\0".to_vec(),
        ),
        ("another version", [SIGNATURE, b"\x31\x11\0\0"].concat()),
        (
            "no addresses",
            [SIGNATURE, b"\x21\x11\0\x04\x7f\0\0\x01"].concat(),
        ),
        ("far too long", [SIGNATURE, b"\x21\x11\xff\xff"].concat()),
        ("never whole", [SIGNATURE, b"\x21\x11\x0f\xff"].concat()),
    ] {
        let status = status_behind(app.address, &prefix, "").await;
        assert_eq!(status, None, "{name}");
    }
    let app = App::with_stages(&UNTRUSTED, Script::default().stages()).await;
    let status = status_behind(app.address, &proxied([192, 0, 2, 1]), "").await;
    assert_eq!(status, Some(400), "from no trusted proxy");
}

#[tokio::test]
async fn the_log_names_the_client() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_imageclassifier-server"))
        .args(["--listen", "127.0.0.1:0", "--drain-grace", "0"])
        .args(["--trusted-proxies", "127.0.0.1"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(program.stderr.take().unwrap()).lines();
    let (address, mut log) = spawn_blocking(move || {
        let mut lines = log.by_ref().map(Result::unwrap);
        let address = lines.find_map(|line| {
            let (_, address) = line.split_once("on http://")?;
            Some(address.parse().unwrap())
        });
        lines.find(|line| line.ends_with("ready")).unwrap();
        (address.unwrap(), log)
    })
    .await
    .unwrap();
    let headers = [("x-forwarded-for", "192.0.2.77")];
    let answer = call(address, Protocol::Grpc, &order("no image"), &headers).await;
    answer.outcome.unwrap_err();
    let stop = Command::new("kill").arg(program.id().to_string()).status();
    assert!(stop.unwrap().success());
    let rejected = spawn_blocking(move || {
        let found = log.find(|line| line.as_ref().unwrap().contains("request rejected"));
        program.wait().unwrap();
        found.unwrap().unwrap()
    });
    let rejected = within_seconds(20, rejected).await.unwrap();
    assert!(rejected.contains("client=192.0.2.77"), "{rejected}");
}
