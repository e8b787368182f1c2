"""Coding of local files, for ``tryg code``: the same steps as the chain, on one document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.coding.pages import coding_row
from tryg_assets.domain.crawling.documents import WORD
from tryg_assets.domain.crawling.extract import extract, language_of, word_forms
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.verdicts import judge
from tryg_assets.domain.reference import actor_taxonomy, focus_areas
from tryg_assets.domain.reliability.measured import as_metadata, of_engine, read_measurements
from tryg_assets.domain.reporting.danish import said
from tryg_assets.domain.reporting.wording import say
from tryg_assets.errors import DataFileError
from tryg_assets.ids import stable_id

_MEDIA_TYPES = {
    ".html": "text/html",
    ".htm": "text/html",
    ".pdf": "application/pdf",
    ".docx": WORD,
    ".txt": "text/plain",
    ".md": "text/plain",
    "": "text/plain",
}


def code_file(path: Path, engine: str) -> dict[str, Any]:
    """Read, judge and code one file; the verdict never hides the coding.

    Raises:
        DataFileError: the file is missing, of a kind that is not read, or damaged.
    """
    media = _MEDIA_TYPES.get(path.suffix.lower())
    if media is None:
        raise DataFileError(
            path,
            "file",
            f"files of kind '{path.suffix}' are not read",
            "Give HTML, PDF, Word (.docx) or text.",
        )
    policy = crawl_policy()
    try:
        page = extract(path.read_bytes(), media, path.name, policy)
    except (OSError, ValueError) as problem:
        raise DataFileError(
            path, "file", f"it cannot be read ({problem})", "Check the path and open it yourself."
        ) from None
    assert page is not None
    text = page.text()
    raw = {
        "title": page.title,
        "text": text,
        "url": path.name,
        "language": language_of(text or page.title, policy),
        "published_date": page.dates.published,
        "updated_date": page.dates.updated,
        "date_source": page.dates.source,
    }
    verdict = judge(raw, cleaning_rules())
    numbered = Page.of(stable_id("file", path.name), "", path.name, page.title, text)
    chosen = coder(engine)
    coding = coding_row(numbered, chosen)
    actors = chosen.actors(numbered) if coding["is_initiative"] == "yes" else []
    return {
        "file": str(path),
        "title": page.title,
        "kind": page.kind,
        "words": len(text.split()),
        "word_forms": word_forms(text, policy),
        "language": raw["language"],
        "date": page.dates.latest,
        "verdict": "kept" if verdict.reason is None else "dropped",
        "reason": verdict.reason,
        "decided_by": verdict.decided_by,
        "engine": chosen.engine,
        "engine_label": chosen.label,
        "measured": as_metadata(of_engine(chosen.engine, read_measurements())),
        **{
            key: coding[key]
            for key in (
                "is_initiative",
                "criterion",
                "confidence",
                "rationale",
                "focus_areas",
                "themes",
                "initiatives",
                "quote",
            )
        },
        "evidence": [
            {"sentence": number, "text": numbered.sentence(number)} for number in coding["evidence_ids"]
        ],
        "actors": [
            {
                "surface": actor.surface,
                "sentence": actor.sentence_id,
                "role": actor.role,
                "name": actor.placement.canonical_name,
                "master_category": actor.placement.master_category,
                "subcategory": actor.placement.subcategory,
            }
            for actor in actors
        ],
    }


def describe(result: dict[str, Any]) -> str:
    """Return the result of :func:`code_file` as Danish text for a terminal."""
    areas, subs = focus_areas(), actor_taxonomy().subcategories
    forms = ", ".join(f"{form} ({count})" for form, count in list(result["word_forms"].items())[:8])
    lines = [
        f"{result['file']}: {result['title']}",
        f"  {result['words']} ord, sprog {result['language']}, dato {result['date'] or 'ukendt'}, ordformer: {forms or 'ingen'}",
        f"  Rensning: {'beholdt' if result['verdict'] == 'kept' else 'frasorteret (' + result['reason'] + ')'} - {result['decided_by']}",
        f"  Tryghedsindsats: {say('decisions', result['is_initiative'])} (sikkerhed {result['confidence']:.2f}, motor: {result['engine_label']})",
        f"  Begrundelse: {result['rationale']}",
        *(f"  Belæg S{entry['sentence']}: {entry['text']}" for entry in result["evidence"]),
    ]
    if result["focus_areas"]:
        lines.append(f"  Fokusområder: {', '.join(areas[area].name for area in result['focus_areas'])}")
    for number, entry in enumerate(result["initiatives"], 1):
        lines.append(f"  Indsats {number}: {entry['name']} ({entry['kind']})")
    seen: dict[str, tuple[str, str, int]] = {}
    for actor in result["actors"]:
        label = subs[actor["subcategory"]].name if actor["subcategory"] in subs else actor["subcategory"]
        name, role = actor["name"], actor["role"]
        seen[name] = (label, role, seen.get(name, ("", "", 0))[2] + 1)
    for name, (label, role, count) in seen.items():
        lines.append(f"  Aktør: {name} - {label}, {role}, nævnt {count} gang(e)")
    lines += [f"  {said(entry)}" for entry in of_engine(result["engine"], read_measurements())]
    return "\n".join(lines)
