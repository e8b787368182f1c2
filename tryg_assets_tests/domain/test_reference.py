"""A wrong row in a file of facts is named by file and row; the shipped files are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tryg_assets import paths
from tryg_assets.domain import reference
from tryg_assets.domain.reference import (
    read_actor_taxonomy,
    read_csv,
    read_focus_areas,
    read_municipalities,
    read_organisation_forms,
    read_yaml,
)
from tryg_assets.errors import DataFileError

SHIPPED = (paths.REFERENCE / "municipalities.csv").read_text(encoding="utf-8").splitlines()
AALBORG = next(number for number, line in enumerate(SHIPPED) if line.startswith("aalborg,"))


def municipalities_with(tmp_path: Path, old: str, new: str) -> Path:
    """Write the shipped list with ``old`` replaced in the row of Aalborg, the file's third line."""
    lines = list(SHIPPED)
    assert old in lines[AALBORG]
    lines[AALBORG] = lines[AALBORG].replace(old, new, 1)
    path = tmp_path / "municipalities.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("storby", "metropol", "type 'metropol' is unknown"),
        ("0851", "851", "code '851' is not a municipality code"),
        ("0851", "0951", "code '0951' is not a municipality code"),
        ("Nordjylland", "Jylland", "region 'Jylland' is unknown"),
        ("aalborg,", "Ålborg,", "slug 'Ålborg' is not lower-case ASCII"),
        ("aalborg,", "aalborg-,", "slug 'aalborg-' is not lower-case ASCII"),
        ("https://www.aalborg.dk", "www.aalborg.dk", "website 'www.aalborg.dk' is not an http"),
        ("https://www.aalborg.dk", "ftp://www.aalborg.dk", "is not an http"),
        ("https://www.aalborg.dk", "https://", "is not an http"),
        ("https://www.aalborg.dk", "https://www.aalborg.dk:99999", "is not an http"),
        ("aalborg,", "aabenraa,", "'aabenraa' is already in row 2"),
        ("0851", "0580", "'0580' is already in row 2"),
        ("Aalborg Kommune", "Aabenraa Kommune", "'Aabenraa Kommune' is already in row 2"),
        ("Nordjylland,", "Nordjylland,,", "too few or too many cells"),
        (",storby,Nordjylland,", ",storby,", "too few or too many cells"),
    ],
)
def test_a_bad_municipality_is_named_by_file_and_row(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    path = municipalities_with(tmp_path, old, new)
    with pytest.raises(DataFileError) as caught:
        read_municipalities(path)
    assert (caught.value.path, caught.value.where) == (str(path), f"row {AALBORG + 1}")
    assert problem in caught.value.problem
    assert str(caught.value).startswith(f"{path}, row {AALBORG + 1}: ")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "municipalities.csv"
    path.write_text(SHIPPED[0].replace(",region", "") + "\n", encoding="utf-8")
    with pytest.raises(DataFileError, match=r"municipalities\.csv, header: column region is missing"):
        read_municipalities(path)


def test_a_file_saved_with_semicolons_lacks_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "municipalities.csv"
    path.write_text("\n".join(SHIPPED).replace(",", ";"), encoding="utf-8")
    with pytest.raises(DataFileError, match="header: column slug, code, name"):
        read_municipalities(path)


def test_the_types_have_as_many_members_as_in_the_report(tmp_path: Path) -> None:
    path = municipalities_with(tmp_path, "storby", "forstad")
    with pytest.raises(DataFileError, match="file: type 'storby' has 4 members, the report has 5"):
        read_municipalities(path)


def test_a_file_that_is_not_there_or_not_utf8_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"none\.csv, file: it does not exist"):
        list(read_csv(tmp_path / "none.csv", ("a",)))
    with pytest.raises(DataFileError, match=r"none\.yml, file: it does not exist"):
        read_yaml(tmp_path / "none.yml")
    for name, read in (("old.csv", lambda path: list(read_csv(path, ("a",)))), ("old.yml", read_yaml)):
        (tmp_path / name).write_bytes("a\nÆrø\n".encode("cp1252"))
        with pytest.raises(DataFileError, match=f"{name}, byte 2: it is not UTF-8"):
            read(tmp_path / name)


def test_cells_are_stripped_a_byte_order_mark_is_no_content_and_rows_know_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeffa,b\n x ,"y, z"\n\nu,v\n'.encode())
    assert list(read_csv(path, ("a", "b"))) == [(2, {"a": "x", "b": "y, z"}), (4, {"a": "u", "b": "v"})]


def test_a_mistake_in_yaml_is_named_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("a: 1\nb: [1, 2\nc: 3\n", encoding="utf-8")
    with pytest.raises(DataFileError, match=r"a\.yml, row 3: it is not valid YAML"):
        read_yaml(path)


Read = Callable[[Path], object]
FILES = [
    (read_focus_areas, "focus_areas.yml", "areas"),
    (read_actor_taxonomy, "actor_taxonomy.yml", "masters"),
    (read_organisation_forms, "organisation_forms.yml", "forms"),
]


@pytest.mark.parametrize(("read", "name", "key"), FILES)
@pytest.mark.parametrize("content", ["", "[]", "other: []", "{key}: 5"])
def test_a_file_without_its_list_is_refused(
    read: Read, name: str, key: str, content: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content.replace("{key}", key), encoding="utf-8")
    with pytest.raises(DataFileError, match=f"{name}, file: it has no list '{key}'"):
        read(tmp_path / name)


@pytest.mark.parametrize(("read", "name", "key"), FILES)
def test_an_entry_that_lacks_a_field_is_named(read: Read, name: str, key: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(f"{key}: [{{id: one}}]", encoding="utf-8")
    with pytest.raises(DataFileError, match=f"{name}, entry 1: field '[a-z]+' is missing"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("read", "name", "key", "entry", "problem"),
    [
        (
            read_focus_areas,
            "focus_areas.yml",
            "areas",
            "{id: a, name: A, description: d, themes: []}",
            "1 focus areas, the report has 11",
        ),
        (
            read_actor_taxonomy,
            "actor_taxonomy.yml",
            "masters",
            "{id: a, name: A, subcategories: []}",
            "1 x 0 categories, not 7 x 110",
        ),
        (
            read_organisation_forms,
            "organisation_forms.yml",
            "forms",
            "{id: a, number: 1, name: A, description: d, signals: []}",
            "1 forms, the report has 8",
        ),
    ],
)
def test_the_report_decides_how_many_entries_there_are(
    read: Read, name: str, key: str, entry: str, problem: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(f"{key}: [{entry}]", encoding="utf-8")
    with pytest.raises(DataFileError, match=problem):
        read(tmp_path / name)


def test_an_id_there_twice_is_named(tmp_path: Path) -> None:
    area = "{id: a, name: A, description: d, themes: [{id: t, name: T, description: d}]}"
    (tmp_path / "focus_areas.yml").write_text(
        f"areas: [{area}, {area.replace('id: a', 'id: b')}]", encoding="utf-8"
    )
    with pytest.raises(DataFileError, match="id 't': it is there 2 times"):
        read_focus_areas(tmp_path / "focus_areas.yml")


def test_the_shipped_municipalities_are_the_98_of_denmark() -> None:
    found = reference.municipalities()
    assert len(found) == 98
    assert list(found) == sorted(found)
    assert Counter(entry.type for entry in found.values()) == reference.MUNICIPALITY_TYPES
    regions = Counter(entry.region for entry in found.values())
    assert regions == {
        "Hovedstaden": 29,
        "Sjælland": 17,
        "Syddanmark": 22,
        "Midtjylland": 19,
        "Nordjylland": 11,
    }


@pytest.mark.parametrize(
    ("slug", "code", "name"),
    [
        ("koebenhavn", "0101", "Københavns Kommune"),
        ("aarhus", "0751", "Aarhus Kommune"),
        ("aalborg", "0851", "Aalborg Kommune"),
        ("odense", "0461", "Odense Kommune"),
        ("bornholm", "0400", "Bornholms Regionskommune"),
        ("aeroe", "0492", "Ærø Kommune"),
        ("lyngby-taarbaek", "0173", "Lyngby-Taarbæk Kommune"),
        ("vesthimmerlands", "0820", "Vesthimmerlands Kommune"),
    ],
)
def test_a_municipality_is_known_by_slug_code_and_name(slug: str, code: str, name: str) -> None:
    found = reference.municipalities()[slug]
    assert (found.code, found.name) == (code, name)


def test_the_shipped_frame_of_the_report_is_whole() -> None:
    assert len(reference.focus_areas()) == 11
    themes = reference.theme_to_area()
    assert set(themes.values()) == set(reference.focus_areas())
    taxonomy = reference.actor_taxonomy()
    assert (len(taxonomy.masters), len(taxonomy.subcategories)) == (7, 110)
    assert {sub.master for sub in taxonomy.subcategories.values()} == set(taxonomy.masters)
    assert reference.UNRESOLVED not in {*taxonomy.masters, *taxonomy.subcategories}
    assert [form.number for form in reference.organisation_forms()] == list(range(1, 9))
    assert all(form.signals for form in reference.organisation_forms())


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("funnel", ("stage", "label", "value", "unit", "page"), 9),
        ("focus_area_coverage", ("focus_area", "municipalities", "of"), 11),
        ("focus_area_by_type", ("focus_area", "type", "share_pct"), 55),
        ("top_actors", ("rank", "subcategory", "name", "share_pct"), 20),
        ("agreement", ("what", "value"), 2),
    ],
)
def test_the_published_numbers_are_tables(name: str, columns: tuple[str, ...], rows: int) -> None:
    assert len(list(read_csv(paths.REFERENCE / "published" / f"{name}.csv", columns))) == rows


def test_the_published_numbers_use_our_ids() -> None:
    folder, areas = paths.REFERENCE / "published", set(reference.focus_areas())
    assert {
        row["focus_area"] for _, row in read_csv(folder / "focus_area_coverage.csv", ("focus_area",))
    } == areas
    by_type = {
        (row["focus_area"], row["type"])
        for _, row in read_csv(folder / "focus_area_by_type.csv", ("focus_area", "type"))
    }
    assert by_type == {(area, kind) for area in areas for kind in reference.MUNICIPALITY_TYPES}
    actors = {row["subcategory"] for _, row in read_csv(folder / "top_actors.csv", ("subcategory",))}
    assert actors <= set(reference.actor_taxonomy().subcategories)
