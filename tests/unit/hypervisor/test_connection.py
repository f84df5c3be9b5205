"""The connection to libvirt, without libvirt: what it says of one that is closed, of domains that give no
answer, and which of its calls are alone."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import libvirt
import pytest

from doubles.loop import in_loop
from twinplane.errors import DriverError
from twinplane.hypervisor import connection
from twinplane.hypervisor.connection import Connection
from twinplane.hypervisor.root import EmbeddedRoot


class Absent(libvirt.libvirtError):
    """What libvirt raises of a domain that is not defined."""

    def get_error_code(self) -> int:
        return libvirt.VIR_ERR_NO_DOMAIN


class Handle:
    """libvirt's connection to a host on which nothing is defined."""

    def domainEventRegisterAny(self, *_: object) -> int:  # noqa: N802 (libvirt's names)
        return 1

    def domainEventDeregisterAny(self, _: int) -> None:  # noqa: N802
        pass

    def getDomainCapabilities(self, *_: object) -> str:  # noqa: N802
        return ""

    def lookupByName(self, name: str) -> object:  # noqa: N802
        raise Absent(f"no domain {name}")

    def close(self) -> None:
        pass


Opened = Callable[[Handle], AbstractAsyncContextManager[Connection]]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    monkeypatch.setattr(connection, "run_event_loop", lambda: None)

    @asynccontextmanager
    async def opened(handle: Handle) -> AsyncIterator[Connection]:
        monkeypatch.setattr(libvirt, "open", lambda _: handle)
        made = Connection(EmbeddedRoot(tmp_path, "root", 0))
        try:
            await made.open()
            yield made
            await made.close()
        finally:
            made.dismiss()

    return opened


@in_loop
async def test_a_closed_connection_says_so(opened: Opened) -> None:
    async with opened(Handle()) as made:
        assert await made.domain("vma") is None
        await made.close()
        with pytest.raises(DriverError, match="closed"):
            await made.domain("vma")


@in_loop
async def test_the_first_definition_is_alone(opened: Opened) -> None:
    """libxml2 would make its types of schemas in two threads at once, and lose some."""

    class Counting(Handle):
        def __init__(self) -> None:
            self.inside = 0
            self.most: list[int] = []
            self.both = threading.Barrier(2)

        def defineXMLFlags(self, xml: str, _flags: int) -> None:  # noqa: N802
            self.inside += 1
            self.most.append(self.inside)
            if xml == "later":
                self.both.wait(10)
            else:
                time.sleep(0.005)
            self.inside -= 1

    counting = Counting()
    async with opened(counting) as made:
        await asyncio.gather(made.define("vma", "first"), made.define("vmb", "second"))
        assert counting.most == [1, 1]
        await asyncio.gather(made.define("vma", "later"), made.define("vmb", "later"))


@in_loop
async def test_a_domain_without_an_answer_is_logged_when_that_begins_and_when_it_ends(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(Handle):
        answers = False

        def name(self) -> str:
            return "vma"

        def listAllDomains(self, _: int) -> "list[Odd]":  # noqa: N802
            return [self]

        def lookupByName(self, name: str) -> object:  # noqa: N802
            if self.answers:
                return super().lookupByName(name)
            raise libvirt.libvirtError("it is odd")

    caplog.set_level(logging.INFO, connection.__name__)
    odd = Odd()
    async with opened(odd) as made:
        for answers in (False, True, False):
            odd.answers = answers
            for _ in range(2):
                assert (await made.domains()).silent == (() if answers else ("vma",))
                await made.schedulers()
    assert [record.getMessage() for record in caplog.records] == [
        "vma: it is odd", "vma: answers again", "vma: it is odd"
    ]  # fmt: skip
