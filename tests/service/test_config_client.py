"""The blocking client of the configuration service against a real server."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from conformance.target import Target as Served
from service.configuring import SAMPLE, served
from twinplane_client import (
    ConfigClient,
    Confirmed,
    Edit,
    InvalidError,
    NotFoundError,
    PermissionDeniedError,
    RefusedError,
    Target,
    UnavailableError,
    parse_path,
)
from twinplane_client.config import Ended, Event, Gap, LockLost, Replayed

LAN = "/virtual-switches/virtual-switch[name=lan]"
DESCRIPTION = f"{LAN}/config/description"


@pytest.fixture(scope="module")
def box() -> Iterator[Served]:
    with served() as target:
        yield target


@pytest.fixture
def target(box: Served) -> Iterator[Target]:
    target = Target(box.addresses[0], timeout=30)
    yield target
    with ConfigClient(target) as client:
        client.edit(Edit("remove", LAN), Edit("remove", SAMPLE), target="candidate")
        client.commit("candidate")


@pytest.fixture
def config(target: Target) -> Iterator[ConfigClient]:
    with ConfigClient(target) as client:
        yield client


def named(description: str) -> Edit:
    return Edit("merge", LAN, {"name": "lan", "config": {"name": "lan", "description": description}})


def test_a_session_edits_plans_commits_and_rolls_back(config: ConfigClient) -> None:
    opened = config.open_session()
    assert not opened.resumed
    assert opened.secret not in repr(opened), "what a notebook shows or a log keeps is read by others"
    assert config.list_sessions()[-1].number == opened.number
    base = config.edit(named("one"))
    plan = config.plan()
    assert plan.revision == base
    assert [str(one.path) for one in plan.effects] == [LAN]
    assert plan.effects[0].effect == "none"
    assert {one.resource for one in plan.capacity} == {"cpu", "memory"}
    assert not plan.refused
    first = config.commit(comment="first", max_disruption="live")
    assert first.changed
    assert {(one.kind, one.before) for one in first.changes} == {("created", None)}
    assert (parse_path(DESCRIPTION), "one") in {(one.path, one.after) for one in first.changes}
    config.edit(Edit("replace", DESCRIPTION, "two"))
    (change,) = config.compare(candidate="private")
    assert (change.kind, change.before, change.after) == ("changed", "one", "two")
    second = config.commit(expected_revision=first.revision)
    assert config.rollback(first.revision).revision == second.revision + 1
    assert config.get_config(DESCRIPTION)[0].value == "one"
    assert config.get_config(DESCRIPTION, commit=second.revision)[0].value == "two"
    listed = config.list_commits(limit=3)
    assert [one.number for one in listed.records] == [second.revision + 1, second.revision, first.revision]
    record, changes = config.get_commit(second.revision)
    assert (record.author, record.source, record.confirmation) == ("local-admin", "config", "not-asked")
    assert [one.after for one in changes] == ["two"]


def test_after_a_session_comes_another_however_the_first_ended(config: ConfigClient, target: Target) -> None:
    first = config.open_session().number
    config.close_session()
    assert config.session == 0
    second = config.open_session().number
    assert second != first
    with ConfigClient(target) as other:
        other.kill_session(second)
    with pytest.raises(NotFoundError):
        config.plan()
    config.close_session()
    assert config.open_session().number == config.session not in (first, second)


def test_a_session_outlives_its_connection(target: Target, config: ConfigClient) -> None:
    with ConfigClient(target) as before:
        opened = before.open_session(linger=60)
        before.edit(named("kept"))
    with pytest.raises(PermissionDeniedError):
        config.resume_session(opened.number, "guess")
    while True:
        try:
            assert config.resume_session(opened.number, opened.secret) == replace(opened, resumed=True)
        except RefusedError:  # the server has not seen the end of the stream yet
            continue
        break
    assert config.get_config(DESCRIPTION, source="private")[0].value == "kept"
    with pytest.raises(RefusedError, match="has a session already"):
        config.open_session()
    config.close_session()
    with ConfigClient(target) as after, pytest.raises(NotFoundError, match="there is no session"):
        after.resume_session(opened.number, opened.secret)


def test_locks_and_what_becomes_of_them(target: Target, config: ConfigClient) -> None:
    opened = config.open_session()
    lock = config.lock("running", "moving racks", expires_after=600)
    assert (lock.datastore, lock.session, lock.reason) == ("running", opened.number, "moving racks")
    with ConfigClient(target) as other:
        other.open_session()
        with pytest.raises(RefusedError, match=r"locked by local-admin.*moving racks") as refused:
            other.lock("running")
        (error,) = refused.value.errors
        assert (error.type, error.tag, error.path) == ("protocol", "lock-denied", "/")
        assert error.remedy
        other.lock("running", break_held=True)
        events = config.session_events()
        assert next(events) == LockLost("running", "broken by local-admin")
        other.unlock("running")
        other.kill_session(opened.number)
        assert list(events) == [Ended("killed by local-admin")]


def test_errors_name_everything_that_is_wrong(config: ConfigClient) -> None:
    edits = (Edit("merge", f"{LAN}/config/mtu", "x"), Edit("merge", f"{LAN}/config/colour", "red"))
    with pytest.raises(InvalidError) as refused:
        config.edit(*edits)
    assert [one.operation for one in refused.value.errors] == [1, 2]
    assert [one.path for one in refused.value.errors] == [edit.path for edit in edits]
    assert str(refused.value.errors[1]).startswith(f"{LAN}/config/colour: ")
    wrong = "/appliances/appliance[name=a]"
    config.edit(Edit("merge", wrong, {"config": {"name": "a"}}), test_option="set", target="candidate")
    assert {one.path.split("]")[0] for one in config.validate("candidate")} == {
        "/appliances/appliance[name=a"
    }
    config.discard("candidate")
    assert config.validate("candidate") == ()
    assert config.validate(text=b'{"nothing:here": 1}')


def test_a_commit_waits_for_its_confirmation(config: ConfigClient) -> None:
    config.edit(named("friday"), target="candidate")
    waits = config.commit("candidate", confirmed=Confirmed(600, "friday"))
    assert waits.persist_id == config.list_commits().waiting == "friday"
    assert config.confirm("friday") == waits.revision
    config.edit(Edit("replace", DESCRIPTION, "monday"), target="candidate")
    config.commit("candidate", confirmed=Confirmed(persist_id="monday"))
    assert config.cancel("monday") > waits.revision
    assert config.get_config(DESCRIPTION)[0].value == "friday"
    confirmations = [one.confirmation for one in config.list_commits(limit=3).records]
    assert confirmations == ["not-asked", "taken-back", "confirmed"]


def test_reading_with_filters_and_encodings(config: ConfigClient) -> None:
    config.edit(named("kept"), target="candidate")
    config.commit("candidate")
    (found,) = config.get_data(LAN, content="state", depth=2)
    assert found.path == parse_path(LAN)
    assert isinstance(found.value, dict)
    assert "twinplane-virtual-switch:state" in found.value
    (found,) = config.get_config(f"{LAN}/config", encoding="xml", with_defaults="report-all")
    assert found.encoding == "xml"
    assert b"<description>kept</description>" in found.text
    assert config.get_config("/virtual-switches/virtual-switch[name=none]") == ()


def test_candidates_are_copied_and_rebased(target: Target, config: ConfigClient) -> None:
    config.open_session()
    config.edit(named("mine"))
    with ConfigClient(target) as other:
        other.edit(named("theirs"), target="candidate")
        newest = other.commit("candidate").revision
    assert [str(path) for path in config.rebase().conflicts] == [DESCRIPTION]
    assert config.copy_config(source="running") == newest
    config.edit(Edit("replace", DESCRIPTION, "mine"))
    assert config.rebase().base_revision == newest
    assert config.copy_config(commit=newest) == newest
    assert config.compare(candidate="private") == ()


def test_entries_are_put_where_they_belong(config: ConfigClient) -> None:
    steps = f"{SAMPLE}/bundle/step"
    edits = [
        Edit("insert", f"{steps}[id=3]", {"id": 3}),
        Edit("insert", f"{steps}[id=1]", b'{"id": 1}', insert="first"),
        Edit("insert", f"{steps}[id=2]", {"id": 2}, insert="before", point=f"{steps}[id=3]"),
        Edit("move", f"{steps}[id=1]", insert="last"),
    ]
    config.edit(*edits, test_option="set", target="candidate")
    found = config.get_config(steps, source="candidate")
    assert [dict(one.path.elems[-1].keys)["id"] for one in found] == ["2", "3", "1"]
    config.discard("candidate")


def test_schemas_and_events(config: ConfigClient) -> None:
    assert "twinplane-system" in {one.name for one in config.list_schemas().schemas if one.implemented}
    assert "module twinplane-system {" in config.get_schema("twinplane-system")
    assert config.get_schema("twinplane-system", form="yin").startswith("<?xml")
    config.edit(named("event"), target="candidate")
    committed = config.commit("candidate")
    *_, event, end = config.notifications(after_sequence=0, kinds=["commit"], below=[LAN], stop_at_now=True)
    assert end is Replayed.REPLAYED
    assert isinstance(event, Event)
    assert event.time == committed.time
    *_, last = config.notifications(since=event.time + 1, stop_at_now=True)
    assert last is Replayed.REPLAYED
    assert not isinstance(last, Gap)


def test_a_password_over_tls_and_nobody_there(box: Served) -> None:
    tls = box.folder / "tls"
    someone = Target(box.addresses[3], ca=tls / "ca.pem", username="operator", password="operator-secret")
    with ConfigClient(someone) as config:
        config.open_session()
        assert config.list_sessions()[-1].user == "operator"
    with ConfigClient(Target(f"unix:{box.folder}/none")) as config:
        with pytest.raises(UnavailableError):
            config.list_sessions()
        with pytest.raises(UnavailableError):
            config.open_session()
