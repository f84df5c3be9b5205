"""What the command `twinplane` reads, changes and tells, for people and for programs."""

import json
import os
import pty
import signal
from collections.abc import Iterator
from pathlib import Path as File

import pytest

from conformance.target import Target as Served
from service.commanding import Shell
from service.configuring import SAMPLE, served
from twinplane_client import ConfigClient, Edit, Target

LAN = "/virtual-switches/virtual-switch[name=lan]"
DESCRIPTION = f"{LAN}/config/description"


@pytest.fixture(scope="module")
def box() -> Iterator[Served]:
    with served() as target:
        yield target


@pytest.fixture
def shell(box: Served, tmp_path: File) -> Iterator[Shell]:
    """A shell at a box with one switch, described as "one"."""
    with ConfigClient(Target(box.addresses[0], timeout=30)) as client:
        config = {"config": {"name": "lan", "description": "one"}}
        client.edit(Edit("remove", SAMPLE), Edit("replace", LAN, config), target="candidate")
        client.commit("candidate")
        yield Shell.at(box, tmp_path)
        for session in client.list_sessions():
            client.kill_session(session.number)
        client.discard("candidate")


def test_get_shows_configuration_and_state(shell: Shell) -> None:
    found = json.loads(shell.run("get", LAN))
    assert found["twinplane-virtual-switch:config"]["description"] == "one"
    assert "twinplane-virtual-switch:state" in found
    assert "twinplane-virtual-switch:state" not in json.loads(shell.run("get", "--config", LAN))
    assert "twinplane-virtual-switch:config" not in json.loads(shell.run("get", "--state", LAN))
    (node,) = shell.json("get", "--source", "running", DESCRIPTION)
    assert (node["path"], node["value"]) == (DESCRIPTION, "one")
    defaults = shell.run("get", "--config", "--with-defaults", "report-all", f"{LAN}/config")
    assert json.loads(defaults)["twinplane-virtual-switch:mtu"] == 1500
    several = shell.run("get", "--config", DESCRIPTION, f"{LAN}/config/name")
    assert several.splitlines() == [DESCRIPTION, '"one"', f"{LAN}/config/name", '"lan"']
    shallow = json.loads(shell.run("get", "--config", "--depth", "1", LAN))
    assert shallow == {"twinplane-virtual-switch:name": "lan"}
    assert shell.json("get", "/virtual-switches/virtual-switch[name=none]") == []
    assert "leave out" in shell.run("get", "--state", "--config", code=2)


def test_xml_is_read_and_written(shell: Shell, tmp_path: File) -> None:
    text = shell.run("get", "--config", LAN, "--encoding", "xml")
    assert "  <config>\n    <name>lan</name>" in text
    file = tmp_path / "lan.xml"
    file.write_text(text.replace(">one<", ">two<"))
    shell.run("edit", "replace", LAN, f"@{file}", "--encoding", "xml")
    assert '+ config/description "two"' in shell.run("diff")
    (node,) = shell.json("candidate", "show", DESCRIPTION, "--encoding", "xml")
    assert "two</description>" in node["text"]


def test_every_operation_of_an_edit(shell: Shell, tmp_path: File) -> None:
    file = tmp_path / "dmz.json"
    file.write_text('{"config": {"name": "dmz"}}')
    dmz = "/virtual-switches/virtual-switch[name=dmz]"
    assert shell.run("edit", "create", dmz, f"@{file}").startswith("1 edit in the private candidate")
    assert "edit 1: " in shell.run("edit", "create", dmz, f"@{file}", code=1)
    shell.run("edit", "merge", f"{dmz}/config", "-", stdin='{"mtu": 1400}')
    shell.run("edit", "replace", f"{dmz}/config", '{"name": "dmz", "description": "a \\"b\\""}')
    shell.run("edit", "delete", DESCRIPTION)
    assert "edit 2: " in shell.run("edit", "delete", dmz, DESCRIPTION, code=1)
    shell.run("edit", "remove", DESCRIPTION, f"{LAN}/config/mtu")
    assert shell.run("diff").splitlines() == [
        dmz,
        '+ config/description "a \\"b\\""',
        '+ config/name "dmz"',
        LAN,
        '- config/description "one"',
    ]
    many = [{"operation": "remove", "path": dmz}, {"operation": "merge", "path": DESCRIPTION, "value": "one"}]
    assert "2 edits" in shell.run("edit", "apply", "-", stdin=json.dumps(many))
    assert shell.run("diff") == "no changes\n"


def test_entries_are_put_where_they_belong(shell: Shell) -> None:
    steps = f"{SAMPLE}/bundle/step"
    shell.run("edit", "insert", f"{steps}[id=3]", '{"id": 3}')
    shell.run("edit", "insert", f"{steps}[id=1]", '{"id": 1}', "--first")
    shell.run("edit", "insert", f"{steps}[id=2]", '{"id": 2}', "--before", f"{steps}[id=3]")
    shell.run("edit", "move", f"{steps}[id=1]", "--after", f"{steps}[id=3]")
    found = shell.json("candidate", "show", steps)
    assert [one["path"].rpartition("=")[2] for one in found] == ["2]", "3]", "1]"]
    assert "one place" in shell.run("edit", "move", f"{steps}[id=1]", "--first", "--last", code=2)


def test_a_candidate_is_loaded_copied_and_judged(shell: Shell, tmp_path: File) -> None:
    file = tmp_path / "all.json"
    file.write_text(shell.run("get", "--config").replace('"one"', '"loaded"'))
    shell.run("candidate", "load", f"@{file}")
    assert '+ config/description "loaded"' in shell.run("diff")
    newest = shell.json("history", "list", "--limit", "1")["records"][0]["number"]
    shell.run("candidate", "copy", str(newest))
    assert shell.run("diff") == "no changes\n"
    shell.run("edit", "merge", "/appliances/appliance[name=a]", '{"config": {"name": "a"}}')
    told = shell.json("validate", code=1)
    assert not told["valid"]
    assert told["errors"][0]["path"] == "/appliances/appliance[name=a]/config/image"
    assert told["errors"][0]["remedy"]
    assert "is mandatory and missing\n  help: set it" in shell.run("commit", code=1)
    tested = shell.run("edit", "remove", "--test", "test-only", "/appliances/appliance[name=a]")
    assert "would be accepted" in tested
    assert not shell.json("validate", code=1)["valid"]


def test_a_diff_is_the_same_for_programs(shell: Shell) -> None:
    shell.run("edit", "set", f"{DESCRIPTION}=two")
    assert shell.run("diff").splitlines() == [LAN, '- config/description "one"', '+ config/description "two"']
    (change,) = shell.json("diff")["changes"]
    assert change == {"path": DESCRIPTION, "kind": "changed", "before": "one", "after": "two"}


def test_a_plan_shows_steps_effects_and_capacity(shell: Shell) -> None:
    assert shell.run("plan") == "no changes\n"
    shell.run("edit", "remove", LAN)
    told = shell.run("plan")
    assert "delete bridge" in told
    assert "AFTERWARDS" in told
    planned = shell.json("plan")
    assert {one["resource"] for one in planned["capacity"]} == {"cpu", "memory"}
    assert planned["effects"][0]["path"] == LAN
    revision = planned["revision"]
    assert f"{revision}" in shell.run("commit", "--expected-revision", str(revision + 1), code=1)
    assert shell.json("commit", "--expected-revision", str(revision))["revision"] == revision + 1


def test_history_is_listed_compared_and_rolled_back(shell: Shell) -> None:
    first = shell.json("history", "list")["records"][0]["number"]
    shell.run("edit", "set", f"{DESCRIPTION}=two")
    shell.run("commit", "-m", "say two\x1b[31m")
    listed = shell.run("history", "list")
    assert listed.split()[0] == "COMMIT"
    assert "say two\\u001b[31m" in listed
    assert "say two" in shell.run("history", "show", str(first + 1))
    difference = [LAN, '- config/description "one"', '+ config/description "two"']
    assert shell.run("history", "compare", str(first), str(first + 1)).splitlines() == difference
    assert shell.run("history", "compare", str(first)).splitlines() == difference
    assert f"commit {first + 2}" in shell.run("rollback", str(first), "--comment", "back")
    assert shell.run("history", "compare", str(first)) == "no changes\n"
    assert '+ config/description "two"' in shell.run("rollback")
    shell.run("edit", "set", f"{DESCRIPTION}=three")
    first_to_third = [LAN, '- config/description "one"', '+ config/description "three"']
    assert shell.run("diff", str(first)).splitlines() == first_to_third
    assert shell.json("diff", str(first))["changes"][0]["before"] == "one"
    assert "99999" in shell.run("diff", "99999", code=1)
    told = shell.run("rollback", "99999", code=1)
    assert "99999" in told


def test_errors_name_path_and_remedy(shell: Shell) -> None:
    told = shell.run("get", "/virtual-switches/virtual-swich", code=1)
    assert told.startswith("error: /virtual-switches/virtual-swich: there is no 'virtual-swich'")
    told = shell.run("edit", "set", f"{LAN}/config/mtu=abc", f"{LAN}/config/colour=red", code=1)
    assert f"error: edit 1: {LAN}/config/mtu: " in told
    assert f"error: edit 2: {LAN}/config/colour: " in told
    assert "in quotes" in shell.run("get", "/a//b", code=2)
    assert "JSON" in shell.run("edit", "merge", LAN, "{", code=2)
    assert "No such file" in shell.run("edit", "merge", LAN, "@/nonexistent", code=2)
    assert "is no list of edits" in shell.run("edit", "apply", "-", stdin="{}", code=2)
    assert "PATH=VALUE" in shell.run("edit", "set", LAN, code=2)
    assert "No such command" in shell.run("nonsense", code=2)


@pytest.mark.parametrize(
    "arguments",
    [
        *(f"commit --confirmed {number}" for number in ("nan", "inf", "1e300", "-5", "0")),
        "commit --expected-revision 99999999999999999999",
        "rollback 99999999999999999999",
        "history show 99999999999999999999",
        "history list --before 99999999999999999999",
        "history compare 1 99999999999999999999",
        "candidate copy 99999999999999999999",
        "get --commit 99999999999999999999",
        "get --depth 99999999999",
        "events replay --after 99999999999999999999",
        "session kill 99999999999999999999",
        "lock --expires inf",
        "gnmi subscribe / --interval inf",
        "--timeout inf session list",
    ],
)
def test_a_number_for_which_there_is_no_room_is_wrong_use(shell: Shell, arguments: str) -> None:
    assert "Invalid value" in shell.run(*arguments.split(), code=2)
    told = shell.run("-o", "json", "get", "/nonsense", code=1)
    error = json.loads(told)["error"]
    assert error["code"] == "INVALID_ARGUMENT"
    assert (error["errors"][0]["path"], error["errors"][0]["tag"]) == ("/nonsense", "unknown-element")


def test_nobody_there(shell: Shell, tmp_path: File) -> None:
    away = shell.having(TWINPLANE_ADDRESS=f"unix:{tmp_path}/none")
    told = away.run("diff", code=3)
    assert told.startswith(f"error: unix:{tmp_path}/none: ")
    assert "  help: is the agent running there?" in told
    assert json.loads(away.run("history", "list", "-o", "json", code=3))["error"]["code"] == "UNAVAILABLE"
    assert "TWINPLANE_ADDRESS" in shell.having(TWINPLANE_ADDRESS="").run("get", code=2)
    tls = shell.having(TWINPLANE_ADDRESS="localhost:1", TWINPLANE_CA="/nowhere/ca.pem")
    assert tls.run("get", code=2) == "error: /nowhere/ca.pem: No such file or directory\n"


def test_over_tls_with_a_certificate_or_a_password(shell: Shell, box: Served) -> None:
    tls = box.folder / "tls"
    files = {"CA": tls / "ca.pem", "CERT": tls / "operator.pem", "KEY": tls / "operator.key"}
    mutual = {f"TWINPLANE_{name}": str(file) for name, file in files.items()}
    operator = shell.having(TWINPLANE_ADDRESS=box.addresses[2], **mutual)
    operator.run("edit", "set", f"{DESCRIPTION}=tls")
    operator.run("commit")
    assert shell.json("history", "list")["records"][0]["author"] == "operator"
    secret = {"TWINPLANE_USERNAME": "read-only", "TWINPLANE_PASSWORD": "wrong"}
    wrong = shell.having(TWINPLANE_ADDRESS=box.addresses[3], TWINPLANE_CA=mutual["TWINPLANE_CA"], **secret)
    assert "  help: give a certificate" in wrong.run("get", DESCRIPTION, code=3)
    untrusted = shell.having(TWINPLANE_ADDRESS=box.addresses[3], TWINPLANE_CA=str(tls / "operator.pem"))
    untrusted.run("get", DESCRIPTION, code=3)


def test_schemas_and_events(shell: Shell) -> None:
    assert "twinplane-system" in shell.run("schema", "list")
    assert "module twinplane-system {" in shell.run("schema", "get", "twinplane-system")
    assert shell.run("schema", "get", "twinplane-system", "--format", "yin").startswith("<?xml")
    assert "nothing" in shell.run("schema", "get", "nothing", code=1)
    lines = shell.run("events", "replay", "--since", "1d", "--kind", "commit", "--below", LAN).splitlines()
    assert "  commit  " in lines[-1]
    last = int(lines[-1].split()[0])
    assert shell.run("events", "replay", "--after", str(last), "--kind", "commit") == ""
    assert "no time" in shell.run("events", "replay", "--since", "yesterday", code=2)
    assert "one of" in shell.run("events", "replay", "--since", "1d", "--after", "1", code=2)


def test_gnmi_as_it_is(shell: Shell) -> None:
    assert "gNMI 0.10.0" in shell.run("gnmi", "capabilities")
    assert shell.run("gnmi", "set", "--update", f'{DESCRIPTION}="gnmi"') == f"update {DESCRIPTION}\n"
    assert f'{DESCRIPTION} "gnmi"' in shell.run("gnmi", "get", DESCRIPTION)
    *_, value, sync = shell.run("gnmi", "subscribe", "--mode", "once", DESCRIPTION).splitlines()
    assert value.endswith('"gnmi"')
    assert sync == "-- in sync --"
    told = shell.run("gnmi", "set", "--update", f"{LAN}/config/mtu=1", "--delete", "/images", code=1)
    assert f"error: edit 2: {LAN}/config/mtu: " in told
    assert "PATH=JSON" in shell.run("gnmi", "set", "--update", LAN, code=2)


def test_a_terminal_gets_colours_and_a_pipe_does_not(shell: Shell) -> None:
    shell.run("edit", "set", f"{DESCRIPTION}=two")
    with shell.process("diff") as piped:
        told, _ = piped.communicate(timeout=60)
    assert told == shell.run("diff")
    terminal, side = pty.openpty()
    with shell.having(TERM="xterm-256color", NO_COLOR="").process("diff", stdout=side) as process:
        os.close(side)
        seen = b""
        while True:
            try:
                seen += os.read(terminal, 4096)
            except OSError:  # the other side is closed (Linux: EIO)
                break
        assert process.wait(60) == 0
    os.close(terminal)
    assert b'\x1b[32m+ config/description "two"\x1b[0m' in seen


def test_ctrl_c_ends_without_a_word(shell: Shell) -> None:
    with shell.process("events", "replay", "--follow", "-o", "json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["sequence"] == 1
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told == ""


def test_a_reader_that_goes_is_no_traceback(shell: Shell) -> None:
    with shell.process("schema", "get", "iana-if-type") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_shells_complete_the_commands(shell: Shell) -> None:
    words = {"_TWINPLANE_COMPLETE": "complete_bash", "COMP_WORDS": "twinplane cand", "COMP_CWORD": "1"}
    with shell.having(**words).process() as process:
        told, _ = process.communicate(timeout=60)
    assert told.split() == ["candidate"]
