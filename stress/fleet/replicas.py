"""Real servers that can be killed, stopped and started again on the same port."""

import contextlib
import signal
from collections.abc import Iterator

from server import Server

EXIT_SECONDS_MAX = 30


class Replica:
    """A server with a port of its own, in whichever process it runs at the moment."""

    def __init__(self, name: str, *options: str) -> None:
        self.name, self.options = name, options
        self.server = Server(name, *options)
        self.port = self.server.port

    def kill(self) -> None:
        self.server.stop()

    def start(self) -> None:
        self.server = Server(self.name, *self.options, port=self.port)

    def terminate(self) -> int:
        """SIGTERM. Returns the exit status."""
        self.server.terminate()
        return self.server.process.wait(EXIT_SECONDS_MAX)

    def freeze(self) -> None:
        """The kernel still accepts its connections and bytes, and nobody answers: no RST."""
        self.server.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.server.process.send_signal(signal.SIGCONT)

    def classified(self) -> int:
        """Requests that it has answered with a result."""
        return sum(
            int(self.server.metric(f'imageclassifier_calls_total{{method="Classify",protocol="{protocol}",code="OK"}}'))
            for protocol in ("grpc", "grpc-web")
        )


@contextlib.contextmanager
def running(name: str, count: int, *options: str) -> Iterator[list[Replica]]:
    replicas: list[Replica] = []
    try:
        for number in range(count):
            replicas.append(Replica(f"{name}-{number + 1}", *options))
        yield replicas
    finally:
        for replica in replicas:
            replica.kill()
