"""A build is refused for everything that a browser would meet broken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bundle

HERE = Path(__file__).parents[1]


@pytest.fixture
def sources() -> bundle.Sources:
    return bundle.Sources.read(HERE)


def with_page(sources: bundle.Sources, old: str, new: str, name: str = "ping-pong") -> bundle.Sources:
    """The sources with one text of one page changed."""
    assert old in sources.pages[name]
    return sources._replace(pages={**sources.pages, name: sources.pages[name].replace(old, new, 1)})


def with_static(sources: bundle.Sources, more: str, name: str = "app.js") -> bundle.Sources:
    """The sources with a text at the end of one file of static/."""
    return sources._replace(static={**sources.static, name: sources.static[name] + more.encode()})


def with_layout(sources: bundle.Sources, old: str, new: str) -> bundle.Sources:
    """The sources with one text of the layout changed."""
    assert old in sources.layout
    return sources._replace(layout=sources.layout.replace(old, new, 1))


BROKEN = {
    "a tag is not closed": (lambda s: with_page(s, "</button>", ""), "<button> is never closed"),
    "a tag closes nothing": (lambda s: with_page(s, "</button>", "</b>"), "closes nothing"),
    "an id is there twice": (lambda s: with_page(s, 'id="toggle"', 'id="state"'), "id state is there twice"),
    "an id is not there": (lambda s: with_page(s, 'id="toggle"', ""), "uses id toggle, which is not there"),
    "a link leads nowhere": (lambda s: with_page(s, "<p", '<a href="/nowhere">x</a><p'), "names /nowhere"),
    "an import is not exported": (lambda s: with_page(s, "{ api,", "{ apo,"), "imports apo, which app.js"),
    "a module is not there": (lambda s: with_page(s, "/static/app.js", "/static/b.js"), "names /static/b.js"),
    "a placeholder is unknown": (lambda s: with_layout(s, "$title", "$tittle"), "KeyError: 'tittle'"),
    "a placeholder is broken": (lambda s: with_layout(s, "$title", "$ title"), "ValueError"),
    "a page holds an address": (lambda s: with_page(s, "<p", "<p>https://report.x<p"), "address https://rep"),
    "a script holds an address": (lambda s: with_static(s, '\n"http://10.0.0.1"'), "address http://10.0.0.1"),
    "a script names a file": (lambda s: with_static(s, '\n"/static/x.js"'), "names another static file"),
    "a page that no path leads to": (
        lambda s: s._replace(pages={**s.pages, "lost": "<p></p>"}),
        "pages/lost.html: no path leads to it",
    ),
    "a page is missing": (
        lambda s: s._replace(pages={name: s.pages[name] for name in s.pages if name != "login"}),
        "pages/login.html: is missing",
    ),
}


@pytest.mark.parametrize(("change", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_source_is_refused_and_named(sources: bundle.Sources, change, said: str) -> None:  # noqa: ANN001
    with pytest.raises(bundle.Broken, match=re.escape(said)):
        bundle.made(change(sources), is_hashed=True)


def test_all_faults_come_at_once(sources: bundle.Sources) -> None:
    broken = with_static(with_page(sources, "</button>", ""), '\n"http://10.0.0.1"')
    with pytest.raises(bundle.Broken) as fault:
        bundle.made(broken, is_hashed=True)
    assert str(fault.value).splitlines() == [
        "pages/ping-pong.html: <button> is never closed",
        "static/app.js: holds the address http://10.0.0.1",
    ]


def test_without_a_layout_there_is_nothing_to_build(tmp_path: Path) -> None:
    with pytest.raises(bundle.Broken, match=r"layout\.html: is missing"):
        bundle.Sources.read(tmp_path)


def test_equal_sources_give_equal_bytes_and_another_byte_another_name(sources: bundle.Sources) -> None:
    first = bundle.made(sources, is_hashed=True)
    assert bundle.made(bundle.Sources.read(HERE), is_hashed=True) == first
    second = bundle.made(with_static(sources, " "), is_hashed=True)
    changed = first.keys() ^ second.keys()
    assert {re.sub(r"\.[0-9a-f]{12}\.", ".", name) for name in changed} == {"static/app.js"}
    assert with_static(sources, " ").digest != sources.digest == bundle.Sources.read(HERE).digest


@pytest.mark.parametrize("is_hashed", [True, False])
def test_pages_name_the_files_that_are_there(sources: bundle.Sources, is_hashed: bool) -> None:
    files = bundle.made(sources, is_hashed=is_hashed)
    named = {path for text in files.values() for path in re.findall(rb'"/(static/[^"]+)"', text)}
    assert {path.decode() for path in named} == {name for name in files if name.startswith("static/")}
    assert all(bool(bundle.IS_HASHED.search(path.decode())) is is_hashed for path in named)


def test_the_origin_of_the_api_is_baked_in_and_nothing_else_is(sources: bundle.Sources) -> None:
    page = bundle.made(sources, "https://api.example.test", is_hashed=True)["login.html"]
    assert b'<meta name="api-url" content="https://api.example.test">' in page
    assert b'<meta name="api-url" content="">' in bundle.made(sources, is_hashed=True)["login.html"]
