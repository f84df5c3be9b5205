"""What pygnmi does with an agent. Runs in an environment of its own; knows nothing of the agent's code."""

import threading

import grpc
from pygnmi.client import gNMIclient, gNMIException, telemetryParser
from steps import FW1, LAN, SECOND, boxes, outcome, told

BOX, LOCKED = boxes()
MTU = f"/{LAN}/config/mtu"
CONFIG = f"/{LAN}/config"


def client(**changes):
    options = {
        "target": (BOX["host"], BOX["port"]),
        "path_cert": BOX["certificate"],
        "path_key": BOX["key"],
        "path_root": BOX["ca"],
        "override": BOX["server_name"],
        "gnmi_timeout": 20,
        **changes,
    }
    return gNMIclient(**options)


def values(answer):
    """Path → value of a Get."""
    return {
        update["path"]: update["val"] for one in answer["notification"] for update in one.get("update", [])
    }


def seen(messages):
    """Path → value of telemetry."""
    found = {}
    for message in messages:
        prefix = message.get("update", {}).get("prefix") or ""
        for update in message.get("update", {}).get("update", []):
            found[f"{prefix}/{update['path']}".strip("/")] = update["val"]
    return found


def capabilities():
    with client() as one:
        told_by = one.capabilities()
    assert told_by["gnmi_version"] == "0.10.0"
    assert {"json", "json_ietf", "proto"} == set(told_by["supported_encodings"])
    assert "twinplane-appliance" in {model["name"] for model in told_by["supported_models"]}


def path_styles():
    with client() as one:
        styles = (
            CONFIG,
            CONFIG[1:],
            f"openconfig:{CONFIG}",
            f"openconfig:{CONFIG[1:]}",
            f"/{LAN}/twinplane-virtual-switch:config",
        )
        answers = [one.get(path=[style]) for style in styles]
        found = [list(values(answer).values()) for answer in answers]
        assert all(each == found[0] for each in found), found
        assert found[0][0]["name"] == "lan"
        split = one.get(prefix=f"/{LAN}", path=["config"])
        assert list(values(split).values()) == found[0]
        everything = one.get(path=["/"])
        assert "appliances" in str(everything)
        wild = one.get(path=["/appliances/appliance[name=*]/state/oper-status"])
        assert values(wild) == {f"{FW1}/state/oper-status": "RUNNING"}
        labelled = one.get(path=[CONFIG], target="x7")
        assert values(labelled)
        # A module's name in front is an origin to pygnmi, and that origin is not served.
        try:
            one.get(path=[f"openconfig-interfaces:{CONFIG}"])
        except gNMIException as error:
            assert "is not served" in str(error), error
        else:
            raise AssertionError("an unknown origin was answered")


def encodings():
    with client() as one:
        for encoding in ("json", "json_ietf"):
            (value,) = values(one.get(path=[CONFIG], encoding=encoding)).values()
            name = value.get("name", value.get("twinplane-virtual-switch:name"))
            assert name == "lan", value
        leaves = values(one.get(path=[CONFIG], encoding="proto"))
        assert leaves[f"{LAN}/config/mtu"] == 1500, leaves
        (octets,) = values(
            one.get(path=["/interfaces/interface[name=lo]/state/counters/in-octets"], encoding="json_ietf")
        ).values()
        assert str(octets).isdigit()


def data_types():
    with client() as one:
        everything, config, state, operational = (
            next(iter(values(one.get(path=[f"/{FW1}"], datatype=kind)).values()))
            for kind in ("all", "config", "state", "operational")
        )
        assert "config" in config and "state" not in config
        assert "state" in state and "config" not in state
        assert {"config", "state"} <= set(everything)
        assert operational["state"]["oper-status"] == "RUNNING"


def set_update_replace_delete():
    with client() as one:
        done = one.set(update=[(CONFIG, {"mtu": 1400, "description": "by pygnmi"})])
        assert [each["op"] for each in done["response"]] == ["UPDATE"]
        assert values(one.get(path=[MTU])) == {MTU[1:]: 1400}
        one.set(update=[(CONFIG, {"mtu": 1410})], encoding="json_ietf")
        assert values(one.get(path=[f"{CONFIG}/description"])) == {f"{CONFIG[1:]}/description": "by pygnmi"}
        one.set(replace=[(CONFIG, {"name": "lan", "mtu": 1420})])
        (left,) = values(one.get(path=[CONFIG])).values()
        assert "description" not in left
        done = one.set(delete=[MTU], update=[(f"{CONFIG}/description", '"again"')])
        assert [each["op"] for each in done["response"]] == ["DELETE", "UPDATE"]
        assert values(one.get(path=[MTU])) == {MTU[1:]: 1500}
        one.set(delete=["/virtual-switches/virtual-switch[name=nobody]"])
        try:
            one.set(update=[(CONFIG, {"mtu": 1})])
        except gNMIException as error:
            assert "mtu" in str(error), error
        else:
            raise AssertionError("a wrong value was taken")
        assert values(one.get(path=[MTU])) == {MTU[1:]: 1500}


def arbitration():
    with client() as one:
        for low in (5, 6):
            one.set(extension={"master_arbitration": {"election_id": {"high": 1, "low": low}}})
        try:
            one.set(extension={"master_arbitration": {"election_id": {"high": 1, "low": 5}}})
        except gNMIException as error:
            assert "6" in str(error), error
        else:
            raise AssertionError("who lost the election could write")


def listed(kind, **entry):
    return {
        "subscription": [{"path": CONFIG, **entry}, {"path": f"/{FW1}/state", **entry}],
        "mode": kind,
        "encoding": "proto",
    }


def until_sync(answers):
    found = []
    for message in answers:
        parsed = telemetryParser(message)
        if "sync_response" in parsed:
            return found
        found.append(parsed)
    raise AssertionError("the end, and no sync")


def subscribe_once():
    with client() as one:
        answers = one.subscribe(subscribe=listed("once"))
        found = seen(until_sync(answers))
        assert found[f"{FW1}/state/oper-status"] == "RUNNING", found
        assert found[f"{LAN}/config/mtu"] == 1500
        assert list(answers) == [], "ONCE ends by itself"
        once = one.subscribe2(subscribe=listed("once"))
        assert seen([next(once)])


def subscribe_poll():
    with client() as one:
        poll = one.subscribe_poll(subscribe=listed("poll"))
        # Behind by one against a target that sends values without a poll, as the reference server does too.
        first, second = poll.get_update(20), poll.get_update(20)
        for answer in (first, second):
            assert seen([answer])[f"{FW1}/state/oper-status"] == "RUNNING", answer
        poll.close()


def subscribe_stream(mode, **entry):
    with client() as one:
        stream = one.subscribe_stream(subscribe=listed("stream", mode=mode, **entry))
        found = {}
        while not {f"{LAN}/config/mtu", f"{FW1}/state/oper-status"} <= found.keys():
            found |= seen([stream.get_update(20)])
        assert found[f"{LAN}/config/mtu"] == 1500, found
        changed = threading.Timer(0.3, lambda: client().__enter__().set(update=[(CONFIG, {"mtu": 1430})]))
        changed.start()
        try:
            while seen([stream.get_update(20)]).get(f"{LAN}/config/mtu") != 1430:
                pass
        finally:
            changed.join()
            one.set(delete=[MTU])
            stream.close()


def refused_interval():
    with client() as one:
        stream = one.subscribe(subscribe=listed("stream", mode="sample", sample_interval=1))
        try:
            next(stream)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "sample_interval" in error.details()
        else:
            raise AssertionError("one nanosecond was taken")


def tls():
    for wrong in ({"path_root": BOX["certificate"]}, {"override": "elsewhere"}):
        try:
            client(gnmi_timeout=3, **wrong).__enter__()
        except grpc.FutureTimeoutError:
            continue
        raise AssertionError(f"connected with {wrong}")


def password():
    options = {
        "target": (LOCKED["host"], LOCKED["port"]),
        "path_cert": LOCKED["ca"],
        "path_key": None,
        "path_root": None,
    }
    with client(username=LOCKED["username"], password=LOCKED["password"], **options) as one:
        assert values(one.get(path=["/system/state/hostname"]))
    for name, secret in ((LOCKED["username"], "wrong"), ("nobody", LOCKED["password"]), ("", "")):
        try:
            client(username=name, password=secret, **options).__enter__()
        except (gNMIException, grpc.RpcError) as error:
            assert "password" in str(error), error
        else:
            raise AssertionError(f"{name} was let in")


told(
    {
        "capabilities": outcome(capabilities),
        "path styles": outcome(path_styles),
        "encodings": outcome(encodings),
        "data types": outcome(data_types),
        "set": outcome(set_update_replace_delete),
        "arbitration": outcome(arbitration),
        "once": outcome(subscribe_once),
        "poll": outcome(subscribe_poll),
        "on change": outcome(lambda: subscribe_stream("on_change")),
        "sample": outcome(lambda: subscribe_stream("sample", sample_interval=SECOND // 2)),
        "sample suppressed": outcome(
            lambda: subscribe_stream(
                "sample", sample_interval=SECOND // 2, suppress_redundant=True, heartbeat_interval=2 * SECOND
            )
        ),
        "target defined": outcome(lambda: subscribe_stream("target_defined")),
        "refused interval": outcome(refused_interval),
        "tls": outcome(tls),
        "password": outcome(password),
    }
)
