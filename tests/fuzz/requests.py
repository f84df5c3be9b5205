"""Requests as hypothesis draws them: from the descriptors, with words that mean something to a target; and
bytes that were requests before something happened to them."""

import functools
import random
from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from conformance.target import schemas
from conformance.wire import ext, ietf, path, pb, plain
from fuzz.attack import METHODS, Call

REQUESTS: dict[str, type[Message]] = {
    "Capabilities": pb.CapabilityRequest,
    "Get": pb.GetRequest,
    "Set": pb.SetRequest,
    "Subscribe": pb.SubscribeRequest,
}
INTEGERS = (0, 1, 2, 3, 5, 7, 63, 64, 127, 1400, 10**8, 10**9, 2**31 - 1, 2**31, 2**32 - 1)
BIG = (*INTEGERS, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1)
WORDS = (
    *(
        "",
        "*",
        "...",
        "a",
        "lan",
        "name",
        "config",
        "openconfig",
        "fixture",
        "nowhere",
        "true",
        "null",
        "eth7",
    ),
    *("openconfig-interfaces", "twinplane-fixture:samples", "a/b[c=d]", "\\", "]", "=", "../..", "x" * 300),
    *("ü", "\x00", "\x7f", "\u202e", "\U0001f600", "0", "-1", "1e400"),
)
VALUES = (
    *(
        b"",
        b"{}",
        b"[]",
        b"null",
        b"true",
        b"0",
        b"-1",
        b'""',
        b'"x"',
        b"1e999",
        b"NaN",
        b"[null]",
        b'{"":1}',
    ),
    *(b'{"a":{}}', b'{"config":{"mtu":1400}}', b'{"config":{"mtu":"1400"}}', b'{"config":{"config":{}}}'),
    *(b'{"name":"lan","config":{"name":"wan"}}', b'{"config":{"name":"a","string":"x","words":["a","a"]}}'),
    *(b'{"bundle":{"step":[{"id":1},{"id":1}]}}', b'{"twinplane-fixture:samples":{"sample":[]}}'),
    *(b'{"virtual-switches":{"virtual-switch":[{"name":"lan"}]}}', b'{"config":{"mtu":1400,"mtu":9000}}'),
    *(b'{"int64":9223372036854775808,"decimal18":"0.1234567890123456789"}', b"\xff\xfe", b'"\\ud800"'),
    *(b"[" * 2000 + b"]" * 2000, b'{"a":' * 500 + b"1" + b"}" * 500),
)


@functools.cache
def _names() -> tuple[tuple[str, ...], ...]:
    table = schemas().default
    return tuple(node.path for node in table.nodes())


@st.composite
def paths(draw: st.DrawFn) -> pb.Path:
    """Mostly paths of the schema, some of them spoilt."""
    names = draw(st.sampled_from(_names()))
    table = schemas().default
    wire = pb.Path()
    for depth in range(1, len(names) + 1):
        elem = wire.elem.add(name=names[depth - 1])
        node = table.find(names[:depth])
        for key in node.keys if node is not None else ():
            if draw(st.integers(0, 9)):
                elem.key[key] = draw(st.sampled_from(("a", "b", "lan", "eth7", "1", "*", *WORDS)))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 1, 2)))):
        _spoil(wire, draw)
    if not draw(st.integers(0, 7)):
        wire.origin = draw(st.sampled_from(("openconfig", "fixture", "cli", "\x00")))
    if not draw(st.integers(0, 9)):
        wire.target = draw(st.sampled_from(WORDS))
    return wire


def _spoil(wire: pb.Path, draw: st.DrawFn) -> None:
    where = draw(st.integers(0, max(len(wire.elem) - 1, 0)))
    word = draw(st.sampled_from(WORDS))
    match draw(st.integers(0, 5)):
        case 0 if wire.elem:
            del wire.elem[where]
        case 1 if wire.elem:
            wire.elem[where].name = word
        case 2 if wire.elem:
            wire.elem[where].key[word] = draw(st.sampled_from(WORDS))
        case 3:
            wire.elem.add(name=word)
        case 4:
            wire.element.append(word)
        case _ if wire.elem:
            wire.elem.extend([wire.elem[where]] * draw(st.sampled_from((1, 3, 200))))


@functools.cache
def messages(kind: Descriptor, depth: int = 5) -> st.SearchStrategy[Message]:
    """Any message of a type, of fields that may be there or not."""
    if kind.full_name == "gnmi.Path":
        return paths()
    fields = [field for field in kind.fields if depth or field.message_type is None]

    @st.composite
    def build(draw: st.DrawFn) -> Message:
        message: Message = kind._concrete_class()
        some = draw(st.lists(st.sampled_from(fields), max_size=4, unique=True)) if fields else []
        for field in some:
            _fill(message, field, draw, depth)
        return message

    return build()


def _fill(message: Any, field: FieldDescriptor, draw: st.DrawFn, depth: int) -> None:
    if field.is_repeated:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            getattr(message, field.name)[draw(st.sampled_from(WORDS))] = draw(st.sampled_from(WORDS))
            return
        values = draw(st.lists(_value(field, depth), max_size=3))
        getattr(message, field.name).extend(values)
    elif field.message_type is not None:
        getattr(message, field.name).CopyFrom(draw(_value(field, depth)))
    else:
        setattr(message, field.name, draw(_value(field, depth)))


@functools.cache
def _value(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_MESSAGE:
            return messages(field.message_type, depth - 1)
        case FieldDescriptor.CPPTYPE_ENUM:
            return st.sampled_from([*field.enum_type.values_by_number, 77])
        case FieldDescriptor.CPPTYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return st.floats(width=32)
        case FieldDescriptor.CPPTYPE_STRING:
            if field.type == FieldDescriptor.TYPE_BYTES:
                return st.one_of(st.sampled_from(VALUES), st.binary(max_size=20))
            return st.one_of(st.sampled_from(WORDS), st.text(max_size=20))
        case FieldDescriptor.CPPTYPE_INT32:
            return st.sampled_from([number for number in (*INTEGERS, -1, -(2**31)) if number < 2**31])
        case FieldDescriptor.CPPTYPE_UINT32:
            return st.sampled_from(INTEGERS)
        case FieldDescriptor.CPPTYPE_INT64:
            return st.sampled_from([*(number for number in BIG if number < 2**63), -1, -(2**63)])
        case _:
            return st.sampled_from(BIG)


def calls() -> st.SearchStrategy[Call]:
    """A call with messages of its type, now and then of another."""
    return st.sampled_from(METHODS).flatmap(_call)


@st.composite
def streams(draw: st.DrawFn) -> Call:
    """A subscription that makes sense but for its paths, and what may follow it."""
    listed = pb.SubscriptionList(
        mode=draw(st.sampled_from(range(3))),
        encoding=draw(st.sampled_from((pb.JSON, pb.JSON_IETF, pb.PROTO))),
        updates_only=draw(st.booleans()),
        allow_aggregation=draw(st.booleans()),
    )
    for _ in range(draw(st.sampled_from((1, 1, 1, 2)))):
        entry = listed.subscription.add(path=draw(paths()), mode=draw(st.sampled_from(range(3))))
        if entry.mode == pb.SAMPLE:
            entry.sample_interval = draw(st.sampled_from((0, 0, 10**8, 10**9, 1)))
            entry.suppress_redundant = draw(st.booleans())
        entry.heartbeat_interval = draw(st.sampled_from((0, 0, 0, 10**8, 2**63)))
    first = pb.SubscribeRequest(subscribe=listed)
    if not draw(st.integers(0, 3)):
        drawn = draw(st.lists(messages(ext.Extension.DESCRIPTOR), max_size=2))
        first.extension.extend(drawn)  # type: ignore[arg-type]
    count = draw(st.sampled_from((0, 1, 3) if listed.mode == pb.SubscriptionList.POLL else (0, 0, 0, 0, 1)))
    polls = [pb.SubscribeRequest(poll=pb.Poll())] * count
    return Call("Subscribe", tuple(one.SerializeToString() for one in (first, *polls)))


@functools.cache
def _call(method: str) -> st.SearchStrategy[Call]:
    return _any(method) | streams() if method == "Subscribe" else _any(method)


def _any(method: str) -> st.SearchStrategy[Call]:
    own = messages(REQUESTS[method].DESCRIPTOR)
    count = 3 if method == "Subscribe" else 1
    return st.lists(own, min_size=1, max_size=count).map(
        lambda drawn: Call(method, tuple(one.SerializeToString() for one in drawn))
    )


def seeds() -> tuple[Call, ...]:
    """Requests that are right: what others are made of by accident."""
    lan, sample = "/virtual-switches/virtual-switch[name=lan]", "/samples/sample[name=a]"
    value = ietf({"config": {"name": "a", "string": "y", "uint8": 7, "words": ["one", "two"]}})
    scalar = pb.Update(path=path(f"{sample}/config/uint64"), val=pb.TypedValue(uint_val=2**64 - 1))
    listed = [
        pb.Subscription(path=path(lan), mode=pb.ON_CHANGE, heartbeat_interval=10**9),
        pb.Subscription(path=path("/interfaces/*/state"), mode=pb.SAMPLE, suppress_redundant=True),
        pb.Subscription(path=path("/.../mtu")),
    ]
    models = [pb.ModelData(name="twinplane-fixture")]
    gets = [
        pb.GetRequest(path=[path("/")], encoding=encoding, type=kind)
        for encoding in (pb.JSON, pb.JSON_IETF, pb.PROTO)
        for kind in range(4)
    ]
    sets = [
        pb.SetRequest(update=[pb.Update(path=path(sample), val=value), scalar]),
        pb.SetRequest(
            replace=[pb.Update(path=path(f"{lan}/config"), val=plain({"name": "lan", "mtu": 1450}))]
        ),
        pb.SetRequest(delete=[path("/samples/sample[name=*]"), path("/nowhere")]),
        pb.SetRequest(prefix=path("/samples", target="t"), delete=[path("sample[name=b]/config/int8")]),
        pb.SetRequest(union_replace=[pb.Update(path=path("/"), val=ietf({}))]),
    ]
    streams = [
        pb.SubscriptionList(subscription=listed, mode=mode, encoding=pb.PROTO, use_models=models)
        for mode in range(3)
    ]
    return (
        Call("Capabilities", (pb.CapabilityRequest().SerializeToString(),)),
        *(Call("Get", (one.SerializeToString(),)) for one in gets),
        *(Call("Set", (one.SerializeToString(),)) for one in sets),
        *(Call("Subscribe", (pb.SubscribeRequest(subscribe=one).SerializeToString(),)) for one in streams),
    )


def mutated(chance: random.Random, known: Sequence[Call]) -> Call:
    """A call whose bytes are those of others after an accident or several."""
    method = chance.choice(METHODS[1:])
    call = chance.choice([one for one in known if one.method == method])
    messages = [bytearray(one) for one in call.messages]
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        _mutate(chance, chance.choice(messages), known)
    if call.method == "Subscribe" and chance.random() < 0.2:
        messages += [
            bytearray(chance.choice(chance.choice(known).messages)) for _ in range(chance.choice((1, 2)))
        ]
    return Call(call.method, tuple(bytes(one) for one in messages))


def _mutate(chance: random.Random, data: bytearray, known: Sequence[Call]) -> None:
    at = chance.randrange(len(data) + 1)
    match chance.randrange(7):
        case 0 if data:
            data[min(at, len(data) - 1)] ^= 1 << chance.randrange(8)
        case 1 if data:
            data[min(at, len(data) - 1)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, ord("*"), ord(".")))
        case 2:
            del data[at : at + chance.choice((1, 2, 8, 64))]
        case 3:
            data[at:at] = chance.randbytes(chance.choice((1, 2, 8)))
        case 4:
            other = chance.choice(chance.choice(known).messages)
            start = chance.randrange(len(other) + 1)
            data[at:at] = other[start : start + chance.choice((4, 16, 64))]
        case 5:
            data[at:at] = data[at : at + 32] * chance.choice((1, 2, 50))
        case _:
            data[at:] = chance.randbytes(chance.choice((0, 4, 32)))
