"""Calls that hang: unknown after the deadline, in the way of their own domain only."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from libvirt import VIR_DOMAIN_CONTROL_OCCUPIED

from twinplane.errors import DriverError
from twinplane.hypervisor.connection import THREADS, Connection
from twinplane.hypervisor.root import EmbeddedRoot


def connection() -> Connection:
    """Not opened: the calls under test do not reach libvirt."""
    made = Connection(EmbeddedRoot(Path("/nowhere"), "root", 0), deadline=0.2)
    made._settled |= {"vma", "vmb"}
    return made


def test_a_hanging_call_is_unknown_and_holds_up_its_own_domain_only():
    async def scenario() -> None:
        libvirt = connection()
        go_on = threading.Event()
        done: list[str] = []
        try:
            with pytest.raises(DriverError) as hanging:
                await libvirt._call("vma", lambda: go_on.wait(10) and done.append("first"))
            assert hanging.value.unknown
            assert await libvirt._call("vmb", lambda: "answer") == "answer"
            with pytest.raises(DriverError) as behind:
                await libvirt._call("vma", lambda: done.append("second"))
            assert behind.value.unknown
            go_on.set()
            await libvirt._call("vma", lambda: done.append("third"))
            assert done == ["first", "third"]
        finally:
            go_on.set()
            libvirt.dismiss()

    asyncio.run(scenario())


def test_one_waits_for_a_call_that_hangs_and_no_others():
    async def scenario() -> None:
        libvirt = connection()
        go_on = threading.Event()
        try:
            for _ in range(2):
                with pytest.raises(DriverError):
                    await libvirt._call("vma", lambda: go_on.wait(60))
            libvirt._deadline = 60
            async with asyncio.timeout(30):
                with pytest.raises(DriverError, match="has not returned") as behind:
                    await libvirt._call("vma", lambda: None)
            assert behind.value.unknown
            go_on.set()
            while libvirt._lanes["vma"].locked():
                await asyncio.sleep(0.01)
            assert await libvirt._call("vma", lambda: "answer") == "answer"
            assert libvirt._stuck == set()
        finally:
            go_on.set()
            libvirt.dismiss()

    asyncio.run(scenario())


def test_who_waits_already_goes_when_the_call_before_hangs():
    async def scenario() -> None:
        libvirt = connection()
        libvirt._deadline, libvirt._answer = 60, 0.3
        go_on = threading.Event()
        try:
            async with asyncio.timeout(30):
                asked = asyncio.ensure_future(libvirt._call("vma", lambda: go_on.wait(60), libvirt._answer))
                await asyncio.sleep(0)
                with pytest.raises(DriverError, match="has not returned"):
                    await libvirt._call("vma", lambda: None)
                with pytest.raises(DriverError, match=r"did not answer within 0\.3 s"):
                    await asked
            returned = asyncio.ensure_future(libvirt.returned("vma", 60))
            go_on.set()
            await returned
            assert await libvirt._call("vma", lambda: "answer") == "answer"
        finally:
            go_on.set()
            libvirt.dismiss()

    asyncio.run(scenario())


def test_one_waits_for_a_guest_that_is_not_found_again_and_no_others():
    class Lost:
        """A guest of an earlier agent, whose monitor does not answer."""

        def lookupByName(self, _: str) -> "Lost":  # noqa: N802
            return self

        def isActive(self) -> bool:  # noqa: N802
            return True

        def controlInfo(self, _: int) -> list[int]:  # noqa: N802
            return [VIR_DOMAIN_CONTROL_OCCUPIED, 0, 0]

    async def scenario() -> None:
        libvirt = connection()
        libvirt._settled.clear()
        libvirt._connect = Lost()
        try:
            for limit in (0.2, 60):
                libvirt._reconnect_limit = limit
                async with asyncio.timeout(30):
                    with pytest.raises(DriverError, match="not found the guest again") as lost:
                        await libvirt._call("vma", lambda: None)
                assert lost.value.unknown
        finally:
            libvirt.dismiss()

    asyncio.run(scenario())


def test_a_listing_does_not_wait_for_who_does_not_answer():
    class Domains:
        """Two that answer, and one whose QEMU does not, whatever is asked."""

        def listAllDomains(self, _: int) -> "list[Domains]":  # noqa: N802
            return [self] * 3

        def name(self) -> str:
            return next(names)

    async def scenario() -> None:
        libvirt = connection()
        libvirt._deadline, libvirt._quiet = 60, 0.5
        libvirt._connect = Domains()
        hung = asyncio.Event()

        async def read(name: str) -> str:
            if name == "vmb":
                await hung.wait()
            return name

        try:
            async with asyncio.timeout(30):
                assert await libvirt._each(read) == (("vma", "vmc"), ("vmb",))
            assert "vmb" in libvirt._stuck  # nobody waits long for its next answer either
        finally:
            libvirt.dismiss()

    names = iter(("vma", "vmb", "vmc"))
    asyncio.run(scenario())


def test_a_call_that_never_began_is_failed_and_not_unknown():
    async def scenario() -> None:
        libvirt = connection()
        go_on = threading.Event()
        names = [f"vm{number}" for number in range(THREADS)]
        libvirt._settled |= set(names)
        try:
            hanging = [asyncio.ensure_future(libvirt._call(name, lambda: go_on.wait(10))) for name in names]
            await asyncio.sleep(0)
            with pytest.raises(DriverError) as queued:
                await libvirt._call("vma", lambda: None)
            assert not queued.value.unknown
            for answer in await asyncio.gather(*hanging, return_exceptions=True):
                assert isinstance(answer, DriverError)
                assert answer.unknown
        finally:
            go_on.set()
            libvirt.dismiss()

    asyncio.run(scenario())


def test_a_closed_connection_says_so():
    async def scenario() -> None:
        libvirt = connection()
        with pytest.raises(DriverError, match="closed"):
            await libvirt.domain("vma")
        libvirt.dismiss()

    asyncio.run(scenario())


def test_a_call_that_never_returns_does_not_keep_the_process():
    program = (
        "import threading; from twinplane.hypervisor.workers import Workers; "
        "began = threading.Event(); "
        "Workers(1, 'x').submit(lambda: (began.set(), threading.Event().wait())); "
        "began.wait()"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20, env=environment)


def test_the_first_definition_is_alone():
    """libxml2 would make its types of schemas in two threads at once, and lose some."""

    class Counting:
        def __init__(self) -> None:
            self.inside = 0
            self.most: list[int] = []
            self.both = threading.Barrier(2)

        def defineXMLFlags(self, xml: str, _flags: int) -> None:  # noqa: N802 (libvirt's name)
            self.inside += 1
            self.most.append(self.inside)
            if xml == "later":
                self.both.wait(10)
            else:
                time.sleep(0.005)
            self.inside -= 1

    async def scenario() -> None:
        libvirt = connection()
        libvirt._deadline = 30
        libvirt._connect = counting = Counting()
        try:
            await asyncio.gather(libvirt.define("vma", "first"), libvirt.define("vmb", "second"))
            assert counting.most == [1, 1]
            await asyncio.gather(libvirt.define("vma", "later"), libvirt.define("vmb", "later"))
        finally:
            libvirt.dismiss()

    asyncio.run(scenario())
