"""NoCloud seed images: ISO 9660 with Joliet and Rock Ridge names, volume name ``cidata``.

The same input gives the same bytes. Whose seed it is stands in the part of the volume descriptor that is left
to the application (lines: the owner's alias, UUID, host name, the files made by us), so that reading one
back needs nothing beside it. Source of the layout: cloud-init, "NoCloud" data source.
"""

import struct
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pycdlib
import pycdlib.dates
import pycdlib.headervd
import pycdlib.pycdlib
import pycdlib.pycdlibexception

from twinplane.errors import TwinplaneError
from twinplane.model.appliance import SeedFile
from twinplane.plan.appliance.seed import LABEL, META_DATA, meta_data

USER_DATA = "user-data"  # the data source wants it, empty or not
JOLIET_LONGEST = 64  # of one name: characters to Joliet, bytes in UTF-8 to pycdlib
# What pycdlib ends with where an image is damaged: it takes what it reads for granted.
_DAMAGED = (pycdlib.pycdlibexception.PyCdlibException, struct.error, ValueError, LookupError)


class SeedError(TwinplaneError):
    """A file is not a seed image of ours, or one cannot be made of these files."""


@dataclass(frozen=True, slots=True)
class SeedContent:
    """What a seed image says: `mark` is the alias of its owner, `files` those the user gave, sorted."""

    mark: str
    uuid: UUID
    hostname: str
    files: tuple[SeedFile, ...]


def build(content: SeedContent, digest: str) -> bytes:
    """The bytes of a seed image. `digest` (``sha256:<hex>``) becomes part of the instance id, so that a guest
    that remembers day 0 sees a new instance when its files change. Raises `SeedError`."""
    given = {file.target: file.content for file in content.files}
    made = {META_DATA: meta_data(content.uuid, digest, content.hostname)}
    if USER_DATA not in given:
        made[USER_DATA] = "#cloud-config\n"
    files = given | made
    image = pycdlib.PyCdlib()
    image.new(
        interchange_level=3,
        vol_ident=LABEL,
        app_use="\n".join((content.mark, str(content.uuid), content.hostname, " ".join(sorted(made)), "")),
        joliet=3,
        rock_ridge="1.09",
    )
    try:
        _fill(image, files)
        written = BytesIO()
        image.write_fp(written)
        return written.getvalue()
    except pycdlib.pycdlibexception.PyCdlibException as error:
        raise SeedError(f"no seed image can be made of these files: {error}") from error
    finally:
        image.close()


def read(path: Path) -> SeedContent:
    """What the seed image at `path` says, from its own bytes. Raises `SeedError`; OSError when absent."""
    image = pycdlib.PyCdlib()
    with path.open("rb") as file:
        try:
            image.open_fp(file)
        except _DAMAGED as error:
            raise SeedError(f"{path} is not a seed image: {error}") from error
        try:
            mark, uuid, hostname, added, _ = image.pvd.application_use.decode().split("\n")
            files = _files(image, added.split())
            return SeedContent(mark, UUID(uuid), hostname, files)
        except _DAMAGED as error:
            raise SeedError(f"{path} is not a seed image of ours: {error}") from error
        finally:
            image.close()


def _fill(image: Any, files: dict[str, str]) -> None:
    folders: dict[str, str] = {"": ""}  # path as given → ISO path
    for number, target in enumerate(sorted(files)):
        *parents, name = target.split("/")
        if "" in (*parents, name) or {".", ".."} & {*parents, name}:
            raise SeedError(f"{target!r} is not a relative path of a file")
        folder = ""
        for parent in parents:
            above, folder = folder, f"{folder}/{parent}"
            if folder not in folders:
                folders[folder] = f"{folders[above]}/D{len(folders):07}"
                image.add_directory(
                    folders[folder], rr_name=parent, joliet_path=_joliet(folder), file_mode=0o040555
                )
        content = files[target].encode()
        image.add_fp(
            BytesIO(content),
            len(content),
            f"{folders[folder]}/F{number:07}.;1",
            rr_name=name,
            joliet_path=_joliet(f"/{target}"),
            file_mode=0o100444,
        )


def _joliet(path: str) -> str | None:
    """The path for those who read Joliet, which limits the length of a name: None where one is longer.
    Whoever reads Rock Ridge (every Linux) sees all of it."""
    return path if all(len(name.encode()) <= JOLIET_LONGEST for name in path.split("/")) else None


def _files(image: Any, added: list[str]) -> tuple[SeedFile, ...]:
    found = []
    for folder, _, names in image.walk(rr_path="/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            content = BytesIO()
            image.get_file_from_iso_fp(content, rr_path=path)
            if path[1:] not in added:
                found.append(SeedFile(path[1:], content.getvalue().decode()))
    return tuple(sorted(found, key=lambda file: file.target))


def _epoch(_seconds: float = 0.0) -> time.struct_time:
    return time.gmtime(0)


# pycdlib asks for the time itself and offers no other way to say which one an image shall carry.
_STANDING_CLOCK = SimpleNamespace(
    **{**vars(time), "time": lambda: 0.0, "localtime": _epoch, "gmtime": _epoch}
)
for _module in (pycdlib.pycdlib, pycdlib.headervd, pycdlib.dates):
    setattr(_module, "time", _STANDING_CLOCK)  # noqa: B010
