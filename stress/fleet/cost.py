"""What Envoy costs: its CPU time for each request, next to the servers'."""

import images
from clients import request
from fleet.envoy import Envoy
from fleet.replicas import running
from fleet.traffic import Traffic
from report import Figure
from server import cpu_s

SIDE = 490
"""0.24 megapixels, small enough in bytes that the load generator is not the limit."""
SECONDS = 10
SHARE_MAX = 0.1


def figures() -> list[Figure]:
    image = images.small(side=SIDE, quality=80)
    message = request(image)
    with (
        running("cost", 3) as replicas,
        Envoy("cost", [one.port for one in replicas]) as envoy,
        Traffic() as traffic,
    ):
        traffic.peak(envoy.port, message, seconds=2)
        processes = [envoy.process.pid, *(one.server.process.pid for one in replicas)]
        before = [cpu_s(process) for process in processes]
        count = traffic.peak(envoy.port, message, SECONDS) * SECONDS
        used_ms = [(cpu_s(process) - then) * 1000 / count for process, then in zip(processes, before)]
    envoys_ms, servers_ms = used_ms[0], sum(used_ms[1:])
    measured = f"{envoys_ms:.2f} and {servers_ms:.2f} ms ({envoys_ms / servers_ms:.1%})"
    what = f"CPU time for each JPEG of {SIDE} x {SIDE} pixels and {len(image) / 1000:.0f} kB: Envoy, server"
    return [Figure("fleet cost", what, "<= 10 %", measured, envoys_ms <= SHARE_MAX * servers_ms)]
