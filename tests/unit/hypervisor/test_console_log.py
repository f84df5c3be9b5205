"""The log of a serial console is bounded while its QEMU, which holds it open, writes on."""

import os

import pytest

from twinplane.hypervisor import console_log
from twinplane.hypervisor.console_log import KIB, NAME, PART, ConsoleLogs

LIMIT = 64 * KIB
BLOCKS = 512  # what st_blocks counts in


@pytest.fixture
def log(tmp_path):
    folder = tmp_path / "appliances/some"
    folder.mkdir(parents=True)
    (folder / NAME).touch()
    return folder / NAME


@pytest.fixture
def logs(tmp_path):
    return ConsoleLogs(tmp_path / "appliances", tmp_path / "libvirt", LIMIT)


def lines(first, last):
    return b"".join(b"%09d\n" % number for number in range(first, last))


def append(log):
    return os.open(log, os.O_WRONLY | os.O_APPEND)


def refused(descriptor, mode, length):
    raise OSError(95, "Operation not supported")


@pytest.mark.parametrize("collapses", [True, False])
def test_what_is_too_long_is_cut_and_its_newest_lines_are_kept(log, logs, monkeypatch, collapses):
    if not collapses:
        monkeypatch.setattr(console_log, "_allocate", refused)
    writer, written = append(log), 0
    for _ in range(20):
        os.write(writer, lines(written, written + 8_000))
        written += 8_000
        logs.bound()
        assert log.stat().st_size <= LIMIT
        assert log.with_name(PART).stat().st_size <= LIMIT
    os.write(writer, lines(written, written + 10))  # goes to the end, wherever that is now
    os.close(writer)
    after = log.read_bytes()
    assert after.endswith(lines(written, written + 10))
    assert b"\0" not in after
    seen = set((log.with_name(PART).read_bytes() + b"\n" + after).split(b"\n"))
    assert set(lines(written - 6_000, written + 10).split(b"\n")) <= seen


def test_what_fits_is_left_alone(log, logs):
    log.write_bytes(b"x" * LIMIT)
    logs.bound()
    assert log.stat().st_size == LIMIT
    assert not log.with_name(PART).exists()


def test_a_writer_that_does_not_append_gets_a_hole(log, logs, monkeypatch):
    monkeypatch.setattr(ConsoleLogs, "_appended", lambda self, log: False)
    with log.open("wb", buffering=0) as writer:
        for _ in range(10):
            writer.write(b"x" * LIMIT * 4)
            logs.bound()
            assert log.stat().st_blocks * BLOCKS <= LIMIT
        assert log.stat().st_size == LIMIT * 40
    assert log.with_name(PART).read_bytes() == b"x" * LIMIT


def test_how_a_guest_writes_is_read_from_its_process(log, logs, monkeypatch):
    monkeypatch.setattr(console_log.process, "guests", lambda root: {"vm": os.getpid()})
    for flags, appended in ((os.O_APPEND, True), (0, False)):
        writer = os.open(log, os.O_WRONLY | flags)
        assert logs._appended(log) is appended
        os.close(writer)


def test_a_log_without_room_for_its_part_is_cut_all_the_same(log, logs, caplog):
    log.with_name(f".{PART}.new").mkdir()
    log.write_bytes(b"x" * LIMIT * 8)
    logs.bound()
    assert log.stat().st_size <= LIMIT
    assert "is lost" in caplog.text


def test_a_link_in_its_place_is_not_followed(log, logs, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"x" * LIMIT * 8)
    log.unlink()
    log.symlink_to(other)
    logs.bound()
    assert other.stat().st_size == LIMIT * 8
