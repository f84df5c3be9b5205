"""Subscribe with 500 streams: leaf updates per CPU second of the server, one leaf of each of 1,000 vNICs."""

import asyncio

from bench.rows.subscribe import ON_CHANGE, SAMPLE, STATE, Load, main

COUNTER, STATUS = (f"{STATE}/counters/in-octets",), (f"{STATE}/oper-status",)
LOADS = (
    Load("SAMPLE of a counter, 500 subscribers", COUNTER, SAMPLE, 500, 1.0, 3),
    Load("ON_CHANGE of a counter, 500 subscribers", COUNTER, ON_CHANGE, 500, 1.0, 3),
    Load("ON_CHANGE of oper-status, 500 subscribers", STATUS, ON_CHANGE, 500, 1.0, 3, flips=True),
)


if __name__ == "__main__":
    asyncio.run(main(LOADS))
