"""What data is: immutable trees with structural sharing, and pure functions over them.

Knows no YANG library, no wire and no kernel. Names are bare (without module) and key values canonical:
whoever builds a tree has resolved both against the schema.
"""
