"""`python -m tests.bench [ROW…]`, from the checkout."""

import runpy
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

sys.path[:0] = [str(REPOSITORY / folder) for folder in ("tests", "agent", "proto", "clients/python")]
runpy.run_module("bench.run", run_name="__main__")
