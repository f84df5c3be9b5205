"""The JSON face of the schema: payloads to nodes, nodes to JSON and JSON_IETF (RFC 7951)."""

from twinplane.schema.decode import decode, decode_scalar
from twinplane.schema.encode import encode
from twinplane.schema.scalar import json_value

__all__ = ["decode", "decode_scalar", "encode", "json_value"]
