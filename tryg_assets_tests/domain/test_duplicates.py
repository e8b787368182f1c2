"""Near duplicates: the index finds what comparing all with all would find."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.filtering.duplicates import (
    containment,
    jaccard,
    near_duplicate_pairs,
    originals,
    shingles,
)

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=14).map(" ".join)


@st.composite
def similar_texts(draw: st.DrawFn) -> dict[str, str]:
    """Texts of which many differ in a word or two only."""
    start = draw(st.lists(st.integers(0, 30).map(str), min_size=5, max_size=30))
    texts = [" ".join(start)]
    for _ in range(draw(st.integers(1, 6))):
        changed = list(start)
        for position in draw(st.lists(st.integers(0, len(start) - 1), max_size=2)):
            changed[position] = draw(st.sampled_from(["x", "y", ""]))
        texts.append(" ".join(changed))
    return {str(number): text for number, text in enumerate(texts)}


@given(
    similar_texts()
    | st.lists(WORDS, max_size=8).map(lambda texts: {str(n): text for n, text in enumerate(texts)}),
    st.integers(1, 5),
    st.sampled_from([0.1, 0.5, 0.7, 0.8, 0.9, 1.0]),
)
def test_the_pairs_found_are_those_of_comparing_all_with_all(
    texts: dict[str, str], size: int, threshold: float
) -> None:
    sets = {key: shingles(text, size) for key, text in texts.items()}
    alike = {(a, b) for a, b in combinations(sorted(texts), 2) if jaccard(sets[a], sets[b]) >= threshold}
    found = list(near_duplicate_pairs(sets, threshold))
    assert set(found) == alike
    assert len(found) == len(alike), "each pair once"


@pytest.mark.parametrize(
    ("text", "count"), [("", 1), ("en to", 1), ("en to tre", 1), ("en to tre fire", 2), ("en en en en en", 1)]
)
def test_shingles_are_runs_of_words(text: str, count: int) -> None:
    assert len(shingles(text, 3)) == count


def test_case_and_punctuation_are_aside() -> None:
    assert shingles("Tryg by, for alle!", 2) == shingles("tryg BY for - alle", 2)
    assert shingles("tryg by", 5) != shingles("by tryg", 5)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ({1, 2}, {1, 2}, 1.0),
        ({1, 2}, {3}, 0.0),
        ({1, 2, 3}, {2, 3, 4}, 0.5),
        (set(), set(), 1.0),
        (set(), {1}, 0.0),
    ],
)
def test_jaccard(one: set[int], other: set[int], share: float) -> None:
    assert jaccard(frozenset(one), frozenset(other)) == jaccard(frozenset(other), frozenset(one)) == share


@pytest.mark.parametrize(
    ("one", "other", "share"), [({1, 2}, {1, 2, 3, 4}, 1.0), ({1, 2}, {2, 3, 4}, 0.5), (set(), {1}, 1.0)]
)
def test_containment(one: set[int], other: set[int], share: float) -> None:
    assert (
        containment(frozenset(one), frozenset(other))
        == containment(frozenset(other), frozenset(one))
        == share
    )


@pytest.mark.parametrize(
    ("preferred", "pairs", "found"),
    [
        ("abc", ["ab", "bc", "ac"], {"b": "a", "c": "a"}),
        ("abc", ["ab", "bc"], {"b": "a"}),
        ("bac", ["ab", "bc"], {"a": "b", "c": "b"}),
        ("abcd", ["cd"], {"d": "c"}),
        ("ab", [], {}),
    ],
    ids=["all alike", "a chain keeps its other end", "a chain with its middle preferred", "a pair", "none"],
)
def test_a_duplicate_points_to_a_kept_page_that_it_is_like(
    preferred: str, pairs: list[str], found: dict[str, str]
) -> None:
    assert originals(list(preferred), ((one, other) for one, other in pairs)) == found


@given(similar_texts(), st.sampled_from([0.5, 0.8]))
def test_no_page_is_dropped_for_one_that_is_dropped_itself(texts: dict[str, str], threshold: float) -> None:
    sets = {key: shingles(text, 3) for key, text in texts.items()}
    found = originals(sorted(texts), near_duplicate_pairs(sets, threshold))
    assert not set(found.values()) & set(found)
    assert all(jaccard(sets[key], sets[original]) >= threshold for key, original in found.items())
    kept = [key for key in texts if key not in found]
    assert all(jaccard(sets[a], sets[b]) < threshold for a, b in combinations(kept, 2))
