"""The Go client of openconfig/gnmi against an agent with a running appliance."""

import os
import pty
import re
from pathlib import Path

import pytest
from google.protobuf import text_format

from e2e.agent import Agent
from e2e.documents import APPLIANCE
from interop.box import LAN, Credentials, Running, output
from interop.install import GNMI_CLI, go_program
from twinplane_wire.gnmi import gnmi_pb2 as pb
from twinplane_wire.path import parse
from twinplane_wire.value import python

pytestmark = [pytest.mark.interop, pytest.mark.timeout(1200)]

CONFIG = f"{LAN}/config"
STATUS = f"{APPLIANCE}/state/oper-status"


@pytest.fixture(scope="module")
def cli(box: Credentials) -> tuple[str | Path, ...]:
    """gnmi_cli with the administrator's certificate."""
    return (
        go_program(GNMI_CLI),
        *("-address", box.address, "-server_name", box.server_name, "-timeout", "20s"),
        *("-ca_crt", box.ca, "-client_crt", box.certificate, "-client_key", box.key),
    )


def wire(text: str, origin: str = "") -> pb.Path:
    elems = [pb.PathElem(name=elem.name, key=dict(elem.keys)) for elem in parse(text).elems]
    return pb.Path(origin=origin, elem=elems)


def told(message: object) -> str:
    """A message as the text that goes on the command line."""
    return text_format.MessageToString(message, as_one_line=True)  # type: ignore[arg-type]


def get(cli: tuple[str | Path, ...], request: pb.GetRequest) -> pb.GetResponse:
    return text_format.Parse(output(*cli, "-get", "-proto", told(request)), pb.GetResponse())


def write(cli: tuple[str | Path, ...], request: pb.SetRequest) -> pb.SetResponse:
    return text_format.Parse(output(*cli, "-set", "-proto", told(request)), pb.SetResponse())


def value(cli: tuple[str | Path, ...], where: str) -> object:
    ((update,),) = [one.update for one in get(cli, pb.GetRequest(path=[wire(where)])).notification]
    return python(update.val)


def test_capabilities(cli: tuple[str | Path, ...]) -> None:
    answer = text_format.Parse(output(*cli, "-capabilities"), pb.CapabilityResponse())
    assert answer.gNMI_version == "0.10.0"
    assert set(answer.supported_encodings) == {pb.JSON, pb.JSON_IETF, pb.PROTO}
    assert "twinplane-appliance" in {model.name for model in answer.supported_models}


@pytest.mark.parametrize(
    ("encoding", "field"), [(pb.JSON, "json_val"), (pb.JSON_IETF, "json_ietf_val"), (pb.PROTO, "uint_val")]
)
def test_get_in_every_encoding(cli: tuple[str | Path, ...], encoding: int, field: str) -> None:
    answer = get(cli, pb.GetRequest(path=[wire(f"{CONFIG}/mtu")], encoding=encoding))  # type: ignore[arg-type]
    ((update,),) = [one.update for one in answer.notification]
    assert update.val.WhichOneof("value") == field
    assert python(update.val) == 1500


def test_get_by_every_style_of_path(cli: tuple[str | Path, ...]) -> None:
    plain = wire(f"{CONFIG}/mtu")
    for request in (
        pb.GetRequest(path=[plain]),
        pb.GetRequest(path=[wire(f"{CONFIG}/mtu", "openconfig")]),
        pb.GetRequest(prefix=pb.Path(elem=plain.elem[:2], target="x7"), path=[pb.Path(elem=plain.elem[2:])]),
        pb.GetRequest(
            path=[wire("/twinplane-virtual-switch:virtual-switches/virtual-switch[name=lan]/config/mtu")]
        ),
        pb.GetRequest(path=[wire("/virtual-switches/virtual-switch[name=*]/config/mtu")]),
        pb.GetRequest(path=[wire("/.../config/mtu")]),
    ):
        (notification,) = get(cli, request).notification
        assert 1500 in [python(update.val) for update in notification.update], request
    (status,) = get(cli, pb.GetRequest(path=[wire("/appliances/*/state/oper-status")])).notification
    assert [python(update.val) for update in status.update] == ["RUNNING"]


def test_errors_are_shown(cli: tuple[str | Path, ...]) -> None:
    for request, words in (
        (pb.GetRequest(path=[wire("/nowhere")]), ("InvalidArgument", "nowhere")),
        (pb.GetRequest(path=[wire("/appliances/appliance[name=no]")]), ("NotFound", "name=no")),
        (pb.GetRequest(path=[wire("/", "elsewhere")]), ("Unimplemented", "elsewhere")),
        (pb.GetRequest(path=[wire("/")], encoding=pb.BYTES), ("Unimplemented", "BYTES")),
    ):
        said = output(*cli, "-get", "-proto", told(request), fails=True)
        assert all(word in said for word in words), said


def test_set_update_replace_delete(cli: tuple[str | Path, ...]) -> None:
    def update(where: str, text: bytes) -> pb.Update:
        return pb.Update(path=wire(where), val=pb.TypedValue(json_ietf_val=text))

    answer = write(cli, pb.SetRequest(update=[update(CONFIG, b'{"mtu":1400,"description":"by gnmi_cli"}')]))
    assert [one.op for one in answer.response] == [pb.UpdateResult.UPDATE]
    assert value(cli, f"{CONFIG}/mtu") == 1400
    scalar = pb.Update(path=wire(f"{CONFIG}/mtu"), val=pb.TypedValue(uint_val=1410))
    write(cli, pb.SetRequest(update=[scalar]))
    assert value(cli, f"{CONFIG}/mtu") == 1410
    write(cli, pb.SetRequest(replace=[update(CONFIG, b'{"name":"lan","mtu":1420}')]))
    assert "description" not in str(value(cli, CONFIG))
    mixed = pb.SetRequest(
        delete=[wire(f"{CONFIG}/mtu")], update=[update(f"{CONFIG}/description", b'"again"')]
    )
    assert [one.op for one in write(cli, mixed).response] == [pb.UpdateResult.DELETE, pb.UpdateResult.UPDATE]
    assert value(cli, f"{CONFIG}/mtu") == 1500
    bad = pb.SetRequest(update=[update(f"{CONFIG}/mtu", b"1")])
    assert "InvalidArgument" in output(*cli, "-set", "-proto", told(bad), fails=True)
    assert value(cli, f"{CONFIG}/mtu") == 1500


def test_subscribe_once(cli: tuple[str | Path, ...]) -> None:
    said = output(*cli, "-query_type", "once", "-display_type", "single", "-query", f"{CONFIG},{STATUS}")
    assert re.search(r"lan/config/mtu, .*\b1500\b", said), said
    assert re.search(r"fw1/state/oper-status, .*\bRUNNING\b", said), said


def subscription(mode: int, kind: int = pb.TARGET_DEFINED, **fields: int) -> str:
    entries = [
        pb.Subscription(path=wire(where), mode=kind, **fields)  # type: ignore[arg-type]
        for where in (CONFIG, f"{APPLIANCE}/state")
    ]
    listed = pb.SubscriptionList(
        prefix=pb.Path(target="x7"), mode=mode, subscription=entries, encoding=pb.PROTO
    )  # type: ignore[arg-type]
    return told(pb.SubscribeRequest(subscribe=listed))


def test_poll(cli: tuple[str | Path, ...]) -> None:
    options = ("-polling_interval", "1s", "-count", "3", "-display_type", "group")
    said = output(*cli, *options, "-proto", subscription(pb.SubscriptionList.POLL))
    assert said.count("RUNNING") >= 3


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (pb.ON_CHANGE, {}),
        (pb.ON_CHANGE, {"heartbeat_interval": 10**9}),
        (pb.SAMPLE, {"sample_interval": 5 * 10**8}),
        (pb.SAMPLE, {"sample_interval": 5 * 10**8, "suppress_redundant": 1}),
        (pb.TARGET_DEFINED, {}),
    ],
    ids=["on-change", "heartbeat", "sample", "suppressed", "target-defined"],
)
def test_streams_of_every_mode(
    cli: tuple[str | Path, ...], agent: Agent, kind: int, fields: dict[str, int]
) -> None:
    asked = subscription(pb.SubscriptionList.STREAM, kind, **fields)
    with Running(*cli, "-display_type", "proto", "-proto", asked) as client, agent.client() as other:
        client.until("RUNNING")
        for mtu in (1430, 1440):
            other.set(update={f"{CONFIG}/mtu": mtu})
            client.until(str(mtu))
        other.set(delete=[f"{CONFIG}/mtu"])
        client.until("1500")


def test_tls(cli: tuple[str | Path, ...], box: Credentials) -> None:
    program, *_ = cli
    ask = ("-capabilities", "-address", box.address, "-timeout", "5s")
    for wrong in (
        ("-server_name", box.server_name, "-ca_crt", box.ca),  # no certificate of a client
        (
            "-server_name",
            "elsewhere",
            "-ca_crt",
            box.ca,
            "-client_crt",
            box.certificate,
            "-client_key",
            box.key,
        ),
        (
            "-server_name",
            box.server_name,
            "-client_crt",
            box.certificate,
            "-client_key",
            box.key,
        ),  # unknown CA
        ("-insecure",),
    ):
        output(program, *ask, *wrong, fails=True)


@pytest.mark.parametrize(("password", "served"), [("right", True), ("wrong", False)])
def test_password(cli: tuple[str | Path, ...], locked: Credentials, password: str, served: bool) -> None:
    """The client asks for them on a terminal."""
    typed = f"{locked.username}\n{locked.password if served else password}\n"
    ours, theirs = pty.openpty()
    pid = os.fork()
    if not pid:
        os.close(ours)
        os.setsid()
        for number in range(3):
            os.dup2(theirs, number)
        request = told(pb.GetRequest(path=[wire("/system/state/hostname")]))
        options = ["-with_user_pass", "-with_per_rpc_auth", "-ca_crt", str(locked.ca)]
        more = ["-server_name", locked.server_name, "-address", locked.address, "-get", "-proto", request]
        os.execv(cli[0], [str(cli[0]), *options, *more])
    os.close(theirs)
    said = b""
    for line in typed.splitlines():
        while not said.rstrip().endswith(b":"):
            said += os.read(ours, 4096)
        said = b""
        os.write(ours, line.encode() + b"\n")
    try:
        while block := os.read(ours, 4096):
            said += block
    except OSError:  # its end, on a pseudo-terminal
        pass
    os.close(ours)
    _, status = os.waitpid(pid, 0)
    assert (status == 0) is served, said
    assert (b"json_val" in said) is served
    assert served or b"Unauthenticated" in said
