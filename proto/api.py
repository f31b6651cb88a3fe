"""api.py < DESCRIPTORS > docs/api.md: writes the contract as Markdown. DESCRIPTORS is a FileDescriptorSet with source
information."""

import sys
from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

PREFACE = """\
# API

Generated from [proto/](../proto) by `proto/test.sh --write`; do not edit. [errors.md](errors.md) describes all errors.
"""

# Field numbers in descriptor.proto. The path to a comment consists of them.
MESSAGES, ENUMS, SERVICES, MEMBERS, NESTED = 4, 5, 6, 2, 3


class Page:
    """The section of one .proto file."""

    def __init__(self, file: FileDescriptorProto, own_types: set[str]) -> None:
        self.file = file
        self.own_types = own_types
        self.comments = {
            tuple(location.path): dedented(location.leading_comments) for location in file.source_code_info.location
        }

    def lines(self) -> Iterator[str]:
        for index, service in enumerate(self.file.service):
            yield from self.service(service, (SERVICES, index))
        for index, message in enumerate(self.file.message_type):
            yield from self.message(message, (MESSAGES, index))
        for index, enum in enumerate(self.file.enum_type):
            yield from self.enum(enum, (ENUMS, index))

    def service(self, service: ServiceDescriptorProto, path: tuple[int, ...]) -> Iterator[str]:
        yield f"\n## service {self.file.package}.{service.name}\n"
        yield self.comments.get(path, "")
        for index, method in enumerate(service.method):
            request = ("stream of " if method.client_streaming else "") + self.type(method.input_type)
            response = ("stream of " if method.server_streaming else "") + self.type(method.output_type)
            yield f"\n### {method.name}\n\n{request} → {response}\n"
            yield self.required((*path, MEMBERS, index), method.name)

    def message(self, message: DescriptorProto, path: tuple[int, ...]) -> Iterator[str]:
        if message.options.map_entry:
            return
        yield f"\n## {message.name}\n"
        if comment := self.comments.get(path):
            yield f"{comment}\n"
        if message.field:
            yield "| number | field | type | |\n|---|---|---|---|"
        for index, field in enumerate(message.field):
            comment = self.required((*path, MEMBERS, index), f"{message.name}.{field.name}")
            yield f"| {field.number} | `{field.name}` | {self.field_type(message, field)} | {cell(comment)} |"

        for index, nested in enumerate(message.nested_type):
            yield from self.message(nested, (*path, NESTED, index))

    def enum(self, enum: EnumDescriptorProto, path: tuple[int, ...]) -> Iterator[str]:
        yield f"\n## {enum.name}\n\n{self.required(path, enum.name)}\n"
        yield "| number | value | |\n|---|---|---|"
        for index, value in enumerate(enum.value):
            # The value 0 means that the field is absent, so it needs no comment.
            comment = self.required((*path, MEMBERS, index), value.name) if value.number else ""
            yield f"| {value.number} | `{value.name}` | {cell(comment)} |"

    def required(self, path: tuple[int, ...], name: str) -> str:
        return self.comments.get(path) or sys.exit(f"{self.file.name}: {name} has no comment")

    def field_type(self, message: DescriptorProto, field: FieldDescriptorProto) -> str:
        if any(nested.name == field.type_name.rpartition(".")[2] for nested in message.nested_type if nested.options.map_entry):
            return "map of string to string"
        name = self.type(field.type_name) if field.type_name else FieldDescriptorProto.Type.Name(field.type)[5:].lower()
        if field.label == FieldDescriptorProto.LABEL_REPEATED:
            return f"repeated {name}"
        if field.HasField("oneof_index") and not field.proto3_optional:
            return f"{name}, one of `{message.oneof_decl[field.oneof_index].name}`"
        return name

    def type(self, name: str) -> str:
        short = name.rpartition(".")[2]
        return f"[{short}](#{short.lower()})" if name in self.own_types else f"`{name[1:]}`"


def dedented(comment: str) -> str:
    """The comment without the space after each //."""
    return "\n".join(line.removeprefix(" ") for line in comment.splitlines()).strip()


def cell(comment: str) -> str:
    return " ".join(comment.split()).replace("|", "\\|")


descriptors = FileDescriptorSet.FromString(sys.stdin.buffer.read())
files = [file for file in descriptors.file if not file.name.startswith("google/protobuf/")]
files.sort(key=lambda file: file.name.startswith("google/"))
own_types = {f".{file.package}.{item.name}" for file in files for item in (*file.message_type, *file.enum_type)}
own_types |= {f".{file.package}.{m.name}.{n.name}" for file in files for m in file.message_type for n in m.nested_type}
print(PREFACE + "\n".join(line for file in files for line in Page(file, own_types).lines()))
