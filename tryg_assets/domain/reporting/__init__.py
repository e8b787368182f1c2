"""The report that people read."""
