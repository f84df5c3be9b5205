"""What YANG says: the compiled schema table, paths and values judged against it, and the codecs it drives.

The only room that imports the YANG libraries: pyang in `extract.py`, libyang in `context.py` and
`validate.py`. It knows no wire, no kernel and no transaction, and nothing of what a node means: that is the
model's business.
"""
