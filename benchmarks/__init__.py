"""Measurements against the sample's truth and against peers, on the same work in one run: ``make bench``."""
