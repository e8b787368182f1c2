"""The lists of sites: the live web, the sample Denmark, one's own CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from tryg_assets.domain.sites import Site, live_sites, pick, read_sites, sample_sites
from tryg_assets.errors import ConfigurationError, DataFileError

HEADER = "slug,name,type,website,address\n"
GOOD = "prove-by,Prøveby,opland,https://www.proeveby.dk,\n"


def sites_file(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "sites.csv"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_list_of_ones_own_is_read(tmp_path: Path) -> None:
    sites = read_sites(
        sites_file(
            tmp_path,
            HEADER + GOOD + "b,B,storby,http://b.test,127.0.0.1:8000\nc,C,storby,http://c.test,[::1]:80\n",
        )
    )
    assert sites["prove-by"] == Site("prove-by", "Prøveby", "opland", "https://www.proeveby.dk")
    assert [site.address for site in sites.values()] == [None, "127.0.0.1:8000", "[::1]:80"]


def test_the_address_column_may_be_left_out(tmp_path: Path) -> None:
    sites = read_sites(sites_file(tmp_path, "slug,name,type,website\na,A,opland,https://a.dk\n"))
    assert sites["a"].address is None


def test_more_hosts_of_a_site_are_given_as_for_the_municipalities(tmp_path: Path) -> None:
    header = "slug,name,type,website,extra_hosts\n"
    sites = read_sites(
        sites_file(tmp_path, header + "a,A,opland,https://a.dk,tryg.b.dk; c.dk\nd,D,opland,https://d.dk,\n")
    )
    assert [site.extra_hosts for site in sites.values()] == [("tryg.b.dk", "c.dk"), ()]


@pytest.mark.parametrize("host", ["https://tryg.a.dk", "tryg.a.dk/sti", "localhost", "a b.dk"])
def test_what_is_no_host_is_named(tmp_path: Path, host: str) -> None:
    path = sites_file(tmp_path, f"slug,name,type,website,extra_hosts\na,A,opland,https://a.dk,{host}\n")
    with pytest.raises(DataFileError, match="row 2: extra host"):
        read_sites(path)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a,A,opland,a.dk,\n", "website 'a.dk' is not an http"),
        ("a,A,opland,mailto:post@a.dk,\n", "is not an http"),
        ("a,A,opland,https:///path,\n", "is not an http"),
        ("prove-by,A,opland,https://a.dk,\n", "slug 'prove-by' is there twice"),
        ("Prøveby,A,opland,https://a.dk,\n", "slug 'Prøveby' is not lower-case ASCII"),
        ("../etc,A,opland,https://a.dk,\n", "is not lower-case ASCII"),
        ("a,A,by,https://a.dk,\n", "type 'by' is unknown"),
        ("a,A,opland,https://a.dk,localhost\n", "address 'localhost' is not host:port"),
        ("a,A,opland,https://a.dk,http://localhost:80\n", "is not host:port"),
        ("a,A,opland,https://a.dk,localhost:99999\n", "is not host:port"),
        ("a,A,opland,https://a.dk,localhost:0\n", "is not host:port"),
        ("a,A,opland\n", "too few or too many cells"),
    ],
)
def test_a_bad_site_is_named_by_file_and_row(tmp_path: Path, row: str, problem: str) -> None:
    path = sites_file(tmp_path, HEADER + GOOD + row)
    with pytest.raises(DataFileError) as caught:
        read_sites(path)
    assert (caught.value.path, caught.value.where) == (str(path), "row 3")
    assert problem in caught.value.problem


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="it lists no site"):
        read_sites(sites_file(tmp_path, HEADER))


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("arhus", "aarhus"), ("Aarhus", "aarhus"), ("lyngby", "lyngby-taarbaek"), ("kobenhavn", "koebenhavn")],
)
def test_an_unknown_municipality_gets_a_suggestion(asked: str, meant: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"no municipality '{asked}' in the list of 98 sites. Did you mean '{meant}'"
    ):
        pick(live_sites(), ["aeroe", asked])


def test_pick_gives_the_named_in_the_order_named_and_all_if_none_is() -> None:
    sites = live_sites()
    assert [site.slug for site in pick(sites, ["odense", "aeroe"])] == ["odense", "aeroe"]
    assert pick(sites, []) == list(sites.values())


def test_the_sample_denmark_has_the_same_municipalities_under_reserved_names() -> None:
    sample = sample_sites("127.0.0.1:8899")
    assert sample.keys() == live_sites().keys()
    assert sample["aeroe"].website == "http://www.aeroe.kommune.test/"
    assert {site.address for site in sample.values()} == {"127.0.0.1:8899"}


def test_the_hosts_in_scope_have_no_www() -> None:
    site = Site("a", "A", "opland", "https://WWW.A.dk", ("www.b.dk", "c.dk"))
    assert site.hosts == {"a.dk", "b.dk", "c.dk"}


@pytest.mark.parametrize(
    ("website", "address", "own"),
    [
        ("http://127.0.0.1:8000/", None, True),
        ("http://[::1]:8000/", None, True),
        ("http://localhost:8000/", None, True),
        ("http://by.localhost/", None, True),
        ("http://www.by.test/", "127.0.0.1:8000", True),
        ("https://www.by.dk/", None, False),
        ("http://192.168.1.5/", None, False),
        ("http://127.0.0.1.example.org/", None, False),
    ],
)
def test_a_site_on_ones_own_machine_is_known_by_its_address(
    website: str, address: str | None, own: bool
) -> None:
    assert Site("by", "By", "opland", website, (), address).is_own is own
