"""The blocking client and its command against a real server."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path as File

import pytest

from service.double import memory, serving
from twinplane_client import Client, NotFoundError, Sync, Target
from twinplane_client.__main__ import main

LAN = "/virtual-switches/virtual-switch[name=lan]"


@pytest.fixture
def address(tmp_path: File) -> Iterator[str]:
    """A server in a thread of its own: the blocking client needs this one."""
    ready, found = threading.Event(), []

    async def body() -> None:
        async with serving(tmp_path, memory()) as (admin, _):
            found.extend([admin, asyncio.get_running_loop(), asyncio.Event()])
            ready.set()
            await found[2].wait()

    thread = threading.Thread(target=asyncio.run, args=(body(),))
    thread.start()
    assert ready.wait(30)
    yield found[0]
    found[1].call_soon_threadsafe(found[2].set)
    thread.join(30)
    assert not thread.is_alive()


def test_the_blocking_client(address: str) -> None:
    with Client(Target(address)) as client:
        assert client.capabilities().version == "0.10.0"
        client.set(update={f"{LAN}/config/mtu": 1400})
        assert client.get(f"{LAN}/config/mtu")[0].updates[0].value == 1400
        items = list(client.subscribe(f"{LAN}/config/mtu", mode="once", encoding="proto"))
        assert items[0].updates[0].value == 1400  # type: ignore[union-attr]
        assert items[1:] == [Sync.SYNC]
        for item in client.subscribe(LAN):
            if item is Sync.SYNC:
                break
        with pytest.raises(NotFoundError):
            client.get("/virtual-switches/virtual-switch[name=none]")


def test_the_command(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> list[dict[str, object]]:
        assert main(["--address", address, *arguments]) == 0
        text, decoder, found = capsys.readouterr().out.strip(), json.JSONDecoder(), []
        while text:
            document, end = decoder.raw_decode(text)
            found.append(document)
            text = text[end:].strip()
        return found

    assert run("capabilities")[0]["gnmi"] == "0.10.0"
    (done,) = run("set", "--update", f'{LAN}={{"config":{{"mtu":1400}}}}', "--delete", "/images")
    assert done["operations"] == [
        {"operation": "DELETE", "path": "/images"},
        {"operation": "UPDATE", "path": LAN},
    ]
    (got,) = run("get", f"{LAN}/config/mtu")
    assert got["updates"] == [{"path": f"{LAN}/config/mtu", "value": 1400}]
    *_, last = run("subscribe", LAN, "--mode", "once")
    assert last == {"sync": True}
    assert main(["--address", address, "set", "--update", f'{LAN}={{"config":{{"mtu":1,"x":2}}}}']) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("INVALID_ARGUMENT: ")
    assert len(told) == 2  # the second violation on a line of its own


def test_a_reader_that_has_seen_enough_is_no_error(address: str) -> None:
    command = [sys.executable, "-m", "twinplane_client", "--address", address, "capabilities"]
    reading, writing = os.pipe()
    os.close(reading)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, env=environ, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_what_is_not_given_comes_from_the_environment(
    address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINPLANE_ADDRESS", address)
    assert main(["capabilities"]) == 0
    assert json.loads(capsys.readouterr().out)["gnmi"] == "0.10.0"
    monkeypatch.setenv("TWINPLANE_CA", "/nowhere/ca.pem")
    assert main(["--address", "localhost:1", "get", "/"]) == 1
    assert capsys.readouterr().err == "/nowhere/ca.pem: No such file or directory\n"


def test_without_an_address_it_says_how_to_give_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TWINPLANE_ADDRESS", raising=False)
    with pytest.raises(SystemExit, match="2"):
        main(["get", "/"])
    assert "TWINPLANE_ADDRESS" in capsys.readouterr().err


def test_the_example_fits_the_models(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    example = File(__file__).parents[2] / "clients/examples/firewall.json"
    path = "/appliances/appliance[name=fw1]"
    assert main(["--address", address, "set", "--replace", f"{path}=@{example}"]) == 0
    assert main(["--address", address, "get", f"{path}/vnics/vnic[name=lan]/config/virtual-switch"]) == 0
    assert '"lan"' in capsys.readouterr().out
