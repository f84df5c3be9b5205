"""Which tests may run beside each other, where somebody asks for several processes (pytest-xdist)."""

from pathlib import Path

import pytest

# They work on the host's kernel, its processors or its hypervisor: one at a time.
HOST = frozenset({"e2e", "fault", "fuzz", "hypervisor", "interop", "kernel"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the host share one process."""
    for item in items:
        if Path(item.path).relative_to(Path(__file__).parent).parts[0] in HOST:
            item.add_marker(pytest.mark.xdist_group("host"))
