"""Links that makers register: which addresses are taken, and which link fits which reader."""

from dataclasses import replace

import pytest

from traceability.gs1.linkset import MAX_HREF, MAX_LINKS, TargetLink, best, faults

LEAFLET = TargetLink("epil", "https://leaflets.example.com/1", "Leaflet", "en")


def codes(*links: TargetLink) -> list[tuple[int, str]]:
    return [(one.index, one.code) for one in faults(links)]


@pytest.mark.parametrize(
    "href",
    [
        "https://leaflets.example.com",
        "https://leaflets.example.com:8443/a%20b/?lot=1&x=(2)",
        "https://xn--fiq228c.xn--fiqs8s/~a_b-c.d;e,f*g'h",
        "https://a.example/" + "x" * (MAX_HREF - 18),
    ],
)
def test_addresses_that_can_be_registered(href: str) -> None:
    assert codes(replace(LEAFLET, href=href)) == []


@pytest.mark.parametrize(
    "href",
    [
        "", "http://a.example/", "javascript:alert(1)", "//a.example/", "HTTPS://a.example/", "ftp://a.example/",
        "https://user@a.example/", "https://user:word@a.example/", "https://a.example@evil.example/",
        "https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://a.example:x/",
        "https://a.example:99999/", "https://a.example:/", "https://A.example/", "https://a..example/",
        "https://a.example/\\evil", "https://a.example/\r\nSet-Cookie: a=b", "https://a.example/ b", "https:///a.b",
        "https://a.example/ü", "https://a.example/#part", "https://a.example/<b>", 'https://a.example/"',
        "https://a.example/" + "x" * (MAX_HREF - 17), "https://-a.example/", "https://a.e/\0", "https://a.example/\n",
    ],
)  # fmt: skip
def test_addresses_that_cannot(href: str) -> None:
    assert codes(replace(LEAFLET, href=href)) == [(0, "link-href")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "defaultLink"}, "link-type"), ({"kind": "verificationService"}, "link-type"),
        ({"kind": "promotion"}, "link-type"), ({"kind": ""}, "link-type"), ({"kind": "gs1:epil"}, "link-type"),
        ({"title": ""}, "link-title"), ({"title": "  "}, "link-title"), ({"title": "x" * 201}, "link-title"),
        ({"title": "a\nb"}, "link-title"), ({"title": "a\u202eb"}, "link-title"),
        ({"language": "EN"}, "link-language"), ({"language": "zh-hans"}, "link-language"),
        ({"language": "english"}, "link-language"), ({"language": "en\n"}, "link-language"),
        ({"media_type": "text"}, "link-media-type"), ({"media_type": "text/html; charset=utf-8"}, "link-media-type"),
        ({"media_type": "text/" + "x" * 100}, "link-media-type"),
    ],
)  # fmt: skip
def test_each_fault_is_named(change: dict[str, str], code: str) -> None:
    other = replace(LEAFLET, href="https://leaflets.example.com/2")
    assert codes(LEAFLET, replace(other, **change)) == [(1, code)]  # type: ignore[arg-type]


def test_a_set_names_no_link_twice_and_has_one_default_of_a_type() -> None:
    chinese = replace(LEAFLET, language="zh-Hans", is_default=True)
    assert codes(LEAFLET, chinese, replace(chinese, kind="smpc")) == []
    assert codes(LEAFLET, LEAFLET) == [(1, "link-twice")]
    assert codes(replace(LEAFLET, is_default=True), chinese) == [(1, "default-twice")]
    many = [replace(LEAFLET, href=f"https://a.example/{number}") for number in range(MAX_LINKS + 1)]
    assert codes(*many[:-1]) == []
    assert codes(*many) == [(MAX_LINKS, "too-many")]


def link(language: str, *, form: str = "text/html", default: bool = False, name: str = "") -> TargetLink:
    href = f"https://a.example/{name or language or 'all'}"
    return TargetLink("epil", href, "Leaflet", language, form, default)


@pytest.mark.parametrize(
    ("there", "asked", "expected"),
    [
        ("en zh-Hans", "en", "en"),
        ("en zh-Hans", "zh-cn zh en", "zh-Hans"),  # as a browser in China asks
        ("zh-Hant zh-Hans", "zh-cn", "zh-Hans"),
        ("zh-Hans zh-Hant", "zh-tw", "zh-Hant"),
        ("en zh-Hans", "zh", "zh-Hans"),  # any Chinese rather than none
        ("en zh-Hans", "de en", "en"),
        ("en-GB en", "en", "en"),  # the very language before one of its regions
        ("en-GB fr", "en-us", "en-GB"),  # then another region of it
        ("en pt-BR", "pt-pt", "pt-BR"),
        ("en fr", "fr-ca en", "fr"),
        ("en zh-Hans ", "de", ""),  # what is for everybody
        ("en zh-Hans! ", "de", "zh-Hans"),  # the default before that
        ("en!", "", "en"),
        ("en  ", "en", "en"),  # a reader's language before what is for everybody
    ],
)
def test_the_language_decides(there: str, asked: str, expected: str) -> None:
    links = [link(one.rstrip("!"), default=one.endswith("!")) for one in there.split(" ")]
    links = list(dict.fromkeys(links))
    assert [one.language for one in best(links, asked.split(), lambda _: 1.0)] == [expected]


def test_what_nothing_tells_apart_is_left_to_the_reader() -> None:
    page, paper = link("en", name="page"), link("en", form="application/pdf", name="paper")
    other = link("zh-Hans")
    assert best([page, paper, other], ["en"], lambda _: 1.0) == [page, paper]
    assert best([page, paper, other], ["en"], lambda form: {"application/pdf": 1.0}.get(form, 0.5)) == [paper]
    assert best([page, replace(paper, is_default=True), other], ["en"], lambda _: 1.0) == [
        replace(paper, is_default=True)
    ]
    assert best([page, other], ["de"], lambda _: 1.0) == [page, other]
    assert best([], ["en"], lambda _: 1.0) == []
