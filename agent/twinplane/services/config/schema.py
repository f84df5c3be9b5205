"""ListSchemas and GetSchema (RFC 6022 section 3.1)."""

import asyncio

from twinplane.errors import Fault
from twinplane.schema import text
from twinplane.services.auth import Caller
from twinplane.services.config.target import Target
from twinplane.services.config.wire import refused
from twinplane_wire.v1 import config_pb2 as pb


class SchemaMethods:
    """The modules that the box speaks."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def list(self, caller: Caller, request: pb.ListSchemasRequest) -> bytes:
        """All modules: the models of gNMI's Capabilities."""
        self._target.session(request.session_id, caller.name)
        listed = [
            pb.Schema(
                name=module.name,
                revision=module.revision,
                namespace=module.namespace,
                organization=module.organization,
                version=module.version,
                implemented=module.implemented,
                format=(pb.YANG, pb.YIN),
            )
            for module in text.modules(self._target.schemas)
        ]
        answer = pb.ListSchemasResponse(schema=listed, content_id=self._target.schemas.digest)
        return answer.SerializeToString()

    async def get(self, caller: Caller, request: pb.GetSchemaRequest) -> bytes:
        """One module as text. Raises RequestError."""
        self._target.session(request.session_id, caller.name)
        if request.format not in pb.SchemaFormat.values():
            raise refused(Fault.NOT_SERVED, f"schema format {request.format} is not offered")
        read = text.yin if request.format == pb.YIN else text.yang
        module, found = await asyncio.to_thread(read, self._target.schemas, request.name, request.revision)
        return pb.GetSchemaResponse(text=found, revision=module.revision).SerializeToString()
