"""Where facts come from: endless iterators of batches, and bulk polls for what only counts.

A source reads and changes nothing. It knows no model tree, no subscriber and no other source.
"""
