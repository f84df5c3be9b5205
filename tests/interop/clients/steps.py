"""Runs the steps of a client's script, each whatever became of the others, and prints their outcomes."""

import json
import sys
import traceback

FW1 = "appliances/appliance[name=fw1]"
LAN = "virtual-switches/virtual-switch[name=lan]"
SECOND = 10**9


def boxes():
    """The agents of the command line, as dictionaries."""
    found = [json.loads(text) for text in sys.argv[1:]]
    return [{**one, "port": int(one["port"])} for one in found]


def outcome(step, *arguments):
    """ "ok", or how it failed."""
    try:
        step(*arguments)
    except BaseException:
        return traceback.format_exc()
    return "ok"


def told(outcomes):
    """Print them for the test that reads them."""
    print(json.dumps(outcomes))
