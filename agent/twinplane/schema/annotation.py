"""The annotation of a whole configuration: text that clients keep with it and that means nothing to us.

In JSON it is the member ``@`` of the root object (RFC 7952 section 5.2.1), with the one member that the
OpenConfig metadata module defines: bytes in base64.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from twinplane.errors import Fault, RequestError, Violation
from twinplane_wire.path import Path

MEMBER = "@"
NAME = "openconfig-metadata:protobuf-metadata"
LIMIT = 1 << 20  # bytes behind the base64

_HINT = b'"@"'


def annotation(data: bytes, index: int | None = None) -> str | None:
    """The annotation in the JSON of a root object, None where it has none.

    Raises:
        RequestError: VALUE or TOO_LARGE. Text that is no JSON is left to whoever reads the rest.
    """
    if _HINT not in data:
        return None
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(root, dict) or MEMBER not in root:
        return None
    members = root[MEMBER]
    if not isinstance(members, dict) or members.keys() - {NAME}:
        raise _refusal(Fault.VALUE, f"an annotation of the root holds {NAME!r} and nothing else", index)
    text = members.get(NAME, "")
    try:
        size = len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise _refusal(Fault.VALUE, f"{NAME} has to be base64", index) from None
    if size > LIMIT:
        raise _refusal(Fault.TOO_LARGE, f"{NAME} has {size} bytes, the limit is {LIMIT}", index)
    return str(text)


def without(root: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a root object that are data."""
    return {name: value for name, value in root.items() if name != MEMBER}


def annotated(text: bytes, kept: str) -> bytes:
    """The JSON of a root object with its annotation in front, if there is one."""
    if not kept:
        return text
    head = json.dumps({MEMBER: {NAME: kept}}).encode()[:-1]
    return head + (b"," if len(text) > len(b"{}") else b"") + text[1:]


def _refusal(fault: Fault, constraint: str, index: int | None) -> RequestError:
    return RequestError(Violation(Path().child(MEMBER), fault, constraint, operation=index))
