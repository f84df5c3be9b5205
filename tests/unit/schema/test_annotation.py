"""The annotation of a whole configuration, in and out of JSON."""

import base64
import json

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.schema.annotation import LIMIT, MEMBER, NAME, annotated, annotation

TEXT = base64.b64encode(b"\x00intent").decode()


@pytest.mark.parametrize("root", [{}, {"a": 1}])
def test_what_is_put_in_is_found(root: dict[str, int]) -> None:
    data = annotated(json.dumps(root).encode(), TEXT)
    assert json.loads(data) == {MEMBER: {NAME: TEXT}, **root}
    assert annotation(data) == TEXT
    assert annotated(b'{"a":1}', "") == b'{"a":1}'


@pytest.mark.parametrize("data", [b"{}", b'{"a":"@"}', b'["@"]', b'{"@"', b'"@"'])
def test_what_has_none_has_none(data: bytes) -> None:
    assert annotation(data) is None


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({NAME: "*"}, Fault.VALUE),
        ({NAME: None}, Fault.VALUE),
        ({"other": "AA=="}, Fault.VALUE),
        ([], Fault.VALUE),
        ({NAME: base64.b64encode(bytes(LIMIT + 1)).decode()}, Fault.TOO_LARGE),
    ],
)
def test_what_is_no_annotation_is_refused(members: object, fault: Fault) -> None:
    with pytest.raises(RequestError) as caught:
        annotation(json.dumps({MEMBER: members}).encode(), 3)
    (violation,) = caught.value.violations
    assert (violation.fault, violation.operation) == (fault, 3)
