#!/usr/bin/env bash
# generate.sh [OUT]: writes the contract's Python code, to the package unless told otherwise. Needs, on PATH, a python3 with
# the packages of requirements-generate.txt: old ones on purpose, because generated code runs with its own version of
# protobuf and later ones.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-src/imageclassifier/_proto}

python3 -m grpc_tools.protoc -I../../proto --python_out="$out" --pyi_out="$out" --grpc_python_out="$out" \
    image_classifier.proto
# Inside a package the generated modules are each other's siblings.
sed -i 's/^import image_classifier_pb2/from . import image_classifier_pb2/' "$out/image_classifier_pb2_grpc.py"
