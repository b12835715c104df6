"""Finance Report, the frontend: `python -m uvicorn server:app` in this folder.

It serves pages and nothing else; their scripts ask `/api` of the same origin, which is the router's.
In development a page is made anew when a source has changed; elsewhere `dist/` is served, where it is built.
"""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import bundle

HERE = Path(__file__).parent
FOR_EVER = "public, max-age=31536000, immutable"


class Site(Protocol):
    """Where the files come from."""

    def files(self) -> Mapping[str, bytes]:
        """The files by their path in `dist/`; bundle.Broken when the sources cannot be served."""


class Built:
    """The files of `dist/`, read once."""

    def __init__(self, dist: Path) -> None:
        manifest = json.loads((dist / "manifest.json").read_text(encoding="utf-8"))
        self.sources: str = manifest["sources"]
        self._files = {name: (dist / name).read_bytes() for name in manifest["files"]}

    def files(self) -> Mapping[str, bytes]:
        return self._files


class Fresh:
    """The files of the sources, made when one of them has changed."""

    def __init__(self, folder: Path, api_url: str) -> None:
        self._folder, self._api_url = folder, api_url
        self._seen: object = None
        self._files: Mapping[str, bytes] = {}

    def files(self) -> Mapping[str, bytes]:
        seen = [(str(file), file.stat().st_mtime_ns) for file in self._sources()]
        if seen != self._seen:
            sources = bundle.Sources.read(self._folder)
            self._files = bundle.made(sources, self._api_url, is_hashed=False)
            self._seen = seen
        return self._files

    def _sources(self) -> list[Path]:
        return sorted([*self._folder.glob("pages/*"), *self._folder.glob("static/*")])


def site(folder: Path, environment: Mapping[str, str]) -> Site:
    """The build, unless this is development or the build is of other sources."""
    fresh = Fresh(folder, environment.get("NEXT_PUBLIC_API_URL", "").rstrip("/"))
    dist = folder / "dist"
    if environment.get("ENV") == "development" or not (dist / "manifest.json").exists():
        return fresh
    built = Built(dist)
    return built if built.sources == bundle.Sources.read(folder).digest else fresh


def application(site: Site) -> Starlette:
    """The frontend over this site."""

    async def static(request: Request) -> Response:
        return _answer(f"static/{request.path_params['name']}")

    async def page(request: Request) -> Response:
        return _answer(f"{bundle.PAGES[request.url.path][1]}.html")

    async def not_found(_: Request, __: Exception) -> Response:
        return _answer(f"{bundle.NOT_FOUND}.html", 404)

    async def broken(_: Request, error: Exception) -> Response:
        return PlainTextResponse(f"{error}\n", 500)

    def _answer(name: str, status: int = 200) -> Response:
        files = site.files()
        if name not in files:
            name, status = f"{bundle.NOT_FOUND}.html", 404
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        keep = FOR_EVER if bundle.IS_HASHED.search(name) else "no-cache"
        return Response(files[name], status, {"Cache-Control": keep}, kind)

    routes = [Route("/static/{name:path}", static), *(Route(path, page) for path in bundle.PAGES)]
    return Starlette(routes=routes, exception_handlers={404: not_found, bundle.Broken: broken})


app = application(site(HERE, os.environ))
