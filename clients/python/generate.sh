#!/usr/bin/env bash
# generate.sh [OUT]: writes the contract's Python code, by default into the package. Needs a python3 on PATH with the packages of
# requirements-generate.txt. These are old on purpose: generated code runs with its own version of protobuf and with later ones.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-src/imageclassifier/_proto}

python3 -m grpc_tools.protoc -I../../proto --python_out="$out" --pyi_out="$out" --grpc_python_out="$out" \
    image_classifier.proto
# In the package the generated modules are siblings.
sed -i 's/^import image_classifier_pb2/from . import image_classifier_pb2/' "$out/image_classifier_pb2_grpc.py"
