"""Strict schemas of Kubernetes' own kinds, from kubernetes-validate, and of other projects' kinds, from deploy/schemas/."""

import functools
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import referencing
import yaml

FOLDER = Path(__file__).parent.parent / "schemas"
KUBERNETES = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
VERSIONS = ("1.30", "1.37")
"""Of Kubernetes: the oldest that the chart allows, and the newest that is known."""


def errors(document: dict[str, Any], version: str = VERSIONS[-1]) -> list[str]:
    """What is wrong with a manifest; empty if nothing is."""
    kind, api_version = document.get("kind", ""), document.get("apiVersion", "")
    validator = _validator(kind, api_version, version)
    if validator is None:
        return [f"there is no schema for kind {kind!r} of {api_version!r}"]
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(document)]


def compose_errors(document: dict[str, Any]) -> list[str]:
    schema = json.loads((FOLDER / "compose.json").read_text())
    validator = jsonschema.Draft7Validator(schema)
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(document)]


@functools.cache
def _validator(kind: str, api_version: str, version: str) -> jsonschema.Draft202012Validator | None:
    group = api_version.rpartition("/")[0]
    own = FOLDER / f"{kind.lower()}.{group}.json"
    core = KUBERNETES / f"v{version}.0-local-strict"
    short = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    file = own if own.exists() else core / f"{kind.lower()}-{short}.json"
    if not file.exists():
        return None
    # Schemas of own kinds refer to these too.
    definitions = referencing.Resource.from_contents(_definitions(version))
    registry = definitions @ referencing.Registry()
    return jsonschema.Draft202012Validator(json.loads(file.read_text()), registry=registry)


@functools.cache
def _definitions(version: str) -> Any:
    return json.loads((KUBERNETES / f"v{version}.0-local-strict" / "_definitions.json").read_text())


def documents(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]
