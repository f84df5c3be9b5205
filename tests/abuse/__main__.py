"""`python -m tests.abuse [ATTACK…]`, from the checkout."""

import runpy
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

sys.path[:0] = [str(REPOSITORY / folder) for folder in ("tests", "agent", "proto", "clients/python")]
runpy.run_module("abuse.run", run_name="__main__")
