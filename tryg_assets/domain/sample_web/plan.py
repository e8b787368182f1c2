"""The plan of the sample Denmark: which page stands where, and what should become of it. Always the same."""

from __future__ import annotations

import csv
import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tryg_assets import paths
from tryg_assets.domain.filtering.duplicates import jaccard, shingles
from tryg_assets.domain.sample_web.pages import (
    Block,
    Link,
    SamplePage,
    SampleSite,
    Shown,
    Sitemap,
    parse_body,
    slugify,
)
from tryg_assets.domain.sample_web.spread import (
    Composer,
    Pattern,
    quadruples,
    rank,
    spread_evenly,
    spread_initiatives,
)
from tryg_assets.domain.sample_web.texts import Material, Note, Place, Text, Topic, material

_PDFS, _MOBILE, _PRINT, _REPUBLISHED, _COPIES = 26, 16, 16, 22, 12
_JOBS = 64
_SERVICE_PAGES = 9
_STEM = re.compile("tryg|tryk", re.IGNORECASE)


@functools.cache
def plan() -> dict[str, SampleSite]:
    """Return the 98 sample websites, by slug."""
    return _Planner(material()).sites()


class _Planner:
    def __init__(self, made_of: Material) -> None:
        self._m = made_of
        self._site: dict[str, Any] = made_of.site
        self._places = {
            slug: place for slug, place in made_of.places.items() if slug not in self._site["down"]
        }
        self._hosts = [
            place for slug, place in self._places.items() if slug not in self._site["without_hits"]
        ]
        self._pages: dict[str, list[SamplePage]] = {slug: [] for slug in self._places}
        self._taken: set[tuple[str, str]] = set()

    def sites(self) -> dict[str, SampleSite]:
        """Plan everything: what has the stem first, then the pages around it, then how they hang together."""
        self._initiatives()
        self._other_texts()
        self._service()
        self._jobs()
        self._missing()
        self._news_and_agendas()
        self._fixed_pages()
        self._variants()
        return {slug: self._assemble(number, slug) for number, slug in enumerate(self._m.places)}

    # --- single pages

    def _add(
        self,
        slug: str,
        kind: str,
        section: str,
        title: str,
        blocks: tuple[Block, ...],
        *,
        folder: str | None = None,
        path: str | None = None,
        shown: Shown | None = None,
        **more: Any,
    ) -> SamplePage:
        place = self._m.places[slug]
        title = place.fill(title)
        blocks = tuple(Block(block.kind, place.fill(block.text)) for block in blocks)
        if path is None:
            folder = f"/{section}" if folder is None else folder
            if shown is not None and shown.how == "url":
                folder += f"/{shown.day:%Y/%m}"
            path = base = f"{folder}/{slugify(title)}"
            for number in range(2, 100):
                if (slug, path) not in self._taken:
                    break
                path = f"{base}-{number}"
            if more.get("media") == "pdf":
                path += ".pdf"
        self._taken.add((slug, path))
        page = SamplePage(slug, path, kind, section, title, blocks, shown=shown, **more)
        self._pages[slug].append(page)
        return page

    def _shown(self, key: str, years: tuple[int, int], *, always: bool = False) -> Shown | None:
        """Choose a day and how it is shown; a fifth of the pages show none."""
        if not always and rank("no date", key) % 5 == 0:
            return None
        first, last = date(years[0], 1, 1), date(years[1], 10, 31)
        day = first + timedelta(days=rank("day", key) % ((last - first).days + 1))
        ways = self._site["ways_to_date"]
        return self._way(ways[rank("way", key) % len(ways)], day)

    def _way(self, way: dict[str, str], day: date) -> Shown:
        return Shown(day, way["how"], way.get("line", "").format(**self._notations(day)))

    def _notations(self, day: date) -> dict[str, str]:
        month = self._site["months"][day.month - 1]
        return {
            "long": f"{day.day}. {month} {day.year}",
            "dotted": f"{day:%d.%m.%Y}",
            "short": f"{day:%d.%m.%y}",
            "slashed": f"{day.day}/{day.month} {day.year}",
            "iso": f"{day:%Y-%m-%d}",
            "month_year": f"{month} {day.year}",
            "weekday": self._site["weekdays"][day.weekday()],
            "week": str(day.isocalendar().week),
            "year": str(day.year),
        }

    def _years(self, text: str) -> tuple[int, int]:
        """Return a span of years that does not contradict the years a text mentions."""
        first, last = self._site["years"]
        mentioned = [year for year in map(int, re.findall(r"\b20[12]\d\b", text)) if first <= year <= last]
        return min(max(mentioned, default=first), last), last

    # --- pages from whole texts

    def _initiatives(self) -> None:
        with (paths.REFERENCE / "published" / "focus_area_by_type.csv").open(encoding="utf-8") as file:
            shares = {
                (row["focus_area"], row["type"]): float(row["share_pct"]) / 100
                for row in csv.DictReader(file)
            }
        texts = self._m.labelled("initiative")
        documents = {text.id for text in sorted(texts, key=lambda text: rank("pdf", text.id))[:_PDFS]}
        pattern = Pattern(self._site["texts_by_type"], self._site["areas_by_type"], shares)
        for slug, given in spread_initiatives(texts, self._hosts, pattern).items():
            for text in given:
                section = self._site["area_section"][text.areas[0]]
                shown = self._shown(text.id, self._years(text.body))
                if text.id in documents:
                    # A document shows its date in its text or not at all.
                    shown = (
                        self._way({"how": "text", "line": "Publiceret {long}"}, shown.day) if shown else None
                    )
                    self._add(
                        slug, "initiative", section, text.title, parse_body(text.body), folder="/dokumenter",
                        shown=shown, text_id=text.id, hit=True, media="pdf",
                    )  # fmt: skip
                else:
                    self._add(
                        slug,
                        "initiative",
                        section,
                        text.title,
                        parse_body(text.body),
                        shown=shown,
                        text_id=text.id,
                        hit=True,
                    )
                if text.news and text.news_title:
                    day = self._shown(f"{text.id}-news", self._years(text.body + text.news))
                    self._add(
                        slug, "initiative_news", "kommunen", text.news_title, parse_body(text.news), folder="/nyheder",
                        shown=day, text_id=text.id, hit=True,
                    )  # fmt: skip

    def _other_texts(self) -> None:
        for slug, text in _pairs(spread_evenly(self._m.labelled("passing"), self._hosts)):
            section = sorted(self._site["sections"])[rank("section", text.id) % len(self._site["sections"])]
            shown = self._shown(text.id, self._years(text.body))
            reason = self._site["other_reasons"].get(text.id)
            kind = reason or "passing"
            self._add(
                slug,
                kind,
                section,
                text.title,
                parse_body(text.body),
                shown=shown,
                text_id=text.id,
                hit=True,
                reason=reason,
            )
        for number, (slug, text) in enumerate(_pairs(spread_evenly(self._m.labelled("old"), self._hosts))):
            # Every way to show a date is there, among pages from before 2020 too.
            ways = self._site["ways_to_date"]
            shown = self._way(ways[number % len(ways)], self._old_day(text))
            self._add(
                slug, "old", "kommunen", text.title, parse_body(text.body), folder="/nyheder", shown=shown, text_id=text.id,
                hit=True, reason=self._site["other_reasons"].get(text.id, "before_2020"),
            )  # fmt: skip
        for slug, text in _pairs(spread_evenly(self._m.labelled("english"), self._hosts)):
            shown = self._shown(text.id, self._years(text.body))
            self._add(
                slug, "english", "kommunen", text.title, parse_body(text.body), folder="/english", shown=shown, text_id=text.id,
                hit=True, reason="not_danish",
            )  # fmt: skip

    def _old_day(self, text: Text) -> date:
        first, last = self._site["old_years"]
        years = sorted(
            {year for year in map(int, re.findall(r"\b20[01]\d\b", text.body)) if first <= year <= last}
        )
        year = (
            years[-2]
            if len(years) > 2
            else years[-1]
            if years
            else first + rank("year", text.id) % (last - first + 1)
        )
        return date(year, 1, 1) + timedelta(days=rank("old day", text.id) % 365)

    # --- pages composed of blocks

    def _service(self) -> None:
        free = {
            topic.id: sorted(quadruples(), key=lambda four: rank(topic.id, four))
            for topic in self._m.topics.values()
        }
        held: dict[str, set[str]] = {slug: set() for slug in self._places}
        special: Counter[str] = Counter()

        def page(
            slug: str, topic: Topic, kind: str, instead: str | None, avoid: frozenset[int], **more: Any
        ) -> frozenset[int]:
            four = free[topic.id].pop()
            held[slug].add(topic.id)
            key = f"{kind}-{slug}-{topic.id}"
            parts = list(four)
            if instead is not None:
                # One paragraph makes room; one that an earlier page with the same insert has too, if there is such.
                parts.remove(
                    next((number for number in four if number in avoid), four[rank("room", key) % 4])
                )
            blocks = [Block("p", topic.plain[number]) for number in parts]
            if instead is not None:
                blocks.insert(1 + rank("place", key) % 3, Block("p", instead))
            if rank("list", key) % 2:
                blocks += parse_body(topic.lists[rank("which", key) % len(topic.lists)])
            shown = self._shown(key, tuple(self._site["years"]))
            self._add(slug, kind, topic.section, topic.title, tuple(blocks), shown=shown, **more)
            return frozenset(parts)

        for kind, reason, notes in (
            ("noise_word", "noise_word", self._m.noise_words),
            ("name_only", "name_only", self._m.names),
        ):
            for note in notes:
                slug = self._roomiest(note, held, special)
                special[slug] += 1
                page(slug, self._m.topics[note.topic], kind, note.text, frozenset(), hit=True, reason=reason)
        earlier: dict[tuple[str, int], list[frozenset[int]]] = defaultdict(list)
        for round_ in range(3):
            for place in self._hosts:
                slug = place.municipality.slug
                if round_ == 2 and rank("third", slug) % 2:
                    continue
                topic_id, number = min(
                    (
                        (topic.id, number)
                        for topic in self._m.topics.values()
                        if topic.id not in held[slug]
                        for number in range(len(topic.passing))
                        if len(earlier[topic.id, number]) < 2
                    ),
                    key=lambda option: (len(earlier[option]), -len(free[option[0]]), rank(slug, *option)),
                )
                topic = self._m.topics[topic_id]
                known = earlier[topic_id, number]
                known.append(
                    page(slug, topic, "service_passing", topic.passing[number], frozenset().union(*known),
                         hit=True, text_id=f"{topic_id}-passing-{number + 1}")
                )  # fmt: skip
        for wanted in range(1, _SERVICE_PAGES + 1):
            for slug in self._places:
                options = [
                    topic
                    for topic in self._m.topics.values()
                    if free[topic.id] and topic.id not in held[slug]
                ]
                if len(held[slug]) < wanted and options:
                    topic = max(options, key=lambda topic: (len(free[topic.id]), rank(slug, topic.id)))
                    page(slug, topic, "service", None, frozenset())

    def _roomiest(self, note: Note, held: dict[str, set[str]], special: Counter[str]) -> str:
        options = [
            place.municipality.slug
            for place in self._hosts
            if note.topic not in held[place.municipality.slug]
        ]
        return min(options, key=lambda slug: (special[slug], rank("note", slug, note.text)))

    def _jobs(self) -> None:
        slots = {slot: blocks for slot, blocks in self._m.jobs.items() if slot != "titles"}
        known: list[frozenset[tuple[str, int]]] = []
        chosen = sorted(self._hosts, key=lambda place: rank("job", place.municipality.slug))[:_JOBS]
        for number, place in enumerate(chosen):
            for attempt in range(1000):
                ad = {slot: rank("ad", number, attempt, slot) % len(blocks) for slot, blocks in slots.items()}
                if all(len(frozenset(ad.items()) & other) <= 2 for other in known):
                    break
            known.append(frozenset(ad.items()))
            title = self._m.jobs["titles"][number % len(self._m.jobs["titles"])]
            blocks = tuple(Block("p", slots[slot][which]) for slot, which in ad.items())
            shown = self._shown(f"job-{number}", (2025, 2026))
            self._add(
                place.municipality.slug, "job_ad", "erhverv", title, blocks, folder="/job" if number % 3 else "/erhverv",
                shown=shown, hit=True, reason="job_ad",
            )  # fmt: skip

    def _missing(self) -> None:
        for number, (title, text) in enumerate(self._m.missing_pages):
            slug = self._hosts[(number * 11 + 4) % len(self._hosts)].municipality.slug
            self._add(
                slug,
                "soft_404",
                "kommunen",
                title,
                (Block("p", text),),
                path=f"/kommunen/side-{number + 1}",
                hit=True,
                reason="soft_404",
            )

    def _news_and_agendas(self) -> None:
        agendas = Composer("agenda", range(len(self._m.agenda)), most_shared=2)
        rounds = Composer("news", range(len(self._m.news)), most_shared=2)
        for slug, place in self._places.items():
            used: frozenset[int] = frozenset()
            for number in range(2):
                items = agendas.draw(6, slug, number, without=used)
                used |= frozenset(items)
                self._composed(place, "agenda", number, [self._m.agenda[item] for item in items])
            used = frozenset()
            for number in range(3):
                items = rounds.draw(5, slug, number, without=used)
                used |= frozenset(items)
                self._composed(place, "news", number, [self._m.news[item] for item in items])

    def _composed(self, place: Place, kind: str, number: int, items: list[str]) -> None:
        slug = place.municipality.slug
        titles = self._site[f"{kind}_titles"]
        key = f"{kind}-{slug}-{number}"
        shown = self._shown(key, tuple(self._site["years"]), always=True)
        assert shown is not None
        title = titles[rank("title", key) % len(titles)]
        for name, value in self._notations(shown.day).items():
            title = title.replace(f"{{{name}}}", value)
        blocks: list[Block] = []
        for item in items:
            heading, _, rest = item.partition(". ")
            blocks += [Block("h2", heading), Block("p", rest)]
        folder = "/kommunen/moeder" if kind == "agenda" else "/nyheder"
        self._add(slug, kind, "kommunen", title, tuple(blocks), folder=folder, shown=shown)

    def _fixed_pages(self) -> None:
        """Add the front page, the section pages and the contact page."""
        front_news, work_news = self._m.news[::2], self._m.news[1::2]
        fronts = Composer("front", range(len(front_news)), most_shared=1)
        pools: dict[str, list[tuple[str, str]]] = {
            section: [
                (topic.id, text)
                for topic in self._m.topics.values()
                if topic.section == section
                for text in topic.plain
            ]
            for section in self._site["sections"]
        }
        for section, pool in pools.items():
            if len({topic for topic, _ in pool}) < 3:
                more = self._m.agenda if section == "kommunen" else work_news
                pools[section] = pool + [(f"more-{number}", item) for number, item in enumerate(more)]
        intros = {
            section: Composer(section, [topic for topic, _ in pool], most_shared=1)
            for section, pool in pools.items()
        }
        size = len(self._m.contacts["telefon"])
        for number, slug in enumerate(self._places):
            # Two numbers below a prime and their sum: any two contact pages share at most one of three paragraphs.
            picks = (number % size, number // size, (number + number // size) % size)
            notes = [front_news[item] for item in fronts.draw(2, slug)]
            front = (Block("p", self._site["welcome"]), *(Block("p", note) for note in notes))
            self._add(slug, "home", "", self._site["home_title"], front, path="/")
            for section, title in self._site["sections"].items():
                blocks = tuple(Block("p", pools[section][item][1]) for item in intros[section].draw(2, slug))
                self._add(slug, "section", section, title, blocks, path=f"/{section}")
            contact = tuple(
                Block("p", blocks[pick])
                for pick, blocks in zip(picks, self._m.contacts.values(), strict=True)
            )
            self._add(slug, "contact", "kommunen", self._site["contact_title"], contact, path="/kontakt")

    # --- other versions of pages

    def _variants(self) -> None:
        """Add mobile and print versions, republished pages and copies of pages about initiatives."""
        bases = [
            page
            for pages in self._pages.values()
            for page in pages
            if page.kind == "initiative" and page.media == "html"
        ]
        long = sorted(bases, key=lambda page: -len(page.text.split()))[: 3 * _REPUBLISHED]
        republished: set[SamplePage] = set()
        for number, page in enumerate(sorted(long, key=lambda page: rank("again", page.url))):
            blocks = _edited(page, self._site["republished_words"], 1 + number % 3)
            if blocks and len(republished) < _REPUBLISHED:
                republished.add(page)
                self._duplicate(
                    page,
                    "near_duplicate",
                    f"/nyheder/arkiv{page.path}",
                    blocks=blocks,
                    listed=number % 2 == 0,
                )
        others = sorted(set(bases) - republished, key=lambda page: rank("variant", page.url))
        for page in others[:_MOBILE]:
            if rank("m", page.url) % 2:
                self._duplicate(page, "mobile", page.path, prefix="m.")
            else:
                self._duplicate(page, "mobile", f"/mobil{page.path}")
        for page in others[_MOBILE : _MOBILE + _PRINT]:
            self._duplicate(page, "print", f"{page.path}?print=1")
        for page in others[_MOBILE + _PRINT :][:_COPIES]:
            self._duplicate(page, "copy", f"/temaer/kopi{page.path}")

    def _duplicate(self, page: SamplePage, kind: str, path: str, **changes: Any) -> None:
        self._pages[page.municipality].append(
            replace(page, kind=kind, path=path, reason="duplicate_of", duplicate_of=page.url, **changes)
        )

    # --- how a site hangs together

    def _assemble(self, number: int, slug: str) -> SampleSite:
        if slug in self._site["down"]:
            return SampleSite(slug, number, {}, {}, None, "none", down=True)
        hits = slug not in self._site["without_hits"]
        robots = None if number % 10 == 7 else "User-agent: *\n"
        if robots and number % 32 == 14 and hits:
            robots += "Disallow: /intern/\n"
            title, text = self._site["internal_notes"][number // 32]
            self._add(slug, "forbidden", "kommunen", title, (Block("p", text),), folder="/intern")
        sitemap: Sitemap = "none" if number % 20 in (7, 18) else "plain"
        if number in (12, 24):
            sitemap = "index" if number == 12 else "gzip"
        redirects = {"/pas": next(page.path for page in self._pages[slug] if page.kind == "service")}
        if number % 9 == 4:
            redirects |= {"/forside-2012": "/forside", "/forside": "/"}
        if number % 15 == 2:
            redirects["/faelles-selvbetjening"] = "https://selvbetjening.example/"
        pages = [
            replace(page, links=self._links(page, slug, number, sitemap, redirects))
            for page in self._pages[slug]
        ]
        return SampleSite(
            slug,
            number,
            {(page.prefix, page.path): page for page in pages},
            redirects,
            robots,
            sitemap,
            down=False,
        )

    def _links(
        self, page: SamplePage, slug: str, number: int, sitemap: str, redirects: dict[str, str]
    ) -> tuple[Link, ...]:
        own = self._pages[slug]
        same = [other for other in own if other.section == page.section and other.path.count("/") > 1]
        if page.prefix == "m.":
            return (Link(page.path, page.title, "www."),)
        if page.kind == "home":
            links = [
                Link(f"/{section}", self._m.places[slug].fill(title))
                for section, title in self._site["sections"].items()
            ]
            return (*links, *(Link(path, self._site["shortcut_text"]) for path in redirects))
        if page.kind == "section":
            versions = ("print", "mobile", "soft_404")
            return tuple(
                Link(other.path, other.title)
                for other in same
                if other.kind not in versions and (other.listed or sitemap == "none") and other is not page
            )
        if page.kind == "contact":
            links = [
                Link(other.path, self._site["shortcut_text"]) for other in own if other.kind == "soft_404"
            ]
            return (
                (*links, Link("/borger/gammel-selvbetjening", self._site["old_link_text"]))
                if number % 3 == 1
                else tuple(links)
            )
        versions_of = [
            other for other in own if other.duplicate_of == page.url and other.kind in ("print", "mobile")
        ]
        links = [
            Link(other.path, f"{other.title}", other.prefix if other.prefix != "www." else None)
            for other in versions_of
        ]
        near = sorted(
            (
                other
                for other in same
                if other is not page
                and other.duplicate_of is None
                and other.kind not in ("soft_404", "forbidden")
                and other.listed
            ),
            key=lambda other: rank("near", page.url, other.url),
        )[:3]
        for place, other in enumerate(near):
            path, host = other.path, None
            # The same page under other addresses, as newsletters and old links have them.
            if place == 0 and rank("twin", page.url) % 4 == 0:
                path += "?utm_source=nyhedsbrev&utm_medium=mail"
            elif place == 1 and rank("twin", page.url) % 4 == 1 and other.media == "html":
                path += "/"
            elif place == 2 and rank("twin", page.url) % 4 == 2:
                host = ""
            links.append(Link(path, other.title, host))
        return tuple(links)


def _pairs(given: dict[str, list[Text]]) -> Iterator[tuple[str, Text]]:
    return ((slug, text) for slug, texts in given.items() for text in texts)


def _edited(page: SamplePage, words: dict[str, str], most: int) -> tuple[Block, ...] | None:
    """Return the blocks of a page with one to three words changed; ``None`` if too few five-word runs would agree."""
    original = shingles(page.text, 5)
    for limit in range(most, 0, -1):
        blocks, left = [], limit
        for block in page.blocks:
            text = block.text
            for old, new in words.items():
                if left:
                    text, done = re.subn(rf"(?<!\w){old}(?!\w)", new, text, count=1)
                    left -= done
            blocks.append(Block(block.kind, text))
        edited = replace(page, blocks=tuple(blocks))
        if 0.85 <= jaccard(original, shingles(edited.text, 5)) < 1:
            return edited.blocks
    return None
