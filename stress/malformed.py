"""Ten thousand corrupt images and messages: the server never panics and never reports an internal error."""

import random
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import hpack

import http2
import images
from clients import CLIENTS, CODES, METHOD, WEB_HEADERS, grpc_frame, read_web, request
from report import MIB, Figure, counted, report_progress
from server import Server

SEED = 3
IMAGES = 4_000
"""Corrupt images per protocol."""
MESSAGES = 1_000
"""Corrupt messages per protocol."""
CONCURRENCY = 4
RESPONSE_TIMEOUT_S = 15
CLOSED = "CLOSED"
"""Instead of a code: the server closed or reset the connection, or sent an HTTP response without a gRPC status."""


def figures() -> list[Figure]:
    measured = []
    with Server("malformed") as server:
        before = server.panics()
        for protocol in CLIENTS:
            codes = _send_images(server, protocol)
            ok = set(codes) <= {"OK", "INVALID_ARGUMENT"} and server.alive()
            measured.append(_figure(f"{IMAGES} corrupt images, {protocol}", "each OK or INVALID_ARGUMENT", codes, ok))
            codes = _send_messages(server, protocol)
            ok = set(codes) <= MESSAGE_CODES and server.alive()
            measured.append(_figure(f"{MESSAGES} corrupt messages, {protocol}", "none INTERNAL", codes, ok))
        panics = server.panics() - before
        peak_mib = server.peak_bytes() / MIB
    measured.append(Figure("malformed", "panics", "0", f"{panics:.0f}", panics == 0))
    measured.append(Figure("malformed", "memory, peak", "<= 1024 MiB", f"{peak_mib:.0f} MiB", peak_mib <= 1024))
    return measured


MESSAGE_CODES = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED", "DEADLINE_EXCEEDED", CLOSED}
"""A corrupt field number can select another model or request a heatmap. A corrupt length can make the message endless."""


def _figure(what: str, target: str, codes: list[str], ok: bool) -> Figure:
    report_progress(f"malformed: {what}: {counted(codes)}")
    return Figure("malformed", what, target, counted(codes), ok)


def _send_images(server: Server, protocol: str) -> list[str]:
    """Each number is the seed of its mutation, so that a failure can be repeated."""
    originals = images.of_each_format()

    def send_each(numbers: range) -> list[str]:
        client = CLIENTS[protocol](server.address)
        codes = []
        for number in numbers:
            rng = random.Random(SEED * 1_000_000 + number)
            codes.append(client.classify(request(mutated(rng.choice(originals), rng))).code)
            if codes[-1] not in ("OK", "INVALID_ARGUMENT"):
                report_progress(f"malformed: image {number} over {protocol}: {codes[-1]}")
        client.close()
        return codes

    return _in_parallel(send_each, IMAGES)


def _send_messages(server: Server, protocol: str) -> list[str]:
    """Corrupts the gRPC frame too, so this sends raw bytes instead of using a client."""
    message = grpc_frame(request(images.small("JPEG", 64)))
    send = {"gRPC": _over_http2, "gRPC-Web": _over_http1}[protocol]

    def send_each(numbers: range) -> list[str]:
        codes = []
        for number in numbers:
            corrupt = mutated(message, random.Random(SEED * 2_000_000 + number), first_bytes=40)
            codes.append(send(server.port, corrupt))
            if codes[-1] not in MESSAGE_CODES:
                report_progress(
                    f"malformed: message {number} over {protocol}: {codes[-1]}, starts with {corrupt[:16].hex()}"
                )
        return codes

    return _in_parallel(send_each, MESSAGES)


def _in_parallel(send_each: Callable[[range], list[str]], count: int) -> list[str]:
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        parts = pool.map(send_each, (range(first, count, CONCURRENCY) for first in range(CONCURRENCY)))
        return [code for codes in parts for code in codes]


def mutated(original: bytes, rng: random.Random, first_bytes: int = 0) -> bytes:
    """Applies one to eight random mutations, 80 % of them within `first_bytes` if that is not 0."""
    data = bytearray(original)
    for _ in range(rng.randint(1, 8)):
        end = first_bytes if first_bytes and rng.random() < 0.8 else len(data)
        at = rng.randrange(max(1, min(end, len(data))))
        length = rng.randint(1, 16)
        match rng.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 1:
                data[at : at + length] = rng.randbytes(length)
            case 2:
                data[at:at] = rng.randbytes(length)
            case 3:
                del data[at : at + length]
            case 4:
                data[at : at + length] = rng.choice([b"\0", b"\xff", b"\x7f", b"\x80"]) * length
            case 5:
                data += data[at : at + 1000]
            case 6 if rng.random() < 0.2:
                del data[at:]
    return bytes(data)


def _over_http1(port: int, body: bytes) -> str:
    headers = {"host": "localhost", "content-length": str(len(body)), "connection": "close", **WEB_HEADERS}
    lines = [f"POST {METHOD} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=RESPONSE_TIMEOUT_S) as connection:
        received = b""
        try:
            connection.sendall("\r\n".join(lines).encode() + body)
            while part := connection.recv(65536):
                received += part
        except OSError:
            return CLOSED
    head, _, content = received.partition(b"\r\n\r\n")
    pairs = (line.split(":", 1) for line in head.decode().split("\r\n")[1:])
    fields = {name.lower(): value.strip() for name, value in pairs}
    if fields.get("transfer-encoding") == "chunked":
        content = b"".join(_chunks(content))
    return read_web(fields, content)[0] if fields.get("content-type", "").startswith("application/grpc") else CLOSED


def _chunks(body: bytes) -> Iterator[bytes]:
    while body:
        length, _, rest = body.partition(b"\r\n")
        yield rest[: int(length, 16)]
        body = rest[int(length, 16) + 2 :]


def _over_http2(port: int, body: bytes) -> str:
    connection = http2.Connection(port)
    connection.socket.settimeout(RESPONSE_TIMEOUT_S)
    head = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, http2.request_headers("localhost"))
    connection.send(head + http2.frame(http2.DATA, http2.END_STREAM, 1, body[: http2.FRAME_BYTES_MAX]))
    decoder = hpack.Decoder()
    try:
        for kind, flags, stream, payload in connection.frames():
            if kind == http2.HEADERS:
                fields = dict(decoder.decode(payload))
                if "grpc-status" in fields:
                    return CODES[int(fields["grpc-status"])]
            if kind in (http2.RST_STREAM, http2.GOAWAY):
                return CLOSED
    except OSError:
        pass
    finally:
        connection.socket.close()
    return CLOSED
