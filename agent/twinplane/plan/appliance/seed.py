"""The day-0 medium: where it lies, what it holds, its digest.

A NoCloud seed (cloud-init documentation, datasource NoCloud): an ISO 9660 image labelled ``cidata``, which
the guest finds on its first virtio disk, /dev/vda.
"""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from twinplane.model.appliance import SeedFile

LABEL = "cidata"
META_DATA = "meta-data"


def seed_file(uuid: UUID) -> str:
    """The seed of the appliance with this domain UUID, relative to the state directory."""
    return f"appliances/{uuid}/seed.iso"


def console_file(uuid: UUID) -> str:
    """The log of its serial console, relative to the state directory."""
    return f"appliances/{uuid}/console.log"


def console_files(uuid: UUID) -> tuple[str, ...]:
    """All that is kept of its console: the log and the older part of it."""
    return console_file(uuid), f"{console_file(uuid)}.1"


def digest(files: Iterable[SeedFile]) -> str:
    """``sha256:<hex>`` over the files sorted by target: of each the lengths in bytes and the text of target
    and content, so that no two sets of files look alike."""
    state = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.target):
        for text in (file.target, file.content):
            octets = text.encode()
            state.update(f"{len(octets)}\n".encode())
            state.update(octets)
    return f"sha256:{state.hexdigest()}"


def meta_data(uuid: UUID, seed_digest: str, hostname: str) -> str:
    """The content of ``meta-data``: other files make another instance, which applies them at its boot."""
    short = seed_digest.removeprefix("sha256:")
    return f"instance-id: {uuid}-{short}\nlocal-hostname: {hostname}\n"
