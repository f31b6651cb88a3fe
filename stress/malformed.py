"""Ten thousand damaged pictures and messages: each is the caller's mistake, none the server's."""

import random
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import hpack

import http2
import pictures
from calls import CLIENTS, CODES, METHOD, WEB_HEADERS, frame, read_web, request
from report import MIB, Figure, counted, say
from server import Server

SEED = 3
PICTURES = 4_000
"""Over either protocol."""
MESSAGES = 1_000
"""Over either protocol."""
AT_ONCE = 4
ANSWER_TIMEOUT_S = 15
CLOSED = "CLOSED"
"""Instead of a code: not HTTP any more, so the connection was closed or reset, or answered in HTTP alone."""


def figures() -> list[Figure]:
    found = []
    with Server("malformed") as server:
        before = server.panics()
        for protocol in CLIENTS:
            codes = _of_pictures(server, protocol)
            ok = set(codes) <= {"OK", "INVALID_ARGUMENT"} and server.alive()
            found.append(_figure(f"{PICTURES} damaged pictures, {protocol}", "each OK or INVALID_ARGUMENT", codes, ok))
            codes = _of_messages(server, protocol)
            ok = set(codes) <= EXPECTED_OF_MESSAGES and server.alive()
            found.append(_figure(f"{MESSAGES} damaged messages, {protocol}", "none INTERNAL", codes, ok))
        panics = server.panics() - before
        most = server.peak_bytes() / MIB
    found.append(Figure("malformed", "panics", "0", f"{panics:.0f}", panics == 0))
    found.append(Figure("malformed", "memory, peak", "<= 1024 MiB", f"{most:.0f} MiB", most <= 1024))
    return found


EXPECTED_OF_MESSAGES = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED", "DEADLINE_EXCEEDED", CLOSED}
"""Damaged field numbers name another model or ask for a heatmap; a damaged length lets the message never end."""


def _figure(what: str, target: str, codes: list[str], ok: bool) -> Figure:
    say(f"malformed: {what}: {counted(codes)}")
    return Figure("malformed", what, target, counted(codes), ok)


def _of_pictures(server: Server, protocol: str) -> list[str]:
    """Every mutation is a function of its number, so that one can be looked at again."""
    originals = pictures.of_each_format()

    def ask(numbers: range) -> list[str]:
        client = CLIENTS[protocol](server.address)
        codes = []
        for number in numbers:
            chance = random.Random(SEED * 1_000_000 + number)
            codes.append(client.classify(request(mutated(chance.choice(originals), chance))).code)
            if codes[-1] not in ("OK", "INVALID_ARGUMENT"):
                say(f"malformed: picture {number} over {protocol}: {codes[-1]}")
        client.close()
        return codes

    return _shared(ask, PICTURES)


def _of_messages(server: Server, protocol: str) -> list[str]:
    """The frame around the message is damaged too, so these are written by hand."""
    message = frame(request(pictures.small("JPEG", 64)))
    send = {"gRPC": _over_http2, "gRPC-Web": _over_http1}[protocol]

    def ask(numbers: range) -> list[str]:
        codes = []
        for number in numbers:
            damaged = mutated(message, random.Random(SEED * 2_000_000 + number), first_bytes=40)
            codes.append(send(server.port, damaged))
            if codes[-1] not in EXPECTED_OF_MESSAGES:
                say(f"malformed: message {number} over {protocol}: {codes[-1]}, begins {damaged[:16].hex()}")
        return codes

    return _shared(ask, MESSAGES)


def _shared(ask: Callable[[range], list[str]], count: int) -> list[str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = pool.map(ask, (range(first, count, AT_ONCE) for first in range(AT_ONCE)))
        return [code for codes in parts for code in codes]


def mutated(original: bytes, chance: random.Random, first_bytes: int = 0) -> bytes:
    """Up to eight kinds of damage on top of each other, where asked for mostly among the first bytes."""
    damaged = bytearray(original)
    for _ in range(chance.randint(1, 8)):
        most = first_bytes if first_bytes and chance.random() < 0.8 else len(damaged)
        at = chance.randrange(max(1, min(most, len(damaged))))
        some = chance.randint(1, 16)
        match chance.randrange(7):
            case 0 if damaged:
                damaged[at % len(damaged)] ^= 1 << chance.randrange(8)
            case 1:
                damaged[at : at + some] = chance.randbytes(some)
            case 2:
                damaged[at:at] = chance.randbytes(some)
            case 3:
                del damaged[at : at + some]
            case 4:
                damaged[at : at + some] = chance.choice([b"\0", b"\xff", b"\x7f", b"\x80"]) * some
            case 5:
                damaged += damaged[at : at + 1000]
            case 6 if chance.random() < 0.2:
                del damaged[at:]
    return bytes(damaged)


def _over_http1(port: int, body: bytes) -> str:
    head = {"host": "localhost", "content-length": str(len(body)), "connection": "close", **WEB_HEADERS}
    lines = [f"POST {METHOD} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_TIMEOUT_S) as connection:
        received = b""
        try:
            connection.sendall("\r\n".join(lines).encode() + body)
            while part := connection.recv(65536):
                received += part
        except OSError:
            return CLOSED
    head_received, _, answer = received.partition(b"\r\n\r\n")
    pairs = (line.split(":", 1) for line in head_received.decode().split("\r\n")[1:])
    fields = {name.lower(): value.strip() for name, value in pairs}
    if fields.get("transfer-encoding") == "chunked":
        answer = b"".join(_chunks(answer))
    code = read_web(fields, answer)[0] if fields.get("content-type", "").startswith("application/grpc") else CLOSED
    return code


def _chunks(body: bytes) -> Iterator[bytes]:
    while body:
        length, _, rest = body.partition(b"\r\n")
        yield rest[: int(length, 16)]
        body = rest[int(length, 16) + 2 :]


def _over_http2(port: int, body: bytes) -> str:

    connection = http2.Connection(port)
    connection.socket.settimeout(ANSWER_TIMEOUT_S)
    head = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, http2.head_of_call("localhost"))
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
