"""The connections to the servers."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

_OPTIONS: Sequence[tuple[str, int | str]] = (
    # A name may have several addresses: gRPC connects to each, and leaves out those that do not answer.
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
    # gRPC's defaults, 20 s for a connection and up to two minutes between attempts, are longer than most deadlines.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Images are checked against the server's own limit, which is larger than gRPC's default of 4 MiB.
    ("grpc.max_send_message_length", -1),
    # A response with 1000 heatmaps has 0.2 MiB. This bounds what an unknown server could send.
    ("grpc.max_receive_message_length", 64 << 20),
)

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Server:
    """An address, with credentials for TLS."""

    target: str
    credentials: grpc.ChannelCredentials | None

    @classmethod
    def at(
        cls,
        address: str,
        ca: str | os.PathLike[str] | None,
        certificate: str | os.PathLike[str] | None,
        key: str | os.PathLike[str] | None,
    ) -> Server:
        scheme, found, target = address.rpartition("://")
        if found and scheme not in ("http", "https"):
            raise ValueError(f"the server must be host:port, http://host:port or https://host:port, not {address}")
        if (certificate is None) != (key is None):
            raise ValueError("certificate and key belong together: pass both or neither")
        if scheme != "https":
            if ca is not None or certificate is not None:
                raise ValueError("certificates are for TLS: start the address with https://")
            return cls(target, None)
        roots, private_key, chain = (None if file is None else Path(file).read_bytes() for file in (ca, key, certificate))
        return cls(target, grpc.ssl_channel_credentials(roots, private_key, chain))

    def channel(self) -> grpc.Channel:
        if self.credentials is None:
            return grpc.insecure_channel(self.target, _OPTIONS)
        return grpc.secure_channel(self.target, self.credentials, _OPTIONS)

    def async_channel(self) -> grpc.aio.Channel:
        if self.credentials is None:
            return grpc.aio.insecure_channel(self.target, _OPTIONS)
        return grpc.aio.secure_channel(self.target, self.credentials, _OPTIONS)


def servers(
    addresses: str | Sequence[str],
    ca: str | os.PathLike[str] | None,
    certificate: str | os.PathLike[str] | None,
    key: str | os.PathLike[str] | None,
) -> list[Server]:
    """The servers at one address or several, which have the same credentials."""
    if isinstance(addresses, str):
        addresses = [addresses]
    if not addresses:
        raise ValueError("the list of servers is empty")
    return [Server.at(address, ca, certificate, key) for address in addresses]


def authorization(token: str | None) -> Metadata:
    """The metadata of every request."""
    return () if token is None else (("authorization", f"Bearer {token}"),)
