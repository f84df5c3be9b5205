"""What aiognmi does with an agent. Runs in an environment of its own; knows nothing of the agent's code.

aiognmi puts the origin into the prefix and into every path, which gNMI (2.7) forbids and targets refuse.
Apart from the step that shows this, no origin is sent here but where it is asked for. It has no method for
Subscribe; what is used there are the messages and the stub that it brings.
"""

import asyncio
import json
import os

from steps import FW1, LAN, SECOND, boxes, outcome, told

BOX, LOCKED = boxes()
os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = BOX["ca"]  # read when grpc is first used

import aiognmi.client  # noqa: E402
from aiognmi import AsyncgNMIClient  # noqa: E402
from aiognmi.proto.gnmi import gnmi_pb2 as pb  # noqa: E402

CONFIG = f"{LAN}/config"
AS_IT_IS = aiognmi.client.create_gnmi_path


def without_origin(path, target=None):
    wire = AS_IT_IS(path, target)
    if ":" not in (path or "").partition("/")[0]:
        wire.ClearField("origin")
    return wire


aiognmi.client.create_gnmi_path = without_origin


def client(**changes):
    options = {
        "host": BOX["host"],
        "port": BOX["port"],
        "username": "",
        "password": "",
        "path_root_cert": BOX["ca"],
        "path_private_key": BOX["key"],
        "path_cert_chain": BOX["certificate"],
        "grpc_options": [("grpc.ssl_target_name_override", BOX["server_name"])],
        **changes,
    }
    return AsyncgNMIClient(**options)


def values(answer):
    assert not answer.failed, answer.result
    found = {}
    for one in answer.result["notifications"]:
        for update in one["updates"]:
            found["/".join(filter(None, (one["prefix"], update["path"])))] = update["val"]
    return found


async def capabilities():
    async with client() as one:
        answer = await one.get_capabilities()
    assert not answer.failed, answer.result
    assert answer.result["gNMI_version"] == "0.10.0"
    assert {"JSON", "JSON_IETF", "PROTO"} == set(answer.result["supported_encodings"])
    assert "twinplane-appliance" in {model["name"] for model in answer.result["supported_models"]}


async def path_styles():
    async with client() as one:
        plain = values(await one.get(paths=[CONFIG]))
        assert plain[CONFIG]["name"] == "lan", plain
        assert values(await one.get(paths=[f"openconfig:{CONFIG}"])) == plain
        assert values(await one.get(prefix=LAN, paths=["config"])) == plain
        assert values(await one.get(paths=[CONFIG], target="x7")) == plain
        wild = values(await one.get(paths=["appliances/appliance[name=*]/state/oper-status"]))
        assert wild == {f"{FW1}/state/oper-status": "RUNNING"}, wild


async def encodings():
    async with client() as one:
        assert values(await one.get(paths=[CONFIG], encoding="json"))[CONFIG]["mtu"] == 1500
        ietf = values(await one.get(paths=[CONFIG], encoding="json_ietf"))[CONFIG]
        assert ietf["twinplane-virtual-switch:mtu"] == 1500, ietf
        # its parser knows no uint_val, so texts only
        name = values(await one.get(paths=[f"{CONFIG}/name"], encoding="proto"))
        assert name == {f"{CONFIG}/name": "lan"}
        refused = await one.get(paths=[CONFIG], encoding="ascii")
        assert refused.failed
        assert "ASCII" in refused.result


async def data_types():
    async with client() as one:
        config, state = [
            values(await one.get(paths=[FW1], data_type=kind))[FW1] for kind in ("CONFIG", "STATE")
        ]
    assert "state" not in config
    assert "config" not in state
    assert state["state"]["oper-status"] == "RUNNING"


async def set_update_replace_delete():
    async with client() as one:

        async def mtu():
            return values(await one.get(paths=[f"{CONFIG}/mtu"]))[f"{CONFIG}/mtu"]

        done = await one.set(update=[{"path": CONFIG, "data": {"mtu": 1400, "description": "by aiognmi"}}])
        assert [each["op"] for each in done.result["update_results"]] == ["UPDATE"]
        assert await mtu() == 1400
        done = await one.set(
            replace=[{"path": CONFIG, "data": {"name": "lan", "mtu": 1410}}], encoding="json_ietf"
        )
        assert not done.failed, done.result
        assert await mtu() == 1410
        done = await one.set(delete=[f"{CONFIG}/mtu"])
        assert [each["op"] for each in done.result["update_results"]] == ["DELETE"]
        assert await mtu() == 1500
        refused = await one.set(update=[{"path": CONFIG, "data": {"mtu": 1}}])
        assert refused.failed
        assert "mtu" in refused.result
        assert await mtu() == 1500


async def commit_confirmed():
    async with client() as one:
        change = [{"path": f"{CONFIG}/description", "data": "for a while"}]
        if not hasattr(aiognmi.client, "_build_commit_extension"):
            return  # an older release
        done = await one.set(update=change, commit_id="a1", commit_rollback_duration=60)
        assert not done.failed, done.result
        blocked = await one.set(update=change)
        assert blocked.failed
        done = await one.set(commit_id="a1", commit_cancel=True)
        assert not done.failed, done.result
        config = values(await one.get(paths=[CONFIG]))[CONFIG]
        assert config.get("description") != "for a while"


def requests(listed, *more):
    async def say():
        yield pb.SubscribeRequest(subscribe=listed)
        for one in more:
            yield one

    return say()


def listed(kind, **entry):
    paths = [AS_IT_IS(f"openconfig:{one}") for one in (CONFIG, f"{FW1}/state")]
    return pb.SubscriptionList(
        mode=kind, encoding=pb.JSON_IETF, subscription=[pb.Subscription(path=path, **entry) for path in paths]
    )


async def until_sync(call):
    found = {}
    async for message in call:
        if message.WhichOneof("response") == "sync_response":
            return found
        take(found, message)
    raise AssertionError("the end, and no sync")


def take(found, message):
    for update in message.update.update:
        elems = (*message.update.prefix.elem, *update.path.elem)
        found["/".join(elem.name for elem in elems)] = json.loads(update.val.json_ietf_val)


MTU = "virtual-switches/virtual-switch/config/mtu"


async def once():
    async with client() as one:
        call = one.stub.Subscribe(requests(listed(pb.SubscriptionList.ONCE)), metadata=one.credentials)
        found = await until_sync(call)
        assert found[MTU] == 1500
        assert found["appliances/appliance/state/oper-status"] == "RUNNING"
        assert [message async for message in call] == []


async def poll():
    async with client() as one:
        polls = [pb.SubscribeRequest(poll=pb.Poll())] * 2
        call = one.stub.Subscribe(
            requests(listed(pb.SubscriptionList.POLL), *polls), metadata=one.credentials
        )
        found = [await until_sync(call) for _ in range(3)]
        assert found[0] == found[1] == found[2]
        assert found[0][MTU] == 1500


async def stream(mode, **entry):
    async with client() as one:
        subscribed = listed(pb.SubscriptionList.STREAM, mode=mode, **entry)
        call = one.stub.Subscribe(requests(subscribed), metadata=one.credentials)
        found = await until_sync(call)
        assert found[MTU] == 1500
        done = await one.set(update=[{"path": CONFIG, "data": {"mtu": 1430}}])
        assert not done.failed, done.result
        try:
            async for message in call:
                take(found, message)
                if found[MTU] == 1430:
                    break
        finally:
            await one.set(delete=[f"{CONFIG}/mtu"])
            call.cancel()


async def origin_twice():
    """As aiognmi sends it: refused, and the message says what to leave out."""
    aiognmi.client.create_gnmi_path = AS_IT_IS
    try:
        async with client() as one:
            answer = await one.get(paths=[CONFIG])
            assert answer.failed
            assert "origin" in answer.result, answer.result
    finally:
        aiognmi.client.create_gnmi_path = without_origin


async def password():
    options = {
        "host": LOCKED["host"],
        "port": LOCKED["port"],
        "path_root_cert": LOCKED["ca"],
        "path_private_key": None,
        "path_cert_chain": None,
    }
    async with client(username=LOCKED["username"], password=LOCKED["password"], **options) as one:
        assert values(await one.get(paths=["system/state/hostname"]))
    async with client(username=LOCKED["username"], password="wrong", **options) as one:
        refused = await one.get(paths=["system/state/hostname"])
        assert refused.failed
        assert "password" in refused.result


def run(step, *arguments, **options):
    return outcome(lambda: asyncio.run(asyncio.wait_for(step(*arguments, **options), 60)))


told(
    {
        "capabilities": run(capabilities),
        "path styles": run(path_styles),
        "encodings": run(encodings),
        "data types": run(data_types),
        "set": run(set_update_replace_delete),
        "commit": run(commit_confirmed),
        "once": run(once),
        "poll": run(poll),
        "on change": run(stream, pb.ON_CHANGE),
        "sample": run(stream, pb.SAMPLE, sample_interval=SECOND // 2),
        "target defined": run(stream, pb.TARGET_DEFINED),
        "origin twice": run(origin_twice),
        "password": run(password),
    }
)
