"""Writes the JSON schemas in this folder from the custom resource definitions of other projects.

usage: trim.py CRD.yaml...

Each file gets one version of one kind, without descriptions and without the kinds and fields that deploy/ does not use.
Parts of Kubernetes' own types refer to the definitions that kubernetes-validate has. Unknown fields are rejected.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
CORE = "https://kubernetes.io/api/_definitions.json#/$defs/io.k8s.api.core.v1."
CORE_LISTS = {
    "containers": "Container",
    "initContainers": "Container",
    "volumes": "Volume",
    "tolerations": "Toleration",
    "topologySpreadConstraints": "TopologySpreadConstraint",
}
CORE_OBJECTS = {"affinity": "Affinity", "dnsConfig": "PodDNSConfig", "securityContext": "PodSecurityContext"}
CONTAINER_FIELDS = {
    **dict.fromkeys(("livenessProbe", "readinessProbe", "startupProbe"), "Probe"),
    "lifecycle": "Lifecycle",
    "resources": "ResourceRequirements",
    "securityContext": "SecurityContext",
}
CONTAINER_LISTS = {"env": "EnvVar", "envFrom": "EnvFromSource", "ports": "ContainerPort", "volumeMounts": "VolumeMount"}
FRAMEWORKS = "huggingface lightgbm onnx paddle pmml pytorch sklearn tensorflow triton xgboost".split()
UNUSED = {"status", "workerSpec", "builtInAdapter", "canary", "explainer", "transformer", *FRAMEWORKS}
"""Fields of KServe for other runtimes. A manifest that uses one is rejected here."""


def trimmed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [trimmed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {
        key: value if key in ("required", "enum") else trimmed(value)
        for key, value in schema.items()
        if not key.startswith("x-kubernetes-")
        and key not in ("default", "example")
        # A field may be called description: that one is no text.
        and not (key == "description" and isinstance(value, str))
    }
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
    fields = result.get("properties")
    if isinstance(fields, dict):
        result["properties"] = {name: core(name, field) for name, field in fields.items() if name not in UNUSED}
        result.setdefault("additionalProperties", False)
    return result


def core(name: str, field: Any) -> Any:
    """The field, as a reference to Kubernetes' definition if it is one of Kubernetes' types."""
    if name in CORE_LISTS and field.get("type") == "array":
        return {"type": "array", "items": {"$ref": CORE + CORE_LISTS[name]}}
    if name in CORE_OBJECTS and len(json.dumps(field)) > 300:
        return {"$ref": CORE + CORE_OBJECTS[name]}
    if name == "model":
        for inner in field["properties"]:
            if inner in CONTAINER_FIELDS:
                field["properties"][inner] = {"$ref": CORE + CONTAINER_FIELDS[inner]}
            elif inner in CONTAINER_LISTS:
                items = {"$ref": CORE + CONTAINER_LISTS[inner]}
                field["properties"][inner] = {"type": "array", "items": items}
    return field


def main(files: list[str]) -> None:
    for file in files:
        for definition in yaml.safe_load_all(Path(file).read_text()):
            spec = definition["spec"]
            version = next(one for one in spec["versions"] if one["storage"])
            schema = trimmed(version["schema"]["openAPIV3Schema"])
            metadata = CORE.replace("api.core", "apimachinery.pkg.apis.meta") + "ObjectMeta"
            schema["properties"]["metadata"] = {"$ref": metadata}
            schema["properties"]["apiVersion"] = {"const": f"{spec['group']}/{version['name']}"}
            name = f"{spec['names']['kind'].lower()}.{spec['group']}.json"
            (FOLDER / name).write_text(json.dumps(schema, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
