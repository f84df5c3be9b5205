"""Texts of datastores and odd edits: encodings, defaults, depth, choices, presence, orders, test options."""

import json
from typing import Any
from xml.etree import ElementTree

import grpc
import pytest

from conformance.test_set_operations import SETTINGS, B, S
from service.configuring import Box, edit, path, refusal, run
from twinplane_wire.v1 import config_pb2 as pb

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
FIXTURE = "{urn:twinplane:yang:fixture}"
MERGE, CREATE, REPLACE, DELETE = pb.Edit.MERGE, pb.Edit.CREATE, pb.Edit.REPLACE, pb.Edit.DELETE
REMOVE, INSERT, MOVE = pb.Edit.REMOVE, pb.Edit.INSERT, pb.Edit.MOVE
STEPS = f"{S}/bundle/step"
EVERY_TYPE = {
    "name": "a",
    "int8": -128,
    "int64": "-9223372036854775808",
    "uint64": "18446744073709551615",
    "decimal2": "-1.5",
    "boolean": True,
    "string": " <&>\"'\t\r\n]]> ü \U0001f600 ",
    "enumeration": "TWO",
    "identityref": "twinplane-fixture-types:SQUARE",
    "bits": "first last",
    "binary": "AAEC/w==",
    "empty": [None],
    "union": "word",
    "instance": "/twinplane-fixture:samples/sample[name='a']/config/uint8",
    "words": ["b", "a"],
    "ordered": ["3", "1", "2"],
}
EVERYTHING = {
    "name": "a",
    "config": EVERY_TYPE,
    "bundle": {"left": 1, "inner": {"deep": True}, "step": [{"id": 9, "act": "x"}, {"id": 1}]},
    "pairs": {"pair": [{"number": 1, "shape": "twinplane-fixture-types:CIRCLE", "value": "v"}]},
    "addresses": {"address": [{"ip": "2001:db8::1", "label": "l"}]},
    "queue": {"item": [{"id": 7, "amount": "0.001"}, {"id": "word"}]},
}


async def change(box: Box, *edits: pb.Edit, **fields: Any) -> None:
    await box.admin.call(pb.EditRequest(edit=edits, **fields))


async def got(box: Box, where: str, **fields: Any) -> Any:
    """The JSON of the one node at a path of the shared candidate, None where nothing is; without modules."""
    fields.setdefault("source", pb.CANDIDATE)
    found = await box.admin.text(pb.GetConfigRequest(path=[path(where)], **fields))
    values = [bare(json.loads(one)) for one in found.values()]
    assert len(values) <= 1
    return values[0] if values else None


def bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.rpartition(":")[2]: bare(one) for name, one in value.items()}
    return [bare(one) for one in value] if isinstance(value, list) else value


async def xml(box: Box, where: str, **fields: Any) -> bytes:
    fields.setdefault("source", pb.CANDIDATE)
    found = await box.admin.text(pb.GetConfigRequest(path=[path(where)], encoding=pb.XML, **fields))
    (text,) = found.values()
    return text


async def tags(call: Any) -> list[tuple[str, str]]:
    _, _, errors = await refusal(call)
    return [(one.error_tag, one.error_app_tag) for one in errors]


def test_every_type_goes_through_both_encodings_and_back() -> None:
    async def scenario(box: Box) -> None:
        await change(box, edit(MERGE, S, EVERYTHING))
        assert await got(box, S) == EVERYTHING
        text = await xml(box, S)
        entry = ElementTree.fromstring(text)
        assert entry[0].tag == f"{FIXTURE}name", "keys come first"
        pair = entry.find(f"{FIXTURE}pairs/{FIXTURE}pair")
        assert pair is not None
        assert [one.tag.removeprefix(FIXTURE) for one in pair][:2] == ["number", "shape"]
        assert entry.findtext(f"{FIXTURE}config/{FIXTURE}string") == EVERY_TYPE["string"]
        await change(box, edit(DELETE, S))
        again = pb.Edit(operation=CREATE, path=path(S), value=text)
        await change(box, again, encoding=pb.XML)
        assert await got(box, S) == EVERYTHING
        await box.admin.call(pb.CommitRequest())
        whole = await xml(box, "/", source=pb.RUNNING)
        await box.admin.call(pb.CopyConfigRequest(text=whole, encoding=pb.XML))
        assert not (await box.admin.call(pb.CompareRequest(candidate=pb.CANDIDATE))).change

    run(scenario)


@pytest.mark.parametrize(
    "text",
    [
        "<sample xmlns='urn:twinplane:yang:fixture'><name>a</name><colour/></sample>",
        "<sample xmlns='urn:twinplane:yang:fixture'><name>a</name><name>a</name></sample>",
        "<sample xmlns='urn:other'><name>a</name></sample>",
        "<samples xmlns='urn:twinplane:yang:fixture'/>",
        "<sample xmlns='urn:twinplane:yang:fixture'><name>a</name>",
        "<!DOCTYPE x [<!ENTITY e 'e'>]><sample xmlns='urn:twinplane:yang:fixture'><name>&e;</name></sample>",
        "<sample xmlns='urn:twinplane:yang:fixture'><config><uint8>x</uint8></config></sample>",
        "",
        "{}",
    ],
)
def test_xml_that_is_wrong_is_refused(text: str) -> None:
    async def scenario(box: Box) -> None:
        wrong = pb.Edit(operation=MERGE, path=path(S), value=text.encode())
        code, _, errors = await refusal(change(box, wrong, encoding=pb.XML))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert {one.error_tag for one in errors} == {"invalid-value"}
        assert await got(box, S) is None

    run(scenario)


@pytest.mark.parametrize(
    "text",
    [
        "<sample {fx} xmlns:nc='{base}' nc:operation='delete'><name>a</name></sample>",
        "<sample {fx}><config><uint8 default='true'>1</uint8></config></sample>",
        "<sample {fx}><config><string>a<b/>c</string></config></sample>",
        "<?xml version='1.0' encoding='moon'?><sample {fx}/>",
        "<config xmlns='{base}'><sample {fx}/><samples {fx}/></config>",
    ],
)
def test_what_xml_says_beyond_data_is_refused_and_not_passed_over(text: str) -> None:
    async def scenario(box: Box) -> None:
        value = text.format(fx="xmlns='urn:twinplane:yang:fixture'", base=BASE).encode()
        _, _, errors = await refusal(
            change(box, pb.Edit(operation=MERGE, path=path(S), value=value), encoding=pb.XML)
        )
        assert [(one.error_tag, one.error_path, one.operation) for one in errors] == [("invalid-value", S, 1)]
        assert "cannot be read" in errors[0].error_message
        answer = await box.admin.call(pb.ValidateRequest(text=b"<a/>", encoding=pb.XML))
        assert [one.operation for one in answer.error] == [0]

    run(scenario)


def test_what_is_wrong_in_xml_is_told_as_it_is_in_json() -> None:
    wrong = {
        "uint8": 300,
        "int16": "x",
        "uint64": "-1",
        "decimal2": "1.234",
        "boolean": "maybe",
        "enumeration": "NONE",
        "identityref": "twinplane-fixture:CIRCLE",
        "binary": "?",
        "empty": "e",
        "union": "-",
        "words": ["a", "a"],
        "colour": 1,
        "twinplane-image:name": 1,
    }
    given = {"config": wrong, "bundle": {"step": [{"id": 1, "act": "a", "size": 2}]}, "state": {"uint8": 1}}
    leaves = "".join(
        f"<{name}>{value}</{name}>" for name, value in wrong.items() if name.isalnum() and name != "words"
    )
    text = (
        f"<sample xmlns='urn:twinplane:yang:fixture' xmlns:f='urn:twinplane:yang:fixture'><config>"
        f"{leaves.replace('twinplane-fixture:', 'f:')}<words>a</words><words>a</words>"
        "<name xmlns='urn:twinplane:yang:image'/></config>"
        "<bundle><step><id>1</id><act>a</act><size>2</size></step></bundle><state><uint8>1</uint8></state></sample>"
    )

    async def scenario(box: Box) -> None:
        in_json = await refusal(change(box, edit(MERGE, S, given)))
        in_xml = await refusal(
            change(box, pb.Edit(operation=MERGE, path=path(S), value=text.encode()), encoding=pb.XML)
        )
        assert in_xml == in_json
        assert in_xml[1].endswith(f"; and {len(wrong) + 1} more")

    run(scenario)


def test_a_prefix_means_what_it_means_where_it_stands() -> None:
    async def scenario(box: Box) -> None:
        types = "urn:twinplane:yang:fixture-types"
        text = (
            f"<sample xmlns='urn:twinplane:yang:fixture' xmlns:q='urn:twinplane:yang:fixture'><config>"
            f"<identityref xmlns:q='{types}'>q:CIRCLE</identityref><uint8>1</uint8>"
            "<instance>/q:samples/q:sample[q:name='a']/q:config/q:uint8</instance></config></sample>"
        )
        await change(box, pb.Edit(operation=MERGE, path=path(S), value=text.encode()), encoding=pb.XML)
        found = await got(box, f"{S}/config")
        assert found["identityref"] == "twinplane-fixture-types:CIRCLE"
        assert found["instance"] == EVERY_TYPE["instance"]
        here = "twinplane-fixture"
        full = f"/{here}:samples/{here}:sample[{here}:name='a']/{here}:config/{here}:uint8"
        assert ElementTree.fromstring(await xml(box, f"{S}/config/instance")).text == full

    run(scenario)


@pytest.mark.parametrize("operation", [MERGE, CREATE, REPLACE])
def test_one_case_takes_the_place_of_the_other(operation: "pb.Edit.Operation") -> None:
    async def scenario(box: Box) -> None:
        await change(box, edit(MERGE, f"{SETTINGS}/tcp-port", 8080))
        await change(box, edit(MERGE, f"{SETTINGS}/tcp-options/nodelay", True))
        await change(box, edit(operation, f"{SETTINGS}/file-name", "f"))
        await change(box, edit(operation, f"{SETTINGS}/text-file", "t"))
        assert await got(box, SETTINGS) == {"file-name": "f", "text-file": "t"}
        binary = b"<binary-file xmlns='urn:twinplane:yang:fixture'/>"
        inner = pb.Edit(operation=operation, path=path(f"{SETTINGS}/binary-file"), value=binary)
        await change(box, inner, encoding=pb.XML)
        assert await got(box, SETTINGS) == {"file-name": "f", "binary-file": [None]}
        await change(box, edit(operation, f"{SETTINGS}/tcp-options", {"nodelay": True}))
        assert await got(box, SETTINGS) == {"tcp-options": {"nodelay": True}}

    run(scenario)


def test_presence_means_something_and_empty_containers_do_not() -> None:
    async def scenario(box: Box) -> None:
        marker = f"{SETTINGS}/marker"
        await change(box, edit(CREATE, marker, {}))
        assert await got(box, SETTINGS) == {"marker": {}}
        assert await tags(change(box, edit(CREATE, marker, {}))) == [("data-exists", "")]
        assert b"<marker" in await xml(box, SETTINGS)
        await box.admin.call(pb.CommitRequest())
        for mode in (pb.EXPLICIT, pb.REPORT_ALL, pb.TRIM):
            asked = pb.GetDataRequest(
                path=[path(marker)], with_defaults=mode, content=pb.GetDataRequest.CONFIG
            )
            assert await box.admin.text(asked) == {marker: b"{}"}
            asked.content = pb.GetDataRequest.STATE
            assert await box.admin.text(asked) == {}
        await change(box, edit(DELETE, marker))
        assert await got(box, SETTINGS) is None
        await change(box, edit(MERGE, f"{S}/bundle/inner", {}))
        assert await got(box, S) is None or "bundle" not in await got(box, S)
        needed = change(box, edit(CREATE, f"{SETTINGS}/optional", {}))
        _, _, errors = await refusal(needed)
        assert [one.error_path for one in errors] == [f"{SETTINGS}/optional/needed"]

    run(scenario)


def test_orders_of_the_user_are_kept_and_may_be_changed() -> None:
    async def scenario(box: Box) -> None:
        ordered = f"{S}/config/ordered"
        await change(box, edit(MERGE, ordered, ["3", "1"]))
        await change(box, edit(MERGE, ordered, ["1", "2", "3"]))
        assert await got(box, ordered) == ["1", "2", "3"]
        assert await tags(change(box, edit(CREATE, ordered, ["9"]))) == [("data-exists", "")]

        def step(number: int) -> str:
            return f"{STEPS}[id={number}]"

        await change(box, *(edit(MERGE, step(number), {"id": number}) for number in (2, 1, 3)))
        await box.admin.call(pb.CommitRequest())
        assert [one["id"] for one in (await got(box, f"{S}/bundle"))["step"]] == [2, 1, 3]
        await change(box, edit(MOVE, step(3), insert=pb.Edit.FIRST))
        await change(box, edit(MERGE, step(1), {"act": "merged"}))  # stays where it is
        done = await box.admin.call(pb.CommitRequest())
        assert [one["id"] for one in (await got(box, f"{S}/bundle"))["step"]] == [3, 2, 1]
        told = {str(one.path.elem[-1].name): (one.before, one.after) for one in done.change}
        assert told["step"] == (b'["2","1","3"]', b'["3","2","1"]')
        compared = await box.admin.call(pb.CompareRequest(**{"from": done.revision - 1}))
        assert {one.path.elem[-1].name for one in compared.change} == {"step", "act"}
        back = await box.admin.call(pb.RollbackRequest(number=done.revision - 1))
        assert back.changed
        assert [one["id"] for one in (await got(box, f"{S}/bundle"))["step"]] == [2, 1, 3]

    run(scenario)


def test_places_that_make_no_sense_are_refused() -> None:
    async def scenario(box: Box) -> None:
        first, second = f"{STEPS}[id=1]", f"{STEPS}[id=2]"
        await change(box, edit(MERGE, first, {"id": 1}), edit(MERGE, f"{B}/config/uint8", 1))
        missing, malformed = ("invalid-value", "missing-instance"), ("malformed-message", "")
        before = {"insert": pb.Edit.BEFORE}
        for wanted, tag in (
            (edit(INSERT, first, {"id": 1}), ("data-exists", "")),
            (edit(INSERT, second, {"id": 2}, **before), malformed),
            (edit(INSERT, second, {"id": 2}, point=path(first)), malformed),
            (edit(MERGE, first, {"id": 1}, **before), malformed),
            (edit(MERGE, first, {"id": 1}, point=path(first)), malformed),
            (edit(INSERT, second, {"id": 2}, point=path(f"{STEPS}[id=7]"), **before), missing),
            (edit(INSERT, second, {"id": 2}, point=path(f"{B}/bundle/step[id=1]"), **before), missing),
            (edit(MOVE, first, point=path(first), **before), missing),
            (edit(INSERT, second, {"id": 2}, point=path("/"), **before), missing),
            (edit(INSERT, second, {"id": 2}, point=path(f"{S}/bundle"), **before), missing),
            (edit(MOVE, second), ("data-missing", "")),
            (edit(MOVE, first, {"id": 1}), malformed),
            (edit(INSERT, "/samples/sample[name=n]", {"name": "n"}), ("invalid-value", "")),
            (edit(INSERT, f"{S}/bundle/step", [{"id": 2}]), ("invalid-value", "")),
            (edit(INSERT, f"{S}/bundle/left", 3), ("invalid-value", "")),
            (edit(DELETE, first, {"id": 1}), malformed),
            (pb.Edit(operation=17, path=path(first)), malformed),
            (pb.Edit(path=path(first)), malformed),
        ):
            assert await tags(change(box, wanted)) == [tag], wanted
        assert await got(box, f"{S}/bundle") == {"step": [{"id": 1}]}

    run(scenario)


def test_a_deletion_asks_for_the_node_that_it_names() -> None:
    async def scenario(box: Box) -> None:
        port = "/virtual-switches/virtual-switch[name=lan]/ports/port[interface=eth7]"
        keyed = edit(MERGE, port, {"config": {"interface": "eth7"}})
        await change(box, edit(MERGE, f"{S}/config/uint8", 1), keyed, test_option=pb.EditRequest.SET)
        missing, key = [("data-missing", "")], [("operation-failed", "")]
        await change(box, edit(DELETE, f"{S}/config"), test_option=pb.EditRequest.SET)
        assert await got(box, f"{S}/config") == {"name": "a"}, "which is the key of the entry"
        _, _, errors = await refusal(change(box, edit(DELETE, f"{B}/config")))
        assert [one.error_path for one in errors] == [f"{B}/config"]
        assert await tags(change(box, edit(DELETE, "/samples/sample[name=z]/config"))) == missing
        assert await tags(change(box, edit(DELETE, f"{port}/config"))) == key
        assert await tags(change(box, edit(DELETE, f"{S}/*/uint8"))) == [("malformed-message", "")]
        assert await tags(change(box, edit(DELETE, "/samples/sample[name=*]/bundle"))) == missing
        await change(box, edit(REMOVE, f"{S}/*/uint8"), test_option=pb.EditRequest.SET)

    run(scenario)


def test_all_edits_or_none_and_what_the_test_option_says() -> None:
    async def scenario(box: Box) -> None:
        good, absent = edit(MERGE, f"{S}/config/uint8", 1), edit(DELETE, B)
        assert await tags(change(box, good, absent)) == [("data-missing", "")]
        assert await got(box, S) is None
        twice = change(box, edit(CREATE, B, {"name": "b"}), edit(CREATE, B, {"name": "b"}))
        _, _, errors = await refusal(twice)
        assert [(one.error_tag, one.operation) for one in errors] == [("data-exists", 2)]
        placed = edit(INSERT, f"{STEPS}[id=2]", {"id": 2}, insert=pb.Edit.AFTER, point=path(f"{STEPS}[id=1]"))
        several = change(box, absent, good, edit(CREATE, f"{S}/config/uint8", 2), placed, edit(DELETE, B))
        _, message, errors = await refusal(several)
        assert [(one.error_tag, one.operation) for one in errors] == [
            ("data-missing", 1), ("data-exists", 3), ("invalid-value", 4), ("data-missing", 5),
        ]  # fmt: skip
        assert message.endswith("; and 3 more") and await got(box, S) is None
        bad = edit(MERGE, f"{SETTINGS}/config", {"low": 6, "high": 5})
        for option in (pb.EditRequest.TEST_ONLY, pb.EditRequest.TEST_THEN_SET):
            assert await tags(change(box, bad, test_option=option)) == [("operation-failed", "order")]
            assert await got(box, SETTINGS) is None
        await change(box, good, test_option=pb.EditRequest.TEST_ONLY)
        assert await got(box, S) is None
        await change(box, bad, test_option=pb.EditRequest.SET)
        assert await got(box, f"{SETTINGS}/config") == {"low": 6, "high": 5}
        code, _, errors = await refusal(box.admin.call(pb.CommitRequest()))
        assert code is grpc.StatusCode.INVALID_ARGUMENT and [one.error_app_tag for one in errors] == ["order"]
        assert await tags(change(box, good, test_option=9)) == [("invalid-value", "")]

    run(scenario)


def test_lists_and_the_root_as_a_whole() -> None:
    async def scenario(box: Box) -> None:
        await change(box, edit(MERGE, f"{S}/config/uint8", 1), edit(MERGE, f"{B}/config/uint8", 2))
        assert await tags(change(box, edit(DELETE, f"{S}/name"))) == [("operation-failed", "")]
        await change(box, edit(DELETE, "/samples/sample"))
        assert await got(box, "/samples") is None
        assert await tags(change(box, edit(DELETE, "/samples/sample"))) == [("data-missing", "")]
        await change(box, edit(REMOVE, "/samples/sample"))
        root = {"twinplane-fixture:samples": {"sample": [{"name": "b", "config": {"name": "b"}}]}}
        await change(box, edit(REPLACE, "/", root))
        assert await got(box, "/") == bare(root)

    run(scenario)


def test_with_defaults_in_each_mode_source_and_encoding() -> None:
    async def scenario(box: Box) -> None:
        await change(box, edit(MERGE, f"{SETTINGS}/config", {"enabled": True, "plain": "p", "mask": 5}))
        await change(box, edit(MERGE, f"{SETTINGS}/optional", {"needed": "n", "level": 7}))
        await box.admin.call(pb.CommitRequest())
        explicit = {"enabled": True, "plain": "p", "mask": 5}
        full = {**explicit, "shape": "twinplane-fixture-types:CIRCLE", "tags": ["a", "b"]}
        for source in (pb.RUNNING, pb.CANDIDATE):
            for mode, config, optional in (
                (pb.EXPLICIT, explicit, {"needed": "n", "level": 7}),
                (pb.WITH_DEFAULTS_UNSPECIFIED, explicit, {"needed": "n", "level": 7}),
                (pb.REPORT_ALL, full, {"needed": "n", "level": 7}),
                (pb.TRIM, {"plain": "p", "mask": 5}, {"needed": "n"}),
            ):
                found = await got(box, SETTINGS, source=source, with_defaults=mode)
                assert (found["config"], found["optional"]) == (config, optional), mode
                assert found.get("tcp-port") == (80 if mode == pb.REPORT_ALL else None)
                text = await xml(box, SETTINGS, source=source, with_defaults=mode)
                assert (b"<level>" in text) == ("level" in optional)
        for mode, wanted in ((0, full), (pb.REPORT_ALL, full), (pb.TRIM, {"plain": "p", "mask": 5})):
            request = pb.GetDataRequest(path=[path(f"{SETTINGS}/config")], with_defaults=mode)
            (text,) = (await box.admin.text(request)).values()
            assert bare(json.loads(text)) == wanted
        wrong = box.admin.text(pb.GetConfigRequest(with_defaults=9))
        assert await tags(wrong) == [("invalid-value", "")]

    run(scenario)


def test_depth_and_wildcards_choose_what_is_read() -> None:
    async def scenario(box: Box) -> None:
        await change(box, edit(MERGE, S, EVERYTHING), edit(MERGE, f"{B}/config/uint8", 2))
        assert await got(box, S, depth=1) == {"name": "a"}
        assert await got(box, f"{S}/bundle", depth=1) == {"left": 1}
        assert (await got(box, S, depth=2))["bundle"] == {"left": 1}
        assert await got(box, S, depth=99) == EVERYTHING
        entry = ElementTree.fromstring(await xml(box, S, depth=1))
        assert [one.tag for one in entry] == [f"{FIXTURE}name"]
        wild = pb.GetConfigRequest(path=[path("/samples/sample[name=*]/config/name")], source=pb.CANDIDATE)
        assert await box.admin.text(wild) == {f"{S}/config/name": b'"a"', f"{B}/config/name": b'"b"'}
        both = pb.GetConfigRequest(path=[path(f"{B}/config"), path(f"{S}/queue")], source=pb.CANDIDATE)
        assert list(await box.admin.text(both)) == [f"{B}/config", f"{S}/queue"]
        wrong = pb.GetConfigRequest(path=[path(f"{S}/colour")])
        assert await tags(box.admin.text(wrong)) == [("unknown-element", "")]

    run(scenario)
