"""A clock that ticks by hand and the schema of the product."""

import pathlib

import pytest

from twinplane.clock import Clock
from twinplane.schema.compile import Schemas, load_schema

YANG = pathlib.Path(__file__).parents[3] / "yang"


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Schemas:
    return load_schema(YANG, tmp_path_factory.mktemp("schema"))


@pytest.fixture
def clock() -> Clock:
    return Clock(source=lambda: 1_700_000_000_000_000_000)
