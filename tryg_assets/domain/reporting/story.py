"""The story of one page, or of one municipality, along the chain, in plain Danish: ``tryg explain``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from rapidfuzz import fuzz, process

from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.crawling.forecast import NOT_ASKED
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.senses import count_senses
from tryg_assets.domain.reference import actor_taxonomy, focus_areas
from tryg_assets.domain.reporting import danish
from tryg_assets.domain.reporting.wording import say, say_detail
from tryg_assets.domain.sites import Site
from tryg_assets.storage import Lake

Row = dict[str, Any]
_NEAREST = 5
_STEPS_BACK = 12


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the chain: its heading, and what happened there, a line each."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to a page. ``known`` is false if no crawl has met the address; ``nearest`` then names others."""

    address: str
    known: bool
    steps: tuple[Step, ...]
    nearest: tuple[str, ...] = ()


def page_story(
    lake: Lake, address: str, sites: Iterable[Site] = (), failed: Mapping[str, str] | None = None
) -> Story:
    """Tell what happened to the page at ``address`` (or with that ``page_id``), from the stored tables of one engine.

    The address may be given loosely: without scheme, with or without ``www.``, with a fragment or a trailing slash.
    ``sites`` are those on the list, and ``failed`` why the latest crawl of one failed, by slug.
    """
    page_id = address.strip() if re.fullmatch(r"[0-9a-f]{16}", address.strip()) else None
    if page_id:
        found = lake.scan("raw_crawl").filter(pl.col("page_id") == page_id).select("url").collect()
        address = found["url"][0] if found.height else address
    wanted = loose(address)
    host = wanted.partition("/")[0]
    # All addresses of the host are looked through at once: a loose form cannot be searched for in the files.
    log = lake.scan("crawl_log").filter(pl.col("url").str.contains(host, literal=True)).collect()
    by_address = {loose(url): number for number, url in enumerate(log["url"])}
    if wanted not in by_address:
        host = host.partition(":")[0]
        listed = [site.slug for site in sites if host in site.hosts]
        if listed and log.is_empty():
            return replace(municipality_story(lake, listed[0], failed), address=address)
        return _unknown(lake, address, wanted, log)
    entry = log.row(by_address[wanted], named=True)
    return _Page(lake, entry, {row["url"]: row for row in log.iter_rows(named=True)}).story()


def loose(address: str) -> str:
    """Return an address as it is compared: without scheme, ``www.``, fragment and trailing slash, in lower case."""
    plain = re.sub(r"^[a-z]+://", "", address.strip().casefold()).partition("#")[0]
    return plain.removeprefix("www.").rstrip("/")


def _unknown(lake: Lake, address: str, wanted: str, log: pl.DataFrame) -> Story:
    read = lake.municipalities("crawl_log")
    if not read:
        nothing = "Der er endnu ikke læst noget website i denne mappe. Kør 'tryg run' først, eller vælg mappen med --home."
        return Story(address, False, (Step("Ukendt adresse", (nothing,)),))
    if log.is_empty():
        known = sorted(_hosts(lake))
        near = tuple(name for name, *_ in process.extract(wanted.partition("/")[0], known, limit=3))
        outside = f"Ingen af de {len(known)} værtsnavne, der er læst, er {wanted.partition('/')[0]}. Andre websites læses ikke."
        return Story(address, False, (Step("Uden for det, der læses", (outside,)),), near)
    keyed = process.extract(
        wanted, {url: loose(url) for url in log["url"]}, scorer=fuzz.ratio, limit=_NEAREST
    )
    lines = (
        f"Crawlet af websitet mødte {danish.number(log.height)} adresser, men ikke denne: ingen læst side linker til den, "
        "og den står ikke i websitets sitemap.",
        "Findes siden, når man klikker sig frem fra forsiden? Hvis den kun kan nås gennem søgning eller JavaScript, kan "
        "den ikke findes. Er websitet lagt om siden sidst, så kør 'tryg run --municipality ...' igen.",
    )
    return Story(address, False, (Step("Ukendt adresse", lines),), tuple(str(url) for _, _, url in keyed))


def _hosts(lake: Lake) -> set[str]:
    hosts = pl.col("url").str.extract(r"^https?://(?:www\.)?([^/]+)").unique()
    return set(lake.scan("crawl_log").select(hosts).collect()["url"])


class _Page:
    """One page's rows, and the steps told from them."""

    def __init__(self, lake: Lake, entry: Row, log: dict[str, Row]) -> None:
        self._entry, self._log = entry, log
        self._lake, self._slug = lake, entry["municipality"]
        self._raw = _one(self._rows("raw_crawl"), url=entry["url"])

    def _rows(self, table: str) -> pl.DataFrame:
        return self._lake.read(table, self._slug)

    def _country(self, table: str, page_id: str) -> list[Row]:
        return self._lake.read(table).filter(pl.col("page_id") == page_id).to_dicts()

    def story(self) -> Story:
        steps = [self._found()]
        if self._raw is not None:
            cleaned = _one(self._rows("filtered_pages"), page_id=self._raw["page_id"])
            steps += [self._read(self._raw), self._cleaned(cleaned)]
            if cleaned and cleaned["verdict"] == "kept":
                steps += self._after_cleaning(self._raw)
        return Story(self._entry["url"], True, tuple(steps))

    def _after_cleaning(self, raw: Row) -> Iterable[Step]:
        page_id = raw["page_id"]
        coding = _one(self._rows("page_codings"), page_id=page_id)
        if coding is None:
            yield Step("4. Kodet", (_not_yet("kodningen"),))
            return
        yield self._coded(raw, coding)
        initiatives = [
            row for row in self._rows("classified_initiatives").to_dicts() if page_id in row["pages"]
        ]
        if initiatives:
            yield self._initiatives(initiatives)
            yield self._actors(page_id)
        yield self._reviewed(coding)
        yield self._counts(coding, initiatives)

    def _found(self) -> Step:
        entry = self._entry
        lines = [say("outcomes", entry["outcome"])]
        if entry["detail"]:
            lines.append(f"Nærmere: {say_detail(entry['detail'])}.")
        if entry["outcome"] == "redirect" and entry["final_url"]:
            lines.append(f"Se historien for {entry['final_url']}")
        answer = f"HTTP {entry['status']}" if entry["status"] else "intet svar"
        asked = f"{danish.day(entry['fetched_at'])} kl. {entry['fetched_at']:%H:%M} UTC"
        size = f", {danish.number(entry['bytes'])} bytes" if entry["bytes"] else ""
        kept = "; uændret siden sidst, så den tidligere læsning gælder" if entry["reused"] else ""
        if entry["outcome"] not in NOT_ASKED:
            lines.append(f"Spurgt {asked}: {answer}{size}{kept}.")
        path = self._path()
        if len(path) > 1:
            lines.append("Vejen dertil: " + " → ".join(path))
        elif entry["depth"]:
            lines.append("Fundet i websitets sitemap (eller i crawlet før).")
        return Step("1. Fundet på websitet", tuple(lines))

    def _path(self) -> list[str]:
        path: list[str] = [self._entry["url"]]
        before = self._entry["found_on"]
        while before in self._log and before not in path and len(path) < _STEPS_BACK:
            path.append(before)
            before = self._log[before]["found_on"]
        return path[::-1]

    def _read(self, raw: Row) -> Step:
        kind = say("kinds", raw["kind"])
        language = say("languages", raw["language"])
        source = say("date_sources", raw["date_source"])
        days = [
            f"{name} {day:%d.%m.%Y}"
            for name, day in (("udgivet", raw["published_date"]), ("opdateret", raw["updated_date"]))
            if day
        ]
        senses = count_senses(
            f"{raw['title']}\n{raw['text']}" if raw["title"] not in raw["text"] else raw["text"],
            cleaning_rules(),
        )
        lines = [
            f"Titel: {raw['title']}",
            f"{kind[:1].upper()}{kind[1:]} på {language}, {danish.number(len(raw['text'].split()))} ord i sidens egen tekst.",
            f"Dato: {', '.join(days)} (fra {source})."
            if days
            else "Dato: ukendt. Sider uden dato beholdes og tælles.",
            *(
                f"Ord med betydningen {say('senses', sense)}: "
                + ", ".join(f"{word} ({count})" for word, count in sorted(found.items()))
                for sense, found in senses.items()
                if found
            ),
            f"Den læste side ligger i arkivet som {raw['archive_record']} (åbn den med: tryg show {raw['url']}).",
        ]
        return Step("2. Læst", tuple(lines))

    def _cleaned(self, cleaned: Row | None) -> Step:
        heading = "3. Renset"
        if cleaned is None:
            return Step(heading, (_not_yet("rensningen"),))
        if cleaned["verdict"] == "kept":
            return Step(
                heading, (f"Beholdt. Ord, der handler om tryghed: {', '.join(cleaned['safety_words'])}.",)
            )
        lines = [
            f"Frasorteret: {say('reasons', cleaned['reason'])}",
            f"Afgjort af: {cleaned['decided_by']}.",
        ]
        if cleaned["duplicate_of"]:
            other = _one(self._rows("raw_crawl"), page_id=cleaned["duplicate_of"])
            if other:
                lines.append(f"I stedet tæller: {other['url']} ({other['title']})")
        lines.append("Siden kodes ikke og indgår ikke i tallene, men den står i tragten med sin grund.")
        return Step(heading, tuple(lines))

    def _coded(self, raw: Row, coding: Row) -> Step:
        label = coder(coding["engine"]).label
        criterion = f", kriterium: {say('criteria', coding['criterion'])}" if coding["criterion"] else ""
        page = Page.of(*(raw[name] for name in ("page_id", "municipality", "url", "title", "text")))
        quoted = [
            f"S{number}: {page.sentence(number)}"
            for number in coding["evidence_ids"]
            if number <= len(page.sentences)
        ]
        areas = focus_areas()
        lines = [
            f"Motor: {coding['engine']} ({label}), kodebog {coding['codebook_hash']}.",
            f"Beskriver siden en tryghedsindsats? {say('decisions', coding['is_initiative']).capitalize()}{criterion} "
            f"(motorens egen sikkerhed {danish.decimal(coding['confidence'])}; det er ikke en sandsynlighed).",
            f"Begrundelse: {coding['rationale']}",
            *(f"Belæg: {line}" for line in quoted),
        ]
        if coding["quote"]:
            found = "fundet ordret på siden" if coding["quote_verified"] else "IKKE fundet på siden"
            lines.append(f"Citat ({found}): »{coding['quote']}«")
        if coding["focus_areas"]:
            lines.append("Fokusområder: " + ", ".join(areas[area].name for area in coding["focus_areas"]))
        return Step("4. Kodet", tuple(lines))

    def _initiatives(self, initiatives: list[Row]) -> Step:
        areas = focus_areas()
        lines = []
        for row in initiatives:
            others = len(row["pages"]) - 1
            with_others = (
                f"; beskrives også på {others} andre sider"
                if others > 1
                else "; beskrives også på 1 anden side"
                if others
                else ""
            )
            named = ", ".join(areas[area].name for area in row["focus_areas"]) or "intet fokusområde"
            lines.append(f"»{row['name']}« ({row['kind'].replace('_', ' ')}): {named}{with_others}.")
        return Step("5. Indsatser", tuple(lines))

    def _actors(self, page_id: str) -> Step:
        mentions = self._rows("actor_mentions").filter(pl.col("page_id") == page_id).to_dicts()
        entities = {row["entity_id"]: row for row in self._rows("actor_entities").to_dicts()}
        taxonomy = actor_taxonomy()
        lines = []
        seen = set()
        for row in sorted(mentions, key=lambda row: (row["sentence_id"], row["surface"])):
            key = (row["sentence_id"], row["surface"], row["entity_id"])
            if key in seen or row["entity_id"] not in entities:
                continue
            seen.add(key)
            entity = entities[row["entity_id"]]
            sub = entity["subcategory"]
            place = taxonomy.subcategories[sub].name if sub in taxonomy.subcategories else sub
            lines.append(
                f"{entity['canonical_name']} (S{row['sentence_id']}, skrevet »{row['surface']}«): {row['role']}; {place}."
            )
        return Step("6. Aktører", tuple(lines) or ("Ingen aktører er nævnt i indsatsens sætninger.",))

    def _reviewed(self, coding: Row) -> Step:
        sampled = self._country("review_sample", coding["page_id"])
        answers = [
            row for row in self._country("human_codings", coding["page_id"]) if row["task"] == "relevance"
        ]
        lines = [
            f"Udtrukket til blind gennemgang i stratum {row['stratum']} "
            f"({danish.number(row['stratum_sampled'])} af {danish.number(row['stratum_size'])} sider)."
            for row in sampled
        ]
        for row in answers:
            who = (
                "mennesket"
                if row["coder_kind"] == "person"
                else "referencen (eksempel-Danmark, ikke feltdata)"
            )
            said = say("decisions", row["value"])
            same = (row["value"] == "yes") == (coding["is_initiative"] == "yes")
            lines.append(
                f"{row['coder']}, {who}, svarede {said}: {'enig' if same else 'UENIG'} med motoren ({row['gold_version']})."
            )
        return Step(
            "7. Gennemgået af mennesker",
            tuple(lines) or ("Siden er ikke udtrukket til gennemgang; ingen har svaret.",),
        )

    def _counts(self, coding: Row, initiatives: list[Row]) -> Step:
        if not initiatives:
            line = "Siden tæller blandt de læste og beholdte sider, men giver ingen indsats."
            if coding["is_initiative"] == "yes":
                line = "Siden er kodet som en indsats, men indsatserne er endnu ikke samlet. Kør 'tryg run' igen."
            return Step("8. Tæller med i", (line,))
        areas = {area for row in initiatives for area in row["focus_areas"]}
        lines = [f"{len(initiatives)} indsats{'er' if len(initiatives) > 1 else ''} i kommunens antal."]
        if areas:
            lines.append(
                "Kommunens dækning af: " + ", ".join(focus_areas()[area].name for area in sorted(areas)) + "."
            )
        return Step("8. Tæller med i", tuple(lines))


def municipality_story(lake: Lake, slug: str, failed: Mapping[str, str] | None = None) -> Story:
    """Tell the funnel of one municipality, each step with the counts of its outcomes; the counts add up.

    ``failed`` says why its latest crawl failed, by slug.
    """
    reason = (failed or {}).get(slug)
    fault = (Step("Seneste forsøg på at læse websitet slog fejl", (reason,)),) if reason else ()
    log, raw = lake.read("crawl_log", slug), lake.read("raw_crawl", slug)
    if log.is_empty():
        line = f"Websitet er endnu ikke læst. Kør: tryg run --municipality {slug}"
        return Story(slug, False, fault or (Step("Ikke læst", (line,)),))
    verdicts, codings = lake.read("filtered_pages", slug), lake.read("page_codings", slug)
    initiatives = lake.read("classified_initiatives", slug)
    kept = verdicts.filter(pl.col("verdict") == "kept").height
    asked = _tally(log["outcome"], "outcomes")
    dropped = _tally(verdicts["reason"].drop_nulls(), "reasons")
    decided = _tally(codings["is_initiative"], "decisions")
    return Story(
        slug,
        True,
        (
            *fault,
            Step(f"1. Adresser, crawlet mødte: {danish.number(log.height)}", asked),
            Step(f"2. Sider med ordstammen: {danish.number(raw.height)}", ()),
            Step(f"3. Frasorteret: {danish.number(verdicts.height - kept)}", dropped),
            Step(f"   Beholdt: {danish.number(kept)}", ()),
            Step(f"4. Kodet: {danish.number(codings.height)}", decided),
            Step(f"5. Indsatser, samlet på tværs af sider: {danish.number(initiatives.height)}", ()),
        ),
    )


def _tally(values: Iterable[str], kind: str) -> tuple[str, ...]:
    counts = Counter(values)
    return tuple(
        f"{danish.number(count):>7}  {value}: {say(kind, value)}"
        for value, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    )


def _one(rows: pl.DataFrame, **where: object) -> Row | None:
    found = rows.filter(*(pl.col(name) == value for name, value in where.items()))
    return found.row(0, named=True) if found.height else None


def _not_yet(what: str) -> str:
    return f"Ikke nået endnu: {what} mangler for denne side. Kør 'tryg run' igen, eller se kørslen i Dagster."
