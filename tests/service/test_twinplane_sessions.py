"""Separate commands in one session, and what ends it."""

import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path as File

import pytest

from conformance.target import Target as Served
from service.commanding import Shell
from service.configuring import served
from twinplane_client import ConfigClient, Edit, Target

LAN = "/virtual-switches/virtual-switch[name=lan]"
DESCRIPTION = f"{LAN}/config/description"


@pytest.fixture(scope="module")
def box() -> Iterator[Served]:
    with served() as target:
        yield target


@pytest.fixture
def admin(box: Served) -> Iterator[ConfigClient]:
    """Another client, which leaves nothing behind."""
    with ConfigClient(Target(box.addresses[0], timeout=30)) as client:
        yield client
        for session in client.list_sessions():
            client.kill_session(session.number)
        waiting = client.list_commits().waiting
        if waiting:
            client.confirm(waiting)
        client.edit(Edit("remove", LAN), target="candidate")
        client.commit("candidate")


@pytest.fixture
def shell(box: Served, admin: ConfigClient, tmp_path: File) -> Shell:
    return Shell.at(box, tmp_path)


def kept(shell: Shell) -> File:
    """The file with the secret of the session."""
    (found,) = File(shell.variables["XDG_STATE_HOME"], "twinplane").glob("*.json")
    return found


def test_edit_diff_and_commit_are_separate_commands(shell: Shell, admin: ConfigClient) -> None:
    shell.run("edit", "set", f"{DESCRIPTION}=Office floor 2", f"{LAN}/config/mtu=1400")
    assert admin.get_config(LAN) == ()
    assert shell.run("diff").splitlines() == [
        LAN,
        '+ config/description "Office floor 2"',
        "+ config/mtu 1400",
        '+ config/name "lan"',
    ]
    assert len(admin.list_sessions()) == 1
    assert shell.run("validate") == "valid\n"
    assert "commit " in shell.run("commit", "--comment", "first")
    assert admin.get_config(DESCRIPTION)[0].value == "Office floor 2"
    assert admin.list_commits(limit=1).records[0].comment == "first"
    assert shell.run("diff") == "no changes\n"
    assert "nothing to commit" in shell.run("commit")
    assert len(admin.list_sessions()) == 1


def test_the_secret_is_for_its_owner_alone(shell: Shell) -> None:
    state = File(shell.variables["XDG_STATE_HOME"], "deeper")
    state.mkdir(mode=0o755)
    (state / "twinplane").mkdir(mode=0o777)
    other = shell.having(XDG_STATE_HOME=str(state))
    other.run("diff")
    file = kept(other)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in file.parent.iterdir()} == {0o600}
    assert set(json.loads(file.read_text())) == {"number", "secret"}
    as_somebody = ("--username", "admin", "--password", "admin-secret")
    other.run(*as_somebody, "diff")
    assert len([*file.parent.glob("*.json")]) == 2


def test_a_lock_of_another_is_named(shell: Shell) -> None:
    operator = shell.having(TWINPLANE_USERNAME="operator", TWINPLANE_PASSWORD="operator-secret")
    assert "locked by operator" in operator.run("lock", "running", "--reason", "moving racks")
    shell.run("edit", "set", f"{DESCRIPTION}=mine")
    told = shell.run("commit", code=1)
    assert "running is locked by operator" in told
    assert "moving racks" in told
    assert "  help: wait for the holder" in told
    planned = shell.json("plan", code=1)  # it can be planned for all that
    assert planned["steps"]
    assert "running is locked by operator" in planned["refused"][0]["message"]
    assert "running is locked by operator" in shell.run("lock", code=1)
    listed = shell.run("session", "list")
    assert "running (moving racks)" in listed
    assert "operator" in listed
    operator.run("unlock")
    shell.run("commit")
    operator.run("lock")
    assert "locked by local-admin" in shell.run("lock", "--break", "--expires", "600")
    assert "locked by local-admin" in operator.run("unlock", code=1)


def test_a_session_that_is_gone_is_told_once_with_the_remedy(shell: Shell, admin: ConfigClient) -> None:
    shell.run("edit", "set", f"{DESCRIPTION}=lost")
    (session,) = admin.list_sessions()
    admin.kill_session(session.number)
    told = shell.run("commit", code=4)
    assert told.startswith(f"error: session {session.number} is gone: there is no")
    assert "edit again" in told
    assert shell.run("diff") == "no changes\n"
    shell.run("edit", "set", f"{DESCRIPTION}=found")
    # An agent that was started anew gives the same number to somebody else.
    file = kept(shell)
    file.write_text(json.dumps({**json.loads(file.read_text()), "secret": "of another"}))
    assert "is gone: the secret is not" in shell.run("edit", "set", f"{LAN}/config/mtu=1400", code=4)
    file.write_text("nonsense")
    assert f"{file} holds no session" in shell.run("diff", code=2)


def test_a_session_lingers_as_long_as_was_asked_for(shell: Shell, admin: ConfigClient) -> None:
    shell.run("--linger", "1", "edit", "set", f"{DESCRIPTION}=soon forgotten")
    while admin.list_sessions():
        time.sleep(0.05)
    assert "there is no session" in shell.run("diff", code=4)


def test_without_a_session_there_is_nothing_to_unlock_or_confirm(shell: Shell) -> None:
    for command in (["unlock"], ["confirm"], ["cancel"], ["session", "close"]):
        assert "begins one" in shell.run(*command, code=4)


def test_a_session_is_closed_and_killed(box: Served, shell: Shell, admin: ConfigClient) -> None:
    shell.run("lock")
    (session,) = admin.list_sessions()
    listed = shell.json("session", "list")
    assert (listed["own"], listed["sessions"][0]["number"]) == (session.number, session.number)
    assert shell.run("session", "close") == f"session {session.number} is over\n"
    assert admin.list_sessions() == ()
    with ConfigClient(Target(box.addresses[0])) as other:
        number = str(other.open_session().number)
        assert shell.run("session", "kill", number) == f"session {number} is over\n"
    assert "there is no session" in shell.run("session", "kill", number, code=1)


def test_a_commit_of_the_session_waits_for_it(shell: Shell, admin: ConfigClient) -> None:
    shell.run("edit", "set", f"{DESCRIPTION}=one")
    told = shell.run("commit", "--confirmed", "600")
    assert "taken back in 600 s, unless you run: twinplane confirm\n" in told
    again = shell.run("commit", "--confirmed", "7200")
    assert "in 7200 s, or with its session 3600 s after the last command, unless" in again
    assert shell.run("confirm").startswith("confirmed: commit ")
    shell.run("edit", "set", f"{DESCRIPTION}=two")
    shell.run("commit", "--confirmed", "600")
    assert shell.run("cancel").startswith("taken back by commit ")
    assert admin.get_config(DESCRIPTION)[0].value == "one"
    assert [one.confirmation for one in admin.list_commits(limit=3).records] == [
        "not-asked",
        "taken-back",
        "confirmed",
    ]


def test_a_named_commit_is_confirmed_from_anywhere(shell: Shell, tmp_path: File) -> None:
    elsewhere = shell.having(XDG_STATE_HOME=str(tmp_path / "elsewhere"))
    shell.run("edit", "set", f"{DESCRIPTION}=friday")
    told = shell.run("commit", "--confirmed", "600", "--persist-id", "friday")
    assert "twinplane confirm --persist-id friday" in told
    again = shell.run("commit", "--confirmed", "900", "--persist-id", "friday")
    assert "taken back in 900 s" in again
    assert elsewhere.json("history", "list")["waiting"] == "friday"
    assert "friday" not in elsewhere.run("confirm", "--persist-id", "monday", code=1)
    elsewhere.run("confirm", "--persist-id", "friday")
    assert "--confirmed" in shell.run("commit", "--persist-id", "saturday", code=2)
    # Where the session is gone, whoever knows the name still decides.
    file_gone = shell.having(XDG_STATE_HOME=str(tmp_path / "gone"))
    file_gone.run("edit", "set", f"{DESCRIPTION}=sunday")
    told = file_gone.run("commit", "--confirmed", "600", "--persist-id", "sunday eve")
    assert "run: twinplane confirm --persist-id 'sunday eve'\n" in told
    number = file_gone.json("session", "list")["own"]
    shell.run("session", "kill", str(number))
    file_gone.run("cancel", "--persist-id", "sunday eve")


def test_what_others_committed_is_not_in_the_diff_and_conflicts_are_named(
    shell: Shell, admin: ConfigClient
) -> None:
    shell.run("edit", "set", f"{DESCRIPTION}=mine")
    theirs = Edit("merge", LAN, {"config": {"name": "lan", "description": "theirs", "mtu": 1400}})
    admin.edit(theirs, target="candidate")
    admin.commit("candidate")
    assert "mtu" not in shell.run("diff")
    told = shell.run("commit", code=1)
    assert f"error: {DESCRIPTION}: changed here and since" in told
    conflicts = shell.json("candidate", "rebase", code=1)["conflicts"]
    assert DESCRIPTION in conflicts
    assert shell.run("candidate", "discard") == "discarded\n"
    assert shell.run("diff") == "no changes\n"
    shell.run("edit", "set", f"{DESCRIPTION}=mine")
    assert "on top of commit" in shell.run("candidate", "rebase")
    shell.run("commit")


def test_the_shared_candidate_needs_no_session(shell: Shell, admin: ConfigClient) -> None:
    told = shell.run("edit", "set", "--shared", f"{DESCRIPTION}=ours")
    assert told.startswith("1 edit in the shared candidate, on top of commit ")
    assert admin.list_sessions() == ()
    assert '+ config/description "ours"' in shell.run("diff", "--shared")
    assert shell.run("validate", "--shared") == "valid\n"
    assert "create bridge" in shell.run("plan", "--shared")
    shell.run("commit", "--shared")
    assert admin.get_config(DESCRIPTION)[0].value == "ours"
