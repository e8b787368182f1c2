"""The one id function: stable across runs and machines."""

from __future__ import annotations

import hashlib


def stable_id(*parts: str) -> str:
    """Return 16 hex digits that identify ``parts`` (order matters)."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def content_hash(data: bytes | str) -> str:
    """Return the full SHA-256 hex digest of ``data``."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()
