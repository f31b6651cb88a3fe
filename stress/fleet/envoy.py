"""A running Envoy with deploy/envoy/envoy.yaml, of which only addresses are changed."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import envoy
import yaml

from report import OUTPUT, ROOT
from server import free_port

CONFIGURATION = ROOT / "deploy/envoy/envoy.yaml"
TCP_PROXY = {
    "name": "envoy.filters.network.tcp_proxy",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "clients",
        "cluster": "servers",
    },
}
START_TIMEOUT_S = 20


class Envoy:
    """Envoy in front of the servers with these ports, of which `up` are running, by default all. With `layer` 4 it forwards
    connections, and knows no HTTP."""

    def __init__(
        self,
        name: str,
        server_ports: Sequence[int],
        layer: int = 7,
        policy: dict[str, Any] | None = None,
        up: int | None = None,
    ) -> None:
        self.port, self.admin_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        configuration = _configuration(self.port, self.admin_port, server_ports, layer, policy)
        OUTPUT.mkdir(parents=True, exist_ok=True)
        file, log = OUTPUT / f"{name}-envoy.yaml", OUTPUT / f"{name}-envoy.log"
        file.write_text(yaml.safe_dump(configuration))
        program = Path(envoy.__file__).parent / "_bin/envoy"
        program.chmod(0o755)
        # Without the shared memory of hot restarts, several can run at once. Two threads, as for two cores.
        command = [program, "--config-path", file, "--disable-hot-restart", "--concurrency", "2", "--log-level", "warn"]
        with open(log, "wb") as output:
            self.process = subprocess.Popen([*map(str, command)], stdout=output, stderr=output)
        try:
            self.wait_for_members(len(server_ports) if up is None else up)
        except TimeoutError as error:
            self.stop()
            raise SystemExit(f"Envoy did not start: {error}\n{log.read_text()[-2000:]}") from error

    def members(self) -> dict[int, bool]:
        """Whether each server, by its port, gets requests."""
        servers = {}
        for host in self._cluster()["host_statuses"]:
            flags = dict(host["health_status"])
            # Everything else is a reason to leave it out.
            flags.pop("eds_health_status", None)
            servers[host["address"]["socket_address"]["port_value"]] = not any(flags.values())
        return servers

    def healthy(self) -> int:
        return list(self.members().values()).count(True)

    def wait_for_members(self, count: int, seconds: float = START_TIMEOUT_S) -> None:
        until = time.monotonic() + seconds
        found = -1
        while time.monotonic() < until:
            try:
                found = self.healthy()
            except OSError:
                pass
            if found == count:
                return
            time.sleep(0.05)
        raise TimeoutError(f"{found} of {count} servers are healthy")

    def statistic(self, name: str) -> int:
        """A counter of the servers' cluster, such as `upstream_rq_retry`."""
        text = self._get(f"/stats?filter=^cluster.servers.{name}$")
        return int(text.rpartition(":")[2])

    def why_lost(self) -> str:
        """Counters that say why a request got no answer."""
        names = ("retry_limit_exceeded", "retry_overflow", "timeout", "per_try_timeout", "pending_overflow")
        counts = {name: self.statistic(f"upstream_rq_{name}") for name in names}
        counts["none_healthy"] = self.statistic("upstream_cx_none_healthy")
        counts["health_check_failure"] = self.statistic("health_check.failure")
        return ", ".join(f"{name} {count}" for name, count in counts.items())

    def _cluster(self) -> dict[str, Any]:
        clusters = json.loads(self._get("/clusters?format=json"))["cluster_statuses"]
        found = next((one for one in clusters if one["name"] == "servers"), None)
        if found is None or "host_statuses" not in found:
            raise OSError("Envoy has no servers yet")
        return found

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=5) as response:
            return response.read().decode()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def _configuration(
    port: int, admin_port: int, server_ports: Sequence[int], layer: int, policy: dict[str, Any] | None
) -> dict[str, Any]:
    configuration = yaml.safe_load(CONFIGURATION.read_text())
    configuration["admin"]["address"]["socket_address"]["port_value"] = admin_port
    listener = configuration["static_resources"]["listeners"][0]
    listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
    cluster = configuration["static_resources"]["clusters"][0]
    # Addresses instead of a name: there is no DNS server for the test.
    del cluster["cluster_type"]
    cluster["type"] = "STATIC"
    addresses = [{"address": "127.0.0.1", "port_value": server_port} for server_port in server_ports]
    endpoints = [{"endpoint": {"address": {"socket_address": address}}} for address in addresses]
    cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": endpoints}]
    if policy:
        cluster["load_balancing_policy"]["policies"] = [{"typed_extension_config": policy}]
    if layer == 4:
        listener["filter_chains"] = [{"filters": [TCP_PROXY]}]
        del cluster["typed_extension_protocol_options"], cluster["outlier_detection"]
        for check in cluster["health_checks"]:
            del check["grpc_health_check"]
            check["tcp_health_check"] = {}
    return configuration
