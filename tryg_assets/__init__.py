"""Tryg Assets: a map of the local safety work of all 98 Danish municipalities, as a Dagster asset graph."""

__version__ = "0.1.0"
