"""Captures of hosts become the operational tree that lies beside them.

`make capture` records them on a real host, `make golden` writes the expected files; review the difference.
"""

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path as File

import pytest

from twinplane.clock import Clock
from twinplane.schema.compile import Schemas
from twinplane.schema.defaults import with_defaults
from twinplane.schema.json_ietf import decode, encode
from twinplane.schema.resolve import resolve
from twinplane.state.facts import Batch
from twinplane.state.operational import POLLED, Operational
from twinplane.tree.diff import diff
from twinplane.tree.node import Container
from twinplane.tree.query import leaves
from twinplane_wire.path import ROOT
from unit.state.capture import read

CASES = sorted((File(__file__).parents[2] / "cases" / "state").iterdir())


def captured(case: File, schemas: Schemas, clock: Clock) -> Operational:
    """The tree after the configuration and every capture of a case."""
    table = schemas.default
    tree = Operational(clock, partial(with_defaults, table))
    running = decode(table, resolve(table, ROOT, write=True), (case / "running.json").read_bytes())
    assert isinstance(running, Container)
    tree.committed(diff(Container(), running).objects, (), clock.now_ns(), 1)
    for file in sorted((case / "capture").iterdir()):
        tree.apply(Batch(file.stem, read(file)))
    return tree


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_capture_becomes_the_expected_tree(case: File, schemas: Schemas, clock: Clock) -> None:
    tree = captured(case, schemas, clock)
    text = json.loads(encode(tree.view, schemas.default.root, ietf=True))
    expected = case / "operational.json"
    if os.environ.get("TWINPLANE_GOLDEN"):
        expected.write_text(json.dumps(text, indent=1, sort_keys=True) + "\n")
    assert text == json.loads(expected.read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_order_of_capture_and_configuration_does_not_matter(
    case: File, schemas: Schemas, clock: Clock
) -> None:
    table = schemas.default
    reversed_tree = Operational(clock, partial(with_defaults, table))
    for file in sorted((case / "capture").iterdir(), reverse=True):
        for fact in read(file):
            reversed_tree.apply(Batch(file.stem, (fact,)))
    running = decode(table, resolve(table, ROOT, write=True), (case / "running.json").read_bytes())
    assert isinstance(running, Container)
    for change in reversed(diff(Container(), running).objects):
        reversed_tree.committed([change], (), clock.now_ns(), 1)
    times = {"last-change", "time-created"}
    assert _values(reversed_tree, times) == _values(captured(case, schemas, clock), times)


def _values(tree: Operational, without: set[str]) -> dict[str, object]:
    return {str(path): value for path, value in leaves(tree.view, ROOT) if path.elems[-1].name not in without}


def test_every_state_leaf_is_given_by_a_case_and_none_beside(schemas: Schemas, clock: Clock) -> None:
    given: set[tuple[str, ...]] = set()
    for case in CASES:
        for path, _ in leaves(captured(case, schemas, clock).view, ROOT):
            given.add(tuple(elem.name for elem in path.elems))
    known = {node.path for node in schemas.default.leaves()}
    state = {node.path for node in schemas.default.leaves() if not node.config and "state" in node.path}
    assert given <= known
    assert state - given == set()


def test_polled_leaves_are_those_without_event_in_the_schema(schemas: Schemas) -> None:
    def silent() -> Iterator[tuple[str, ...]]:
        for node in schemas.default.leaves():
            if not node.config and "state" in node.path and "telemetry-on-change" not in node.extensions:
                yield node.path

    marked = set(silent())
    assert marked == {path for path in marked if any(path[: len(item)] == item for item in POLLED)}
    assert all(any(path[: len(item)] == item for path in marked) for item in POLLED)
