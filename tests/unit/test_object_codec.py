"""Objects as the datastore keeps them."""

import json
from pathlib import Path

import pytest

from twinplane.errors import RequestError
from twinplane.object_codec import ObjectCodec
from twinplane.schema.compile import load_schema
from twinplane.tree.diff import objects
from twinplane_wire.path import parse
from unit.plan.boxes import CASES, tree

CODEC = ObjectCodec(load_schema(Path(__file__).parents[2] / "yang", None))


@pytest.mark.parametrize("case", sorted((CASES / "plan").iterdir()), ids=lambda case: case.name)
def test_every_object_comes_back_as_it_was(case: Path) -> None:
    found = list(objects(tree((case / "candidate.json").read_bytes())))
    for path, entry in found:
        body = CODEC.encode(path, entry)
        assert CODEC.decode(path, body) == entry
        # The file outlives the program: names of modules, 64-bit numbers as text (RFC 7951).
        assert all(":" in name for name in json.loads(body) if name not in ("name", "config"))


def test_what_another_version_wrote_is_refused_with_its_path() -> None:
    path = parse("/virtual-switches/virtual-switch[name=lan]")
    with pytest.raises(RequestError) as caught:
        CODEC.decode(path, b'{"twinplane-virtual-switch:config":{"name":"lan","colour":"red"}}')
    assert str(caught.value.violations[0].path) == f"{path}/config/colour"
