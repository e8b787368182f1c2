"""The offline engine: a transparent linear score over signals that stand in sentences. No network, no model, no chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace

from tryg_assets.domain.coding.attributes import amounts, stated
from tryg_assets.domain.coding.codebook import Codebook, codebook
from tryg_assets.domain.coding.interface import ActorMention, Decision, NamedInitiative, Page, PageCoding
from tryg_assets.domain.coding.naming import Name, best_name, listed_names, section_names
from tryg_assets.domain.coding.reading import Line, Reading, read
from tryg_assets.domain.coding.statistics import INITIATIVE, page_statistics, sentence_statistics
from tryg_assets.domain.coding.topics import assign, weigh
from tryg_assets.domain.reference import CRITERIA

_QUOTE_LENGTH = 200
_SAID = 4
_REMAINDER = 0.35
_MUCH = 0.2  # share of sentences about safety that counts in full
_LITTLE = 0.1  # less than this in a long document: it is about something else
_LONG = 40  # sentences
_SHORT = 6  # sentences; a share of fewer says little
_FAR = 0.3  # share of sentences about the state, parties or the whole country that counts in full
_OPENING = 8  # sentences that tell what kind of page it is
_NEAR = 4  # sentences from one with a safety word that belong to what it says


class OfflineRules:
    """The rules of ``data/codebook`` as a coder. Same page and codebook, same answer."""

    engine = "offline-rules"
    label = "Regelbaseret, ikke AI"

    def __init__(self, book: Codebook | None = None) -> None:
        self.book = book or codebook()
        self.codebook_hash = self.book.hash

    def ready(self) -> None:
        """Nothing more is needed."""

    def prepare(self, pages: Sequence[Page]) -> None:
        """Nothing: a page is coded from itself."""

    def prepare_actors(self, pages: Sequence[Page]) -> None:
        """Nothing: a page is coded from itself."""

    def account(self) -> dict[str, str | int | float]:
        """Nothing is asked or spent."""
        return {}

    def code(self, page: Page) -> PageCoding:
        """Decide whether the page describes an initiative, with evidence; name and classify what it describes."""
        rules = self.book.relevance
        reading = read(page, rules)
        name = best_name(reading, page.municipality, self.book.attributes)
        values = self.signals(reading)
        score = self.score(values)
        limits = rules.thresholds
        kind = self._kind(reading, name)
        evidence = self._evidence(reading, name)
        decision: Decision = "no"
        if kind is not None and score >= limits.doubt:
            # Without a sentence to quote there is no yes.
            decision = "yes" if score >= limits.yes and evidence else "doubt"
        distance = abs(score - limits.yes)
        coding = PageCoding(
            is_initiative=decision,
            criterion=kind if decision == "yes" else None,
            confidence=round(1 / (1 + math.exp(-distance)), 3),
            # A high score that a rule overrides is nothing to be confident of.
            confident=distance >= limits.confident and (decision == "yes") == (score >= limits.yes),
            evidence_ids=tuple(line.number for line in evidence),
            quote=_quote(evidence[0].text) if evidence else None,
            rationale=self._rationale(decision, values, score),
        )
        return self._describe(reading, name, kind, coding) if decision == "yes" and kind else coding

    def actors(self, page: Page, sentence_ids: tuple[int, ...] = ()) -> list[ActorMention]:
        """Find and place the actors named in these sentences (all sentences if none are given)."""
        from tryg_assets.domain.actors.find import find_actors

        return find_actors(page, sentence_ids)

    def signals(self, reading: Reading) -> dict[str, float]:
        """Return the value of each signal of ``relevance.yml`` on a page."""
        attributes = self.book.attributes
        plain = [line for line in reading.lines if not line.heading]
        central = [line for line in reading.lines if line.central]
        # What a long document says elsewhere about money and decisions has nothing to do with safety.
        about = _around(central, reading, _NEAR) or ([reading.title] if reading.title.central else [])
        near = _around(central, reading, 1)
        terms: dict[str, set[str]] = {}
        for line in (reading.title, *about):
            for label, found in line.labels.items():
                terms.setdefault(label, set()).update(found)
        share = len(central) / max(_SHORT, len(plain))
        deliberate = [line for line in reading.all if line.deliberate]
        acting = [line for line in deliberate if _acted_on(line, reading)]
        return {
            "headings": float(any(line.heading for line in central)),
            "share": min(1.0, share / _MUCH),
            "acting": float(len(acting)),
            "afar": min(1.0, sum(line.afar for line in reading.all) / max(_SHORT, len(reading.all)) / _FAR),
            "talk": 10 * sum("talk" in line.labels for line in reading.all) / max(10, len(reading.all)),
            "plan": float(bool(reading.title.labels.get("plan")) and bool(central)),
            "near": float(any("activity" in line.labels for line in near)),
            "decided": float(len(terms.get("decided", ()))),
            "activity": float(len(terms.get("activity", ()))),
            "passing": float(not any(line.central for line in reading.all)),
            "money": float(any(amounts(line.text, attributes) for line in about)),
            "followup": float(len(terms.get("followup", ()))),
            "responsible": float(any(attributes.departments.search(line.text) for line in about)),
            "service": 2.0 * ("service" in reading.title.labels)
            + 10 * sum("service" in line.labels for line in plain) / max(10, len(plain)),
            "wording": page_statistics().logits(*wording(reading))[INITIATIVE],
            "sentences": _said_of_safety(reading),
            "thin": max(0.0, 1 - share / _LITTLE) if len(plain) > _LONG else 0.0,
        }

    def score(self, values: dict[str, float]) -> float:
        """Return the weighted sum of signal values, each up to its most."""
        return sum(self._parts(values).values())

    def _parts(self, values: dict[str, float]) -> dict[str, float]:
        return {name: signal.part(values[name]) for name, signal in self.book.relevance.signals.items()}

    def _kind(self, reading: Reading, name: Name) -> str | None:
        """Return the criterion that the activity words point to, those of the name and title most.

        Without any, a page that says something is decided or done, or tells it as news, tells of a decided activity;
        else ``None``.
        """
        points: dict[str, float] = {}
        for line in reading.all:
            weight = 4.0 if line.number == 0 else 1.5 if line.heading or line.central else 1.0
            for kind in self.book.kinds.labels_in(line.folded, line.words):
                points[kind] = points.get(kind, 0.0) + weight + 2.0 * (name.text in line.text)
        # The last criterion is what remains, and its words are the commonest by far.
        if CRITERIA[-1] in points:
            points[CRITERIA[-1]] *= _REMAINDER
        if points:
            return min(points, key=lambda kind: (-points[kind], CRITERIA.index(kind)))
        done = any("decided" in line.labels or "told" in line.labels for line in reading.all)
        return CRITERIA[-1] if done else None

    @staticmethod
    def _evidence(reading: Reading, name: Name) -> list[Line]:
        """Return the one to three sentences that carry the decision, the strongest first."""

        def strength(line: Line) -> float:
            said = sum(label in line.labels for label in ("aim", "outcome", "decided", "activity"))
            return 2.0 * len(line.safe) + said + 2.0 * (name.text in line.text) - line.heading

        # What is mentioned in passing carries nothing while anything else is said of safety.
        said = [line for line in reading.lines if line.central] or [
            line for line in reading.lines if line.safe
        ]
        best = sorted(said, key=lambda line: (-strength(line), line.number))
        if not best and reading.title.safe:
            best = [line for line in reading.lines if name.text in line.text]
        return best[:3]

    def _rationale(self, decision: Decision, values: dict[str, float], score: float) -> str:
        found = self.book.relevance.signals
        parts = self._parts(values)
        told = sorted(filter(parts.get, parts), key=lambda name: (-abs(parts[name]), name))[:_SAID]
        opening = {"yes": "Indsats", "no": "Ikke en indsats", "doubt": "Tvivl, regnes ikke for en indsats"}[
            decision
        ]
        reasons = " ".join(f"{found[name].why} ({_number(parts[name], '+')})" for name in told)
        limit = _number(self.book.relevance.thresholds.yes)
        return f"{opening} (sum {_number(score)}, grænse {limit}). {reasons}".strip()

    def _describe(self, reading: Reading, name: Name, kind: str, coding: PageCoding) -> PageCoding:
        """Return ``coding`` with areas, themes and the initiatives named on the page."""
        topics = self.book.topics
        weighted = weigh(reading.title, reading.lines, coding.evidence_ids, topics)
        areas, themes = assign(weighted, topics, always=True)
        # The chapters of a strategy or plan are its themes, not initiatives beside it.
        sections = [] if kind in CRITERIA[:2] else section_names(reading, self.book.relevance)
        named: list[NamedInitiative] = []
        if not sections:
            lines = (
                tuple(line for line in reading.lines if line.number in coding.evidence_ids)
                or reading.lines[:1]
            )
            named.append(self._initiative(name.text, kind, areas, themes, lines, reading.lines))
            sections = listed_names(reading, self.book.relevance)
        for text, lines in sections:
            own_areas, own_themes = assign(weigh(lines[0], lines[1:], (), topics), topics)
            if not own_areas:
                own_areas, own_themes = areas, themes
            own_kind = self._kind(Reading(lines[0], lines[1:]), Name(text, 0.0)) or CRITERIA[-1]
            carrying = tuple(line for line in lines if line.safe) or lines[:1]
            named.append(self._initiative(text, own_kind, own_areas, own_themes, carrying[:3], lines))
        return replace(coding, focus_areas=areas, themes=themes, initiatives=tuple(_distinct(named)))

    def _initiative(
        self,
        name: str,
        kind: str,
        areas: tuple[str, ...],
        themes: tuple[str, ...],
        evidence: Sequence[Line],
        lines: Sequence[Line],
    ) -> NamedInitiative:
        return NamedInitiative(
            name=name,
            kind=kind,
            focus_areas=areas,
            themes=themes,
            sentence_ids=tuple(line.number for line in evidence),
            quote=_quote(evidence[0].text),
            **asdict(stated(lines, self.book.attributes)),
        )


def wording(reading: Reading) -> tuple[str, str]:
    """Return the title and the lines whose wording tells what kind of page it is: the opening and those around safety words."""
    safe = [line for line in reading.lines if line.safe]
    near = {line.number for line in (*reading.lines[:_OPENING], *_around(safe, reading, _NEAR))}
    return reading.title.text, "\n".join(line.text for line in reading.lines if line.number in near)


def safety_sentences(reading: Reading) -> list[str]:
    """Return the title, if it has a safety word, and the sentences that do."""
    return [line.text for line in reading.all if line.safe]


def _said_of_safety(reading: Reading) -> float:
    """Return the mean log odds of the wording of the two safety sentences that speak most for an initiative; 0 without any."""
    odds = [sentence_statistics().logits("", text)[INITIATIVE] for text in safety_sentences(reading)]
    best = sorted(odds, reverse=True)[:2]
    return sum(best) / len(best) if best else 0.0


def _number(value: float, sign: str = "") -> str:
    """Return a number as Danish readers write it."""
    return f"{value:{sign}.1f}".replace(".", ",")


def _around(central: Sequence[Line], reading: Reading, distance: int) -> list[Line]:
    """Return the lines at most ``distance`` lines from one of ``central``, in order."""
    numbers = {
        number for line in central for number in range(line.number - distance, line.number + distance + 1)
    }
    return [line for line in reading.lines if line.number in numbers]


def _acted_on(line: Line, reading: Reading) -> bool:
    """Whether a line or one beside it names somebody of the municipality who acts."""
    near = _around([line], reading, 1) if line.number else reading.all[:2]
    return any("local" in other.labels for other in (line, *near))


def _quote(text: str) -> str:
    """Return a verbatim piece of a sentence, cut at a word."""
    return text if len(text) <= _QUOTE_LENGTH else text[:_QUOTE_LENGTH].rsplit(None, 1)[0]


def _distinct(named: list[NamedInitiative]) -> list[NamedInitiative]:
    found: dict[str, NamedInitiative] = {}
    for initiative in named:
        found.setdefault(initiative.name.casefold(), initiative)
    return list(found.values())
