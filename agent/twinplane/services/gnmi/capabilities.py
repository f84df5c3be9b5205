"""Capabilities: what this target speaks (gNMI 3.2)."""

from typing import Any

from twinplane.schema.compile import Schemas
from twinplane.services.auth import Caller
from twinplane.services.codec import Encoding, served_models
from twinplane.services.gnmi.extension import check_none
from twinplane_wire.gnmi import gnmi_pb2

_OPTIONS: Any = gnmi_pb2.DESCRIPTOR.GetOptions()
VERSION: str = _OPTIONS.Extensions[gnmi_pb2.gnmi_service]


class Capabilities:
    """Answers from bytes made once: cheap, and the same during any Set."""

    def __init__(self, schemas: Schemas) -> None:
        self._answer: bytes = gnmi_pb2.CapabilityResponse(
            supported_models=[
                gnmi_pb2.ModelData(name=name, organization=module.organization, version=module.version)
                for name, module in sorted(served_models(schemas).items())
            ],
            supported_encodings=[one.value for one in Encoding],
            gNMI_version=VERSION,
        ).SerializeToString()

    async def __call__(self, _caller: Caller, request: gnmi_pb2.CapabilityRequest) -> bytes:
        """The encoded CapabilityResponse. Raises RequestError for an extension that has no place here."""
        check_none(request.extension)
        return self._answer
