"""Finance Report, the frontend: `python -m uvicorn server:app` in this folder.

It serves pages and nothing else; their scripts ask `/api` of the same origin, which is the router's.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

HERE = Path(__file__).parent
LAYOUT = Template((HERE / "pages" / "layout.html").read_text(encoding="utf-8"))

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


def page(title: str, name: str) -> str:
    """The whole page: the layout around a file of `pages/`."""
    body = (HERE / "pages" / f"{name}.html").read_text(encoding="utf-8")
    return LAYOUT.substitute(title=title, body=body)


def route(path: str, title: str, name: str) -> Route:
    """A route that answers this page, read once at start."""
    html = page(title, name)

    async def answer(_: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    return Route(path, answer, name=name)


NOT_FOUND = page("Not found", "not-found")


async def not_found(_: Request, __: Exception) -> HTMLResponse:
    return HTMLResponse(NOT_FOUND, status_code=404)


app = Starlette(
    routes=[
        *(route(path, title, name) for path, (title, name) in PAGES.items()),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ],
    exception_handlers={404: not_found},
)
