"""The compiled gNMI descriptors against the facts of the standard: names, numbers, types, labels, oneofs."""

import re
from pathlib import Path

import pytest
from google.protobuf import descriptor, descriptor_pb2

from twinplane_wire.gnmi import gnmi_ext_pb2, gnmi_pb2

FACTS = Path(__file__).parent
SCALARS = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in descriptor_pb2.FieldDescriptorProto.Type.items()
}


def facts(name: str) -> dict[str, set[str]]:
    """The lines of each message of a fact file."""
    out: dict[str, set[str]] = {}
    message: set[str] = set()
    for line in (FACTS / name).read_text().splitlines():
        if line.startswith("message "):
            message = out.setdefault(line.removeprefix("message "), set())
        elif line.startswith(" ") and "rpc " not in line:
            message.add(re.sub(r"\s+", " ", line.strip()))
    return out


def type_name(field: descriptor.FieldDescriptor) -> str:
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            key, value = field.message_type.fields
            return f"map<{type_name(key)},{type_name(value)}>"
        return str(field.message_type.full_name)
    return str(field.enum_type.full_name) if field.enum_type is not None else SCALARS[field.type]


def field_line(field: descriptor.FieldDescriptor) -> str:
    name = type_name(field)
    parts = [str(field.number)]
    if field.is_repeated and not name.startswith("map<"):
        parts.append("repeated")
    parts += [name, field.name]
    if field.containing_oneof is not None:
        parts.append(f"oneof={field.containing_oneof.name}")
    if field.GetOptions().deprecated:
        parts.append("deprecated")
    return " ".join(parts)


def enum_line(enum: descriptor.EnumDescriptor) -> str:
    return f"enum {enum.name}: " + ", ".join(f"{value.name}={value.number}" for value in enum.values)


def message_lines(message: descriptor.Descriptor) -> set[str]:
    proto = descriptor_pb2.DescriptorProto()
    message.CopyToProto(proto)
    lines = {field_line(field) for field in message.fields}
    lines |= {enum_line(enum) for enum in message.enum_types}
    if proto.reserved_range:
        ranges = [(entry.start, entry.end - 1) for entry in proto.reserved_range]
        lines.add(f"reserved {ranges} {list(proto.reserved_name)}")
    return lines


@pytest.mark.parametrize(("name", "module"), [("gnmi.txt", gnmi_pb2), ("gnmi_ext.txt", gnmi_ext_pb2)])
def test_every_message_matches(name: str, module: object) -> None:
    file = module.DESCRIPTOR  # type: ignore[attr-defined]
    compiled = {key: message_lines(message) for key, message in file.message_types_by_name.items()}
    assert compiled == facts(name)


@pytest.mark.parametrize(("name", "module"), [("gnmi.txt", gnmi_pb2), ("gnmi_ext.txt", gnmi_ext_pb2)])
def test_every_top_level_enum_matches(name: str, module: object) -> None:
    file = module.DESCRIPTOR  # type: ignore[attr-defined]
    wanted = {line for line in (FACTS / name).read_text().splitlines() if line.startswith("enum ")}
    assert {enum_line(enum) for enum in file.enum_types_by_name.values()} == wanted
    assert file.package == name.removesuffix(".txt")


def test_the_service_matches() -> None:
    service = gnmi_pb2.DESCRIPTOR.services_by_name["gNMI"]
    wanted = [line.strip() for line in (FACTS / "gnmi.txt").read_text().splitlines() if "rpc " in line]
    stream = {True: "stream ", False: ""}
    proto = descriptor_pb2.ServiceDescriptorProto()
    service.CopyToProto(proto)
    assert [
        f"rpc {method.name}({stream[method.client_streaming]}{method.input_type[1:]}) "
        f"returns ({stream[method.server_streaming]}{method.output_type[1:]})"
        for method in proto.method
    ] == wanted
    assert service.full_name == "gnmi.gNMI"


def test_the_version_is_a_file_option() -> None:
    extension = gnmi_pb2.DESCRIPTOR.extensions_by_name["gnmi_service"]
    fact = f"extend {extension.containing_type.full_name}: {extension.number} string {extension.name}"
    assert fact in (FACTS / "gnmi.txt").read_text().splitlines()
    assert gnmi_pb2.DESCRIPTOR.GetOptions().Extensions[gnmi_pb2.gnmi_service] == "0.10.0"
