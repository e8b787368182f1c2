"""The words of ``data/privacy.yml``: what tells personal data from other numbers and names."""

from __future__ import annotations

import functools

from pydantic import BaseModel, ConfigDict

from tryg_assets import paths
from tryg_assets.domain.reference import read_typed


class Privacy(BaseModel):
    """The lists of the file, see its comments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phone_words: tuple[str, ...]
    other_words: tuple[str, ...]
    amount_words: tuple[str, ...]
    cpr_words: tuple[str, ...]
    given_names_also_words: frozenset[str]
    surname_endings: tuple[str, ...]
    surnames: frozenset[str]
    title_endings: tuple[str, ...]
    person_joiners: frozenset[str]
    no_person_endings: tuple[str, ...]


@functools.cache
def privacy() -> Privacy:
    """Return the words of ``data/privacy.yml``.

    Raises:
        DataFileError: a list is missing or is none.
    """
    return read_typed(paths.DATA / "privacy.yml", Privacy)
