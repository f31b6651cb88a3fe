"""The Helm chart, rendered with its defaults and with every case of cases.yaml."""

import functools
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import schemas
import typos
from tools import ROOT, Failed, helm, run

CHART = ROOT / "deploy/chart"
CASES: dict[str, Any] = {"defaults": {}, **yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())}
KINDS = {
    *("Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy", "ConfigMap"),
    *("HTTPRoute", "ServiceMonitor", "PrometheusRule"),
}
SET_ELSEWHERE = {
    *("listen", "metrics-listen", "drain-grace", "drain-timeout", "tls-cert", "tls-key", "client-ca", "token-file"),
    *("models", "default-model", "web-root"),
}
"""Options of the server that other values set, or that a container does not need."""
REJECTED: list[dict[str, Any]] = [
    {"replica": 3},
    {"replicas": "many"},
    {"options": {"queue-wait": 1}},
    {"options": {"listen": "0.0.0.0:1"}},
    {"options": {"calls-max": 0}},
    {"autoscaling": {"cpuPercent": 800}},
    {"autoscaling": {"metric": "queue_length"}},
    {"image": {"digest": "sha256:1"}},
    {"route": {"enabled": True}},
    {"shutdown": {"preStop": 0}},
]


def renders_valid_manifests() -> str:
    kinds, count = set(), 0
    for name in CASES:
        for document in _rendered(name):
            kinds.add(document["kind"])
            count += 1
            for version in schemas.VERSIONS:
                wrong = schemas.errors(document, version)
                assert not wrong, f"{name}: {document['kind']}, Kubernetes {version}: {wrong}"
    assert kinds == KINDS, f"no case renders {KINDS - kinds}; unknown are {kinds - KINDS}"
    # The same with the program that users have: a warning is about a kind that only deploy/schemas/ knows.
    text = yaml.safe_dump_all(_rendered("defaults"))
    run(sys.executable, "-m", "kubernetes_validate", "--strict", "--quiet", "-", stdin=text)
    return f"{count} manifests of {len(CASES)} cases"


def cases_name_every_value() -> str:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    named = {path for case in CASES.values() for path in _leaves(case)}
    missing = [path for path in _leaves(values) if not any(f"{one}.".startswith(f"{path}.") for one in named)]
    assert not missing, f"no case names {missing}"
    return f"{len(named)} values"


def notices_typos_in_manifests() -> str:
    seen, count = set(), 0
    for name in CASES:
        for document in _rendered(name):
            text = json.dumps(document, sort_keys=True)
            if text not in seen:
                seen.add(text)
                tried, missed = typos.unnoticed(document, schemas.errors)
                count += tried
                assert not missed, f"{name}: {document['kind']}: typos in {missed} are not noticed"
    return f"{count} typos"


def rejects_unknown_values() -> str:
    for values in REJECTED:
        try:
            _render(values)
        except Failed as error:
            assert "values" in str(error), error
        else:
            raise AssertionError(f"helm accepts {values}")
    return f"{len(REJECTED)} values"


def knows_the_servers_options() -> str:
    schema = json.loads((CHART / "values.schema.json").read_text())
    known = set(schema["properties"]["options"]["properties"])
    options = server_options() - SET_ELSEWHERE
    assert known == options, f"values.schema.json lacks {options - known} and has {known - options} too much"
    return f"{len(options)} options"


def sums_up_the_times_of_a_shutdown() -> str:
    deployment = next(one for one in _rendered("options") if one["kind"] == "Deployment")
    seconds = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert seconds == 7 + 3 + 30 + 5, seconds
    return f"{seconds} s"


def server_options() -> set[str]:
    return _options("imageclassifier-server")


def command_line_options(command: str) -> set[str]:
    """The options of a command of `imageclassifier`."""
    return _options(f"imageclassifier-{command}")


def _options(program: str) -> set[str]:
    manual = (ROOT / f"docs/man/{program}.1").read_text().replace("\\-", "-")
    options = set(re.findall(r"^(?:\\fB-.\\fR, )?\\fB--([a-z-]+)\\fR", manual, re.MULTILINE))
    return options - {"help", "version"}


@functools.cache
def _rendered(name: str) -> list[dict[str, Any]]:
    return _render(CASES[name])


def _render(values: dict[str, Any]) -> list[dict[str, Any]]:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        return schemas.documents(run(helm(), "template", "release", CHART, "--values", file.name))


def _leaves(values: dict[str, Any], path: str = "") -> Iterator[str]:
    """Paths of values. Lists and empty maps are one value."""
    for name, value in values.items():
        inner = f"{path}.{name}" if path else name
        if isinstance(value, dict) and value:
            yield from _leaves(value, inner)
        else:
            yield inner
