"""The frontend's files as a browser gets them, made of `pages/` and `static/`. Equal sources, equal bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from string import Template
from typing import NamedTuple

# path: (title, file in pages/)
PAGES = {
    "/": ("Overview", "overview"),
    "/accounts": ("Accounts", "accounts"),
    "/journal": ("Journal", "journal"),
    "/reconciliation": ("Reconciliation", "reconciliation"),
    "/reports": ("Reports", "reports"),
    "/ping-pong": ("Ping-pong", "ping-pong"),
    "/login": ("Log in", "login"),
}
NOT_FOUND = "not-found"
NAMED = re.compile(r'"(/[^"\s$`{}]*)"')  # a path in quotes, in HTML as in JavaScript
IS_HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")
SVG = "http://www.w3.org"  # the name of a language, asked by nobody
VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Broken(Exception):
    """The sources cannot be served; the message has a line for each fault."""


class Sources(NamedTuple):
    """The texts of `pages/` without the layout, by name; the layout; the files of `static/`, by name."""

    pages: Mapping[str, str]
    layout: str
    static: Mapping[str, bytes]

    @classmethod
    def read(cls, folder: Path) -> Sources:
        """The sources in this folder; Broken without a layout."""
        pages = {file.stem: file.read_text(encoding="utf-8") for file in folder.glob("pages/*.html")}
        static = {file.name: file.read_bytes() for file in folder.glob("static/*")}
        if "layout" not in pages:
            raise Broken("pages/layout.html: is missing")
        return cls(pages, pages.pop("layout"), static)

    @property
    def digest(self) -> str:
        """What tells these sources from all others."""
        whole = hashlib.sha256(self.layout.encode())
        for name, content in sorted({**self._encoded, **self.static}.items()):
            whole.update(f"{name}\0{len(content)}\0".encode() + content)
        return whole.hexdigest()

    @property
    def _encoded(self) -> dict[str, bytes]:
        return {f"{name}.html": text.encode() for name, text in self.pages.items()}


def made(sources: Sources, api_url: str = "", *, is_hashed: bool) -> dict[str, bytes]:
    """The files by their path in `dist/`; Broken, with every fault at once, when a browser would meet one.

    `api_url` is the origin of the API where that is not the page's own. With `is_hashed`, a file of `static/`
    carries a hash of its content in its name, so that a browser may keep it for ever.
    """
    if faults := sorted(set(_faults(sources, api_url))):
        raise Broken("\n".join(faults))
    names = {name: _hashed(name, content) if is_hashed else name for name, content in sources.static.items()}
    files = {f"static/{names[name]}": content for name, content in sources.static.items()}
    for name in sources.pages:
        text = _page(sources, name, api_url)
        for plain, given in names.items():
            text = text.replace(f'"/static/{plain}"', f'"/static/{given}"')
        files[f"{name}.html"] = text.encode()
    return files


def _page(sources: Sources, name: str, api_url: str) -> str:
    titles = {page: title for title, page in PAGES.values()} | {NOT_FOUND: "Not found"}
    values = {"title": titles.get(name, ""), "body": sources.pages[name], "api_url": api_url}
    return Template(sources.layout).substitute(values)


def _hashed(name: str, content: bytes) -> str:
    path = PurePosixPath(name)
    return f"{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"


def _faults(sources: Sources, api_url: str) -> Iterator[str]:
    wanted = {name for _, name in PAGES.values()} | {NOT_FOUND}
    yield from (f"pages/{name}.html: is missing" for name in wanted - sources.pages.keys())
    yield from (f"pages/{name}.html: no path leads to it" for name in sources.pages.keys() - wanted)
    for name, content in sources.static.items():
        yield from (f"static/{name}: {fault}" for fault in _static_faults(content))
    for name in wanted & sources.pages.keys():
        try:
            page = _page(sources, name, api_url)
        except (KeyError, ValueError) as error:
            yield f"pages/layout.html: {type(error).__name__}: {error}"
            return
        yield from (f"pages/{name}.html: {fault}" for fault in _page_faults(page, sources, api_url))


def _static_faults(content: bytes) -> Iterator[str]:
    if b'"/static/' in content or b"url(" in content:
        yield "names another static file; only pages may, because names change"
    yield from _foreign(content.decode("utf-8", "replace"), "")


def _page_faults(page: str, sources: Sources, api_url: str) -> Iterator[str]:
    outline = Outline()
    outline.feed(page)
    outline.close()
    yield from outline.faults()
    static = {f"/static/{name}" for name in sources.static}
    for path in NAMED.findall(page):
        if path not in PAGES and path not in static and not _is_api(page, path):
            yield f"names {path}, which is not there"
    used = re.findall(r'(?:getElementById|fill|onSubmit)\("([^"]+)"', page)
    yield from (f"its script uses id {name}, which is not there" for name in set(used) - outline.ids)
    yield from _imports(page, sources)
    yield from _foreign(page, api_url)


def _is_api(page: str, path: str) -> bool:
    return re.search(rf'(?:api|address)\("{re.escape(path)}"', page) is not None


def _imports(page: str, sources: Sources) -> Iterator[str]:
    for names, module in re.findall(r'import \{([^}]*)\} from "/static/([^"]+)"', page):
        text = sources.static.get(module, b"").decode()
        exported = set(re.findall(r"^export (?:async )?(?:function|const) (\w+)", text, re.MULTILINE))
        missing = {name.strip() for name in names.split(",")} - exported
        yield from (f"imports {name}, which {module} does not export" for name in missing)


def _foreign(text: str, api_url: str) -> Iterator[str]:
    """One build serves every environment: no address of one may be in it."""
    for address in re.findall(r"https?://[\w.:-]+", text):
        if address not in {api_url, SVG}:
            yield f"holds the address {address}"


class Outline(HTMLParser):
    """Whether the tags of a page fit together, and which ids it has."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self._open: list[str] = []
        self._faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value in self.ids:
                self._faults.append(f"id {value} is there twice")
            if name == "id" and value:
                self.ids.add(value)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            self._faults.append(f"</{tag}> on line {self.getpos()[0]} closes nothing")
            return
        while (inner := self._open.pop()) != tag:
            self._faults.append(f"<{inner}> is never closed")

    def faults(self) -> Iterator[str]:
        yield from self._faults
        yield from (f"<{tag}> is never closed" for tag in self._open)
