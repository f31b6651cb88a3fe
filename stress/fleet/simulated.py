"""A server whose work is sleep: it takes no CPU, so that several show how Envoy spreads requests on a machine of few cores.

usage: simulated.py PORT WORKERS MILLISECONDS
"""

import asyncio
import sys

import grpc
from grpc import aio

METHOD = "/imageclassifier.ImageClassifier/Classify"
CHECK = "/grpc.health.v1.Health/Check"
SERVING = b"\x08\x01"


class Handlers(grpc.GenericRpcHandler):
    """Classify sleeps while it holds one of the workers; health is SERVING."""

    def __init__(self, workers: int, work_s: float) -> None:
        self.workers, self.work_s = asyncio.Semaphore(workers), work_s

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        handlers = {METHOD: self._classify, CHECK: self._check}
        handler = handlers.get(details.method)
        return handler and grpc.unary_unary_rpc_method_handler(handler)

    async def _classify(self, _request: bytes, _context: object) -> bytes:
        async with self.workers:
            await asyncio.sleep(self.work_s)
        return b""

    async def _check(self, _request: bytes, _context: object) -> bytes:
        return SERVING


async def serve(port: int, workers: int, work_ms: float) -> None:
    server = aio.server()
    server.add_generic_rpc_handlers((Handlers(workers, work_ms / 1000),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
