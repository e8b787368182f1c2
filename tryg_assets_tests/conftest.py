"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# Same examples in every run, nothing stored beside the code, and no time limit for one example: runners are shared.
settings.register_profile("tryg", derandomize=True, deadline=None, database=None)
settings.load_profile("tryg")
