"""deploy/compose.yaml on Docker Swarm: rolling updates under load lose no request."""

import time
from pathlib import Path

import envoy
import grpc
import yaml

import images
from clients import request
from fleet.docker import Docker
from fleet.traffic import Traffic, codes, lost
from report import OUTPUT, ROOT, Figure, counted, report_progress
from server import free_port, program

ROUNDS = 3
LOAD_SHARE = 0.5
UPDATE_SECONDS = 45
"""Of load for one update: three servers, one after the other."""
START_TIMEOUT_S = 60
STACK = "classifier"
STATE = "{{.UpdateStatus.State}}"
IMAGE = "localhost/imageclassifier-server:stress"
UNPRIVILEGED = "65532:65532"


def figures() -> list[Figure]:
    message = request(images.small())
    port = free_port()
    answered, updates, states = [], [], []
    with Docker() as docker, Traffic() as traffic:
        _deploy(docker, port)
        _wait_until_ready(port)
        peak = traffic.peak(port, message)
        report_progress(f"swarm: the peak is {peak:.0f} requests/s")
        for number in range(ROUNDS):
            load = traffic.start(port, message, LOAD_SHARE * peak, UPDATE_SECONDS)
            started_at = time.monotonic()
            docker.run("service", "update", "--force", "--detach=false", "--quiet", f"{STACK}_classifier")
            updates.append(time.monotonic() - started_at)
            answered += (outcomes := load.result())
            # After the time for which Swarm watches the new servers.
            states.append(docker.run("service", "inspect", "--format", STATE, f"{STACK}_classifier").strip())
            report_progress(f"swarm: update {number + 1} in {updates[-1]:.0f} s: {counted(codes(outcomes))}")
    measured = f"{lost(answered)} of {len(answered)} ({counted(codes(answered))})"
    seconds = f"{counted(states)}, {min(updates):.0f}-{max(updates):.0f} s"
    fast = set(states) == {"completed"} and max(updates) < UPDATE_SECONDS
    return [
        Figure("fleet swarm", f"{ROUNDS} rolling updates of three servers: requests lost", "0", measured, not lost(answered)),
        Figure("fleet swarm", "updates", f"completed under load, < {UPDATE_SECONDS} s", seconds, fast),
    ]


def _deploy(docker: Docker, port: int) -> None:
    """The stack of deploy/compose.yaml. Envoy's port is published on this machine alone (`mode: host`), because publishing
    it on every machine needs IPVS in the kernel."""
    configuration = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    proxy = configuration["services"]["envoy"]
    proxy["ports"] = [{"target": 50051, "published": port, "protocol": "tcp", "mode": "host"}]
    proxy["deploy"]["endpoint_mode"] = "dnsrr"
    for file in configuration["configs"].values():
        file["file"] = str(ROOT / "deploy" / file["file"])
    stack = OUTPUT / "swarm-compose.yaml"
    stack.write_text(yaml.safe_dump(configuration))
    envoy_program = Path(envoy.__file__).parent / "_bin/envoy"
    envoy_program.chmod(0o755)
    docker.add_image(IMAGE, program(), UNPRIVILEGED)
    docker.add_image(proxy["image"], envoy_program)
    docker.run("swarm", "init", "--advertise-addr", "127.0.0.1")
    arguments = ("stack", "deploy", "--resolve-image", "never", "--compose-file", stack, STACK)
    docker.run(*arguments, IMAGECLASSIFIER_IMAGE=IMAGE)


def _wait_until_ready(port: int) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(START_TIMEOUT_S)
    # Envoy's health checks have found all three.
    time.sleep(5)
