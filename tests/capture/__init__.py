"""Captures: what the sources of a real agent report of a real host, kept as the input of golden cases.

`make capture` runs each story in a network namespace of its own with real devices and real guests, and writes
tests/cases/state/<story>/{running.json,capture/*.json}; `make golden` then writes what they have to become.
"""
