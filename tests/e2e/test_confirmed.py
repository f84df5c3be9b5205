"""Commits that wait for their confirmation, on an agent that is stopped, killed and started again."""

import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from e2e.agent import Agent, until, value
from e2e.config_service import Config, confirmed
from e2e.documents import APPLIANCE, IMAGE, MIB, appliance, image, switch, switch_path, vnic
from e2e.place import Place
from fault import snapshot
from twinplane_client import RefusedError
from twinplane_wire.v1 import config_pb2 as pb

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(180)]

LAN, DMZ = switch_path("lan"), switch_path("dmz")
MANAGEMENT = "/interfaces/interface[name=mgmt0]"
RECORD = pb.CommitRecord


@pytest.fixture
def config(agent: Agent) -> Iterator[Config]:
    """Calls to the agent, which has nothing configured."""
    with agent.client() as client:
        client.set(delete=["/appliances", "/virtual-switches", "/images", "/interfaces"])
    with agent.channel() as channel:
        yield Config(channel)


def bridges(agent: Agent) -> list[str]:
    """The names of bridges in the namespace."""
    return agent.place.ip("-o", "link", "show", "type", "bridge").splitlines()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_an_end_of_the_agent_in_the_window_takes_it_back(
    agent: Agent, config: Config, ending: signal.Signals
) -> None:
    config.edit(0, {LAN: switch("lan")})
    number = config(confirmed("window")).revision
    assert bridges(agent)
    agent.stop(ending)
    agent.start()
    with agent.client() as client, agent.channel() as channel:
        assert value(client, LAN) is None
        until(lambda: not bridges(agent), "the bridge is gone")
        again = Config(channel)
        listed = again(pb.ListCommitsRequest(limit=2))
        assert [(one.number, one.source, one.confirmation) for one in listed.commit] == [
            (number + 1, "confirm-restart", RECORD.NOT_ASKED),
            (number, "config", RECORD.TAKEN_BACK),
        ]
        assert not listed.persist_id
        code, text = again.refused(pb.ConfirmRequest(persist_id="window"))
        assert (code, "no commit waits" in text) == (grpc.StatusCode.FAILED_PRECONDITION, True)


def test_a_name_lets_another_session_confirm_and_both_faces_wait_for_it(agent: Agent, config: Config) -> None:
    with config.session() as first:
        config.edit(first, {LAN: switch("lan")})
        config(confirmed("friday", session_id=first))
        with agent.client() as client, pytest.raises(RefusedError, match=r"commit \d+ of admin waits"):
            client.set(replace={DMZ: switch("dmz")})
        config.edit(0, {DMZ: switch("dmz")})
        code, text = config.refused(pb.CommitRequest())
        assert (code, "of admin waits" in text) == (grpc.StatusCode.FAILED_PRECONDITION, True)
        assert "friday" not in text  # whoever knows the name may confirm
        config(pb.DiscardRequest())
    until(lambda: not config(pb.ListSessionsRequest()).session, "the session is over")
    assert config(pb.ListCommitsRequest()).persist_id == "friday"
    with config.session() as second:
        config(pb.ConfirmRequest(session_id=second, persist_id="friday"))
    agent.stop()
    agent.start()
    with agent.channel() as channel, Config(channel).session() as third:
        assert third > second  # nobody takes it for one of before
    with agent.client() as client:
        assert value(client, LAN) is not None
        client.set(replace={DMZ: switch("dmz")})


def test_the_end_of_its_session_or_of_its_time_takes_it_back(agent: Agent, config: Config) -> None:
    with config.session() as session:
        config.edit(session, {LAN: switch("lan")})
        name = config(confirmed(session_id=session)).persist_id
        assert name == f"session {session}"
    until(lambda: not bridges(agent), "it is taken back with its session")
    config.edit(0, {LAN: switch("lan")})
    config(confirmed("brief", seconds=0.5))
    until(lambda: not bridges(agent), "it is taken back when its time is up")
    sources = [one.source for one in config(pb.ListCommitsRequest(limit=4)).commit]
    assert sources == ["confirm-timeout", "config", "config", "config"]


def test_nobody_cuts_himself_off_by_a_commit_that_is_not_to_be_confirmed(
    agent: Agent, config: Config
) -> None:
    for change in (
        {MANAGEMENT: {"config": {"name": "mgmt0", "mtu": 1400}}},
        {MANAGEMENT: {"config": {"name": "mgmt0", "enabled": False}}},
    ):
        config.edit(0, change)
        code, text = config.refused(pb.CommitRequest())
        assert code is grpc.StatusCode.FAILED_PRECONDITION
        assert "mgmt0 carries the route to" in text
        assert "commit it confirmed" in text
        with agent.client() as client, pytest.raises(RefusedError, match="commit it confirmed"):
            client.set(replace=change)
        assert config(pb.PlanRequest()).refused[0].error_path == MANAGEMENT
        config(pb.DiscardRequest())
    config.edit(0, {MANAGEMENT: {"config": {"name": "mgmt0", "mtu": 1400}}})
    config(confirmed("careful"))
    assert "mtu 1400" in agent.place.ip("link", "show", "mgmt0")
    config(pb.CancelRequest(persist_id="careful"))
    assert "mtu 1500" in agent.place.ip("link", "show", "mgmt0")
    # The one that does cut its author off: he cannot confirm, and has his way back when the time is up.
    config.edit(0, {MANAGEMENT: {"config": {"name": "mgmt0", "enabled": False}}})
    config(confirmed("cut", seconds=2))
    until(lambda: config(pb.ListCommitsRequest()).persist_id == "", "the way is back")
    assert config(pb.ListCommitsRequest(limit=1)).commit[0].source == "confirm-timeout"


@pytest.mark.hypervisor
def test_a_deleted_appliance_is_paused_and_charged_until_the_confirmation(
    place: Place, images: Path, agent: Agent, config: Config
) -> None:
    firewall = appliance("fw1", vnic("eth0", 0, "lan"))
    config.edit(0, {IMAGE: image(images), LAN: switch("lan"), APPLIANCE: firewall})
    config(pb.CommitRequest())
    running = snapshot.take(place, agent.state_dir)
    (pid,) = running.processes.values()
    free = next(one.free for one in config(pb.PlanRequest()).capacity if one.resource == "memory")
    # With what fw1 has it would fit, without it does not.
    large = {"/appliances/appliance[name=fw2]": appliance("fw2", size=free // MIB * MIB)}

    with config.session() as session:
        config.edit(session, {APPLIANCE: None})
        config(confirmed("delete", session_id=session))
        held = snapshot.take(place, agent.state_dir)
        assert list(held.processes.values()) == [pid]
        assert any(line.endswith(" paused") for line in held.lines["guest"])
        aside = [line for line in held.lines["file"] if line.startswith("trash/") and "seed.iso" in line]
        assert [line.rpartition("/")[2] for line in aside] == [
            line.rpartition("/")[2] for line in running.lines["file"] if "seed.iso" in line
        ]
        config.edit(session, large)
        code, text = config.refused(pb.PlanRequest(session_id=session))
        assert (code, "committed 512 MiB" in text) == (grpc.StatusCode.FAILED_PRECONDITION, True), text

        config(pb.CancelRequest(persist_id="delete"))
        back = snapshot.take(place, agent.state_dir)
        assert not back.difference(running)
        assert back.processes == running.processes

        config(pb.DiscardRequest(session_id=session))
        config.edit(session, {APPLIANCE: None})
        config(confirmed("delete", session_id=session))
        config(pb.ConfirmRequest(persist_id="delete"))
        gone = snapshot.take(place, agent.state_dir)
        assert not gone.processes
        assert not gone.lines["guest"]
        assert not [line for line in gone.lines["file"] if "seed.iso" in line]
        config.edit(session, large)
        assert not config(pb.PlanRequest(session_id=session)).refused
