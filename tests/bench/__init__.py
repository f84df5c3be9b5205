"""Ratios against floors: every number here is divided by what the machine does at best, in the same run.

Each row runs in processes of its own; the product and its floor take turns, call by call or second by second,
so that whatever else the machine does falls on both. Nothing here is collected as a test, for a ratio is not
a verdict: `make bench` prints them beside what they should be and writes build/bench.json.
"""
