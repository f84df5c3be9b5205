"""The schemas under test: the product's modules, and the fixture of every kind of node as a second origin."""

import pathlib

import pytest

from twinplane.schema.compile import Schemas, load_schema
from twinplane.schema.table import SchemaTable
from twinplane.schema.validate import Validator

ROOT = pathlib.Path(__file__).parents[3]
YANG = ROOT / "yang"
FIXTURES = ROOT / "tests" / "fixtures" / "yang"


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Schemas:
    return load_schema(YANG, tmp_path_factory.mktemp("schema"), FIXTURES)


@pytest.fixture(scope="session")
def product(schemas: Schemas) -> SchemaTable:
    return schemas.default


@pytest.fixture(scope="session")
def fixture(schemas: Schemas) -> SchemaTable:
    return schemas.table("fixture")


@pytest.fixture(scope="session")
def validator(schemas: Schemas) -> Validator:
    return Validator(schemas)
