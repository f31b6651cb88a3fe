"""What lies beside the chart: KServe, Compose, Envoy, Prometheus and Grafana."""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

import schemas
import typos
from chart import command_line_options, server_options
from tools import ROOT, envoy, promtool, run

DEPLOY = ROOT / "deploy"
VARIABLE = re.compile(r"IMAGECLASSIFIER_([A-Z_]+)")
OTHER_VARIABLES = {"IMAGE"}
"""Not of the server: the name of its image in compose.yaml."""
TYPO_IN_ENVOY = "per_try_timeout", "per_try_timeuot"


def kserve_manifests_are_valid() -> str:
    documents = [
        document
        for file in sorted((DEPLOY / "kserve").glob("*.yaml"))
        for document in schemas.documents(file.read_text())
    ]
    count = 0
    for document in documents:
        assert not (wrong := schemas.errors(document)), wrong
        tried, missed = typos.unnoticed(document, schemas.errors)
        assert not missed, f"typos in {missed} are not noticed"
        count += tried
    assert {document["kind"] for document in documents} == {"ServingRuntime", "InferenceService"}
    return f"{len(documents)} manifests, {count} typos"


def job_is_valid() -> str:
    [job] = schemas.documents((DEPLOY / "job.yaml").read_text())
    for version in schemas.VERSIONS:
        assert not (wrong := schemas.errors(job, version)), f"Kubernetes {version}: {wrong}"
    count, missed = typos.unnoticed(job, schemas.errors)
    assert not missed, f"typos in {missed} are not noticed"
    [container] = job["spec"]["template"]["spec"]["containers"]
    command, *arguments = container["args"]
    given = dict(argument[2:].partition("=")[::2] for argument in arguments if argument.startswith("--"))
    options = command_line_options(command)
    assert set(given) <= options, f"`{command}` has no options {set(given) - options}"
    shards, pods = given["shards"], job["spec"]["completions"]
    assert shards == str(pods), f"{pods} pods classify {shards} shards"
    return f"{count} typos, {len(given)} options"


def compose_file_is_valid() -> str:
    document = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert not (wrong := schemas.compose_errors(document)), wrong
    count, missed = typos.unnoticed(document, schemas.compose_errors)
    assert not missed, f"typos in {missed} are not noticed"
    server = document["services"]["classifier"]
    grace_s = int(server["environment"]["IMAGECLASSIFIER_DRAIN_GRACE"])
    assert server["stop_grace_period"] == f"{grace_s + 20 + 5}s", "grace, --drain-timeout and 5 s"
    return f"{count} typos"


def envoy_accepts_its_configuration() -> str:
    text = (DEPLOY / "envoy/envoy.yaml").read_text()
    accepted, log = _envoy_accepts(text)
    assert accepted and "eprecated" not in log, log
    accepted, _ = _envoy_accepts(text.replace(*TYPO_IN_ENVOY))
    assert not accepted, "a typo is not noticed"
    assert "grpc_web" not in re.sub("#.*", "", text), "servers speak gRPC-Web themselves"
    return "1 typo"


def _envoy_accepts(text: str) -> tuple[bool, str]:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        command = [str(envoy()), "--mode", "validate", "--log-level", "warn", "--config-path", file.name]
        done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def alerts_fire_on_their_causes() -> str:
    alerts, tests = DEPLOY / "chart/files/alerts.yaml", DEPLOY / "prometheus/alerts_test.yaml"
    run(promtool(), "check", "rules", alerts)
    run(promtool(), "test", "rules", tests)
    names = {rule["alert"] for rule in _rules(alerts) if "alert" in rule}
    fired = set(re.findall('alertname="(.+?)"', tests.read_text()))
    assert fired == names, f"the test lets none of {names - fired} fire"
    return f"{len(names)} alerts"


def _rules(file: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def dashboard_has_valid_expressions() -> str:
    dashboard = json.loads((DEPLOY / "chart/files/dashboard.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels), "two panels have one id"
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$job", ".*")}
        for number, expression in enumerate(expressions)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
        file.flush()
        run(promtool(), "check", "rules", file.name)
    return f"{len(expressions)} expressions"


def variables_are_options_of_the_server() -> str:
    options = {option.upper().replace("-", "_") for option in server_options()} | OTHER_VARIABLES
    files = [*DEPLOY.glob("*.yaml"), *DEPLOY.glob("kserve/*.yaml"), *DEPLOY.glob("chart/templates/*.yaml")]
    found = {name for file in files for name in VARIABLE.findall(file.read_text()) if not name.endswith("_")}
    assert found and found <= options, f"the server has no options for {found - options}"
    return f"{len(found)} variables"


def versions_are_the_same() -> str:
    version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    assert version, "Cargo.toml has the version"
    chart = yaml.safe_load((DEPLOY / "chart/Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == version[1], chart
    files = ["deploy/compose.yaml", "deploy/job.yaml", "deploy/kserve/serving-runtime.yaml", "docs/deployment.md"]
    for file in map(ROOT.joinpath, files):
        tags = re.findall(r"imageclassifier(?:-server)?[:-]([0-9]+\.[0-9.]+[0-9])", file.read_text())
        assert tags and set(tags) == {version[1]}, f"{file.name} has {tags}"
    return version[1]
