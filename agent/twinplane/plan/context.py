"""What planners need beside the object itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from uuid import UUID

from twinplane.model.host import Capabilities
from twinplane.model.image import Image


@dataclass(frozen=True, slots=True)
class Context:
    """`instance` names the agent's objects, `images` are those that appliances refer to, by name; files are
    written into definitions as absolute paths below `state_dir`."""

    instance: UUID
    capabilities: Capabilities
    images: Mapping[str, Image]
    state_dir: PurePath
