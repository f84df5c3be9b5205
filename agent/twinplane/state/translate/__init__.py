"""Facts into leaves, one file per kind; pure.

A translator is a function of what is known (facts, and configuration where a leaf needs it beside them) for
one subject, and gives the whole content of the sections it is responsible for: what it no longer gives is
gone. `registry` says which subjects a fact touches. Knows nothing of time, subscribers or sources.
"""
