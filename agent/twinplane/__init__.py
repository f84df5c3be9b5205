"""Twinplane: one Linux host as a model-driven network element of many virtual appliances."""

__version__ = "0.1.0"
