"""A server in a process of its own, which can be killed: named_server.py NAME ADDRESS. Prints its address."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

from conftest import Scripted, serve_scripted


class Named(Scripted):
    """Answers with its own name."""

    def __init__(self, name: str, delay: float = 0.0) -> None:
        super().__init__()
        self._name, self._delay = name, delay

    def outcome(self, request):
        time.sleep(self._delay)
        outcome = super().outcome(request)
        if "response" in outcome:
            outcome["response"].label = self._name
        return outcome


@contextlib.contextmanager
def process(name: str, address: str = "127.0.0.1:0") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Yields the server's address and process."""
    command = [sys.executable, __file__, name, address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip(), server
        finally:
            server.kill()


if __name__ == "__main__":
    with serve_scripted(Named(sys.argv[1], 0.005), sys.argv[2], threads=16) as (address, server):
        print(address, flush=True)
        server.wait_for_termination()
