"""The agent ends in order within 5 s, whatever clients do; the next one finds things as clients were told."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.agent import Agent, until, value
from e2e.documents import APPLIANCE, IMAGE, appliance, image, switch, switch_path, vnic
from e2e.place import Place
from twinplane_client import Client, Sync, TwinplaneError, UnavailableError, _build
from twinplane_wire.gnmi import gnmi_pb2

pytestmark = pytest.mark.hypervisor

PROMISED = 5.0  # seconds, on a host that has time for the agent
LAN = switch_path("lan")


@pytest.fixture
def fresh(place: Place, images: Path) -> Iterator[Agent]:
    """An agent that serves, for one test."""
    with Agent(place, images) as agent:
        agent.start()
        yield agent


def limit() -> float:
    """The promise, stretched by how long other work makes a fifth of a second of computing take."""
    wall, start = time.monotonic(), time.process_time()
    while time.process_time() < start + 0.2:
        pass
    return PROMISED * max(1.0, (time.monotonic() - wall) / 0.2)


def in_background(work: Any) -> tuple[threading.Thread, list[Any]]:
    """Run it in a thread; what it returned or raised will be in the list."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work())
        except TwinplaneError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def reading(client: Client, synced: threading.Event) -> int:
    """Read a stream to its end."""
    seen = 0
    for item in client.subscribe("/", mode="sample", sample_interval=1.0):
        seen += 1
        if item is Sync.SYNC:
            synced.set()
    return seen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_with_streams_that_are_read_and_streams_that_are_not(fresh: Agent, number: signal.Signals) -> None:
    with fresh.client() as client, fresh.client() as other, fresh.channel() as channel:
        client.set(replace={switch_path(f"s{index}"): switch(f"s{index}") for index in range(50)})
        synced = threading.Event()
        thread, outcome = in_background(lambda: reading(other, synced))
        assert synced.wait(20)
        # Nobody takes what these are sent, and there is more of it than the buffers on the way hold.
        request = _build.subscribe(["/"] * 200, mode="sample", sample_interval=1.0)
        stuck = [
            channel.stream_stream(
                "/gnmi.gNMI/Subscribe",
                request_serializer=gnmi_pb2.SubscribeRequest.SerializeToString,
                response_deserializer=gnmi_pb2.SubscribeResponse.FromString,
            )(iter((request,)))
            for _ in range(5)
        ]
        for call in stuck:
            next(call)
        assert fresh.stop(number, limit()) == 0
        thread.join(10)
        (error,) = outcome
        assert isinstance(error, UnavailableError), error
        with pytest.raises(UnavailableError):
            client.get("/system/state/hostname")
        for call in stuck:
            call.cancel()
    assert not [line for line in fresh.lines() if "Traceback" in line or " ERROR " in line]
    assert "stopping" in fresh.lines()[-1]
    assert list((fresh.state_dir / "run").iterdir()) == []


def test_with_a_set_in_flight(fresh: Agent, images: Path) -> None:
    """libvirt's first start of a guest takes seconds; what was begun is undone by the next agent, or done."""
    with fresh.client() as client:
        client.set(replace={LAN: switch("lan")})
        before = value(client, "/", kind="config")
        wanted = {IMAGE: image(images), APPLIANCE: appliance("fw1", vnic("eth0", 0, "lan"))}
        thread, outcome = in_background(lambda: client.set(replace=wanted))
        until(lambda: any((fresh.state_dir / "appliances").iterdir()), "the Set has begun")
        assert fresh.stop(limit=limit()) == 0
        thread.join(10)
    assert not [line for line in fresh.lines() if "Traceback" in line], fresh.lines()
    fresh.start()
    with fresh.client() as client:
        until(lambda: any("adopted" in line for line in fresh.lines()), "recovery")
        after = value(client, "/", kind="config")
        if isinstance(outcome[0], TwinplaneError):
            assert isinstance(outcome[0], UnavailableError), outcome[0]
            assert after == before
            assert value(client, "/appliances") is None
            assert list((fresh.state_dir / "appliances").rglob("*")) == []
            assert list((fresh.state_dir / "images").rglob("*")) == []
        else:
            assert after != before
        client.set(delete=["/appliances", "/images", "/virtual-switches"])
    assert fresh.stop() == 0


def test_before_it_serves(place: Place, images: Path) -> None:
    with Agent(place, images) as agent:
        for pause in (0.8, 1.2):
            with pytest.raises(AssertionError, match=r"the agent ended with (0|-15)"):
                threading.Timer(pause, lambda: agent.process and agent.process.terminate()).start()
                agent.start()
                agent.wait_for("never", limit())
            assert not [line for line in agent.lines() if "Traceback" in line], agent.lines()
        agent.start()


def test_a_second_signal_changes_nothing(fresh: Agent) -> None:
    assert fresh.process is not None
    with fresh.client() as client:
        stream = client.subscribe("/", mode="sample", sample_interval=1.0)
        next(stream)
        fresh.process.send_signal(signal.SIGTERM)
        fresh.wait_for("stopping")
        assert fresh.stop(signal.SIGINT, limit()) == 0
        stream.close()
    assert not [line for line in fresh.lines() if "Traceback" in line], fresh.lines()
