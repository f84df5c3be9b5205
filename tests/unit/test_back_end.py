"""Image files are judged before anything is touched; what is left behind is told as what it is."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from twinplane.back_end import BackEnd, ImageCheck
from twinplane.errors import DriverError, Fault, RequestError
from twinplane.plan.resource import ImageFile
from twinplane.plan.step import Phase, Step
from twinplane_wire.path import parse

OWNER = parse("/images/image[name=i]")
CONTENT = b"kernel"
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def copy(role: str, source: str, digest: str = DIGEST) -> Step:
    """The step that copies a file of the image."""
    file = ImageFile(f"images/aa/{role}", digest, OWNER, source)
    return Step(Phase.FILE, file.key, OWNER, None, file)


def check(folder: Path, *steps: Step) -> None:
    asyncio.run(ImageCheck(folder)(steps))


def test_files_that_are_right_pass(tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(CONTENT)
    check(tmp_path, copy("kernel", "vmlinuz"), copy("initrd", "vmlinuz"))


def test_every_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(b"another")
    with pytest.raises(RequestError) as caught:
        check(tmp_path, copy("kernel", "vmlinuz"), copy("initrd", "nowhere"))
    found = {str(each.path): each for each in caught.value.violations}
    assert set(found) == {f"{OWNER}/config/kernel-source", f"{OWNER}/config/initrd-source"}
    assert {each.fault for each in found.values()} == {Fault.STATE}
    assert f"not {DIGEST}" in found[f"{OWNER}/config/kernel-source"].constraint
    assert "No such file" in found[f"{OWNER}/config/initrd-source"].constraint


def test_only_what_would_be_copied_is_read(tmp_path: Path) -> None:
    made = copy("kernel", "nowhere")
    check(tmp_path, made.inverse(), Step(Phase.FILE, made.key, OWNER, made.after, made.after))


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    judge, step = ImageCheck(tmp_path), copy("kernel", "vmlinuz")
    (tmp_path / "vmlinuz").write_bytes(CONTENT)
    asyncio.run(judge([step]))
    (tmp_path / "new").write_bytes(b"other!")
    (tmp_path / "new").rename(tmp_path / "vmlinuz")
    with pytest.raises(RequestError):
        asyncio.run(judge([step]))


def test_what_cannot_be_removed_is_named(tmp_path: Path) -> None:
    class Full:
        def empty_trash(self) -> None:
            raise PermissionError(13, "Permission denied", str(tmp_path / "trash/1"))

    nothing: Any = None
    store: Any = Full()
    back_end = BackEnd(nothing, tmp_path, nothing, nothing, store)
    with pytest.raises(DriverError, match="trash/1 cannot be removed: Permission denied"):
        asyncio.run(back_end.sweep())
