"""Fixtures of the conformance tests, the loop they run in, and the table of rows they make."""

import asyncio
import datetime
import inspect
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path as File

import pytest

from conformance.report import Report
from conformance.target import USERS, Target
from twinplane.identity import upkeep
from twinplane.identity.host_name import Names
from twinplane.identity.role import Role
from twinplane.identity.user import set_user

NAMES = Names(("localhost",), (ip_address("127.0.0.1"),))
SECONDS = 90.0  # for one test, long ones aside, which set their own timeout


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance", metavar="FILE", help="write the table of rows to this file")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Report(config), "conformance-report")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in a loop of its own; targets among its arguments serve meanwhile."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}

    async def body() -> None:
        async with AsyncExitStack() as stack:
            served = {id(one): one for one in map(_target, arguments.values()) if one is not None}
            for one in served.values():
                await stack.enter_async_context(one)
            for name, argument in arguments.items():
                if isinstance(argument, _Later):
                    arguments[name] = argument.target.client()
            async with asyncio.timeout(SECONDS):
                await pyfuncitem.obj(**arguments)

    asyncio.run(body())
    return True


class _Later:
    """The fixture `client`: a client of the test's target, once that serves."""

    def __init__(self, target: Target) -> None:
        self.target = target


def _target(argument: object) -> Target | None:
    if isinstance(argument, _Later):
        return argument.target
    return argument if isinstance(argument, Target) else None


@pytest.fixture(scope="session")
def credentials() -> Iterator[File]:
    """A folder with certificates and users as every target finds them; a user's password is <name>-secret."""
    with tempfile.TemporaryDirectory(prefix="tpc") as name:
        folder = File(name)
        now = datetime.datetime.now(datetime.UTC)
        upkeep.ensure(folder / "tls", NAMES, now, clients=(*USERS, "stranger"))
        for user, role in zip(USERS, (Role.ADMIN, Role.OPERATOR, Role.READ_ONLY), strict=True):
            set_user(folder / "users.toml", user, role, f"{user}-secret")
        yield folder


@pytest.fixture
def folder(credentials: File) -> Iterator[File]:
    """A copy of them for one test; short, since the paths of Unix sockets are."""
    with tempfile.TemporaryDirectory(prefix="tpc") as name:
        shutil.copytree(credentials, name, dirs_exist_ok=True)
        yield File(name)


@pytest.fixture
def target(folder: File) -> Target:
    """A target that serves while the test runs."""
    return Target(folder)


@pytest.fixture
def client(target: Target) -> _Later:
    """A client over its administrator's socket."""
    return _Later(target)
