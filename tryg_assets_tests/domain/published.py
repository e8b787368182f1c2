"""Codings published with their coefficients: one sequence per coder, ``None`` = not coded."""

from __future__ import annotations

N = None

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C: four coders, twelve units.
KRIPPENDORFF_2011: list[list[int | None]] = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]
