"""Blind review: who looks at what."""
