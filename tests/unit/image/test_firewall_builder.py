"""The builder's own parts: the archive form and the order of modules."""

import sys
from pathlib import Path

import pytest

BUILDER = Path(__file__).parents[3] / "clients/examples/firewall_image"


@pytest.fixture
def builder(monkeypatch):
    monkeypatch.syspath_prepend(str(BUILDER))
    import kernel_modules
    import newc

    yield newc, kernel_modules
    for name in ("newc", "kernel_modules"):
        sys.modules.pop(name)


def entries(archive: bytes) -> list[tuple[str, int, bytes]]:
    """(name, mode, content) of a newc archive, by the kernel's description of the form."""
    found, at = [], 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        name = archive[at + 110 : at + 110 + fields[11] - 1].decode()
        start = (at + 110 + fields[11] + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        found.append((name, fields[1], archive[start : start + fields[6]]))
        at = (start + fields[6] + 3) // 4 * 4


def test_archive_holds_what_was_added(builder):
    newc, _ = builder
    archive = newc.Archive()
    archive.folder("usr/sbin")
    archive.file("usr/sbin/nft", b"12345", 0o755)
    archive.link("sh", "busybox")
    assert entries(archive.finish()) == [
        ("usr", 0o040755, b""),
        ("usr/sbin", 0o040755, b""),
        ("usr/sbin/nft", 0o100755, b"12345"),
        ("sh", 0o120777, b"busybox"),
    ]


def test_modules_come_after_what_they_depend_on(builder, tmp_path):
    _, kernel_modules = builder
    folder = tmp_path / "lib/modules/6.1/kernel"
    folder.mkdir(parents=True)
    for name, depends in {"virtio_net": "net_failover,virtio", "net-failover": "failover"}.items():
        (folder / f"{name}.ko").write_bytes(f"\0depends={depends}\0".encode())
    for name in ("virtio", "failover", "unrelated"):
        (folder / f"{name}.ko").write_bytes(b"\0depends=\0")
    names = [name for name, _ in kernel_modules.load_order(tmp_path)]
    assert names == ["failover", "net_failover", "virtio", "virtio_net"]


def test_table_says_what_loads_before_what(builder):
    _, kernel_modules = builder
    depends = {"core": "", "table": "core,built_in", "nat": "core", "masquerade": "table,nat"}
    modules = tuple((name, f"code\0depends={names}\0".encode()) for name, names in depends.items())
    assert kernel_modules.dependency_table(modules).splitlines() == [
        "core.ko:",
        "table.ko: core.ko",
        "nat.ko: core.ko",
        "masquerade.ko: nat.ko table.ko core.ko",
    ]


def test_a_signature_is_taken_off(builder):
    _, kernel_modules = builder
    signature = b"s" * 300
    signed = b"module" + signature + bytes(8) + (300).to_bytes(4, "big") + b"~Module signature appended~\n"
    assert kernel_modules.unsigned(signed) == b"module"
    assert kernel_modules.unsigned(b"module") == b"module"
