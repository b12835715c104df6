"""Which variables of a caller's shell a program may see: by what kind it is, and nothing else.

A profile is full of wishes that were meant for other programs: a database, a proxy, a login, a language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal[
    "ourselves", "tool", "shell", "git", "engine", "installer", "application", "browser", "repository"
]

EVERYBODY = ("HOME", "LOGNAME", "PATH", "TMPDIR", "USER")
LANGUAGE: Mapping[str, str] = {"LANG": "C.UTF-8"}
TERMINAL = ("COLORTERM", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TERM")
CACHE = "XDG_CACHE_HOME"
SCREEN = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR")
PROXIES = ("ALL_PROXY", "FTP_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
ROOTS = (
    *("CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"),
    *("SSL_CERT_DIR", "SSL_CERT_FILE"),
)
NPM = tuple(
    f"{start}_{name}"
    for start, names in (
        ("npm_config", ("cache", "cafile", "https_proxy", "noproxy", "proxy", "registry", "userconfig")),
        ("NPM_CONFIG", ("CACHE", "CAFILE", "HTTPS_PROXY", "NOPROXY", "PROXY", "REGISTRY", "USERCONFIG")),
    )
    for name in names
)
GO = (
    *("GOAUTH", "GOCACHE", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB", "GOPATH", "GOPRIVATE"),
    *("GOPROXY", "GOSUMDB", "GOTOOLCHAIN"),
)
INSTALLER = (*PROXIES, *map(str.lower, PROXIES), *ROOTS, *NPM, *GO, "PIP_*", "UV_*", CACHE)
HERE = ("localhost", "127.0.0.1", "::1")

# A name that ends with * stands for all that begin so.
SEEN: Mapping[Kind, tuple[str, ...]] = {
    "ourselves": (*TERMINAL, CACHE),
    "tool": (),
    "shell": (*TERMINAL, "EDITOR", "LESS", "PAGER", "VISUAL"),
    "git": ("XDG_CONFIG_HOME",),
    "engine": (
        *("DOCKER_API_VERSION", "DOCKER_CERT_PATH", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST"),
        *("DOCKER_TLS", "DOCKER_TLS_VERIFY"),
    ),
    "installer": INSTALLER,
    "application": (*TERMINAL, "CI"),
    "browser": (*TERMINAL, "CI", *SCREEN, "PLAYWRIGHT_BROWSERS_PATH"),
    "repository": (*TERMINAL, "CI", *INSTALLER),
}


def seen_by(kind: Kind, caller: Mapping[str, str]) -> dict[str, str]:
    """Give what a program of this kind sees of its caller's variables; it speaks our language, not theirs.

    Who may use a proxy never uses it for this machine.
    """
    names = {*EVERYBODY, *SEEN[kind]}
    beginnings = tuple(name[:-1] for name in names if name.endswith("*"))
    seen = {name: text for name, text in caller.items() if name in names or name.startswith(beginnings)}
    return {**seen, **LANGUAGE, **(_without_proxy_here(seen) if "NO_PROXY" in names else {})}


def _without_proxy_here(seen: Mapping[str, str]) -> dict[str, str]:
    """Give the exceptions from a proxy with this machine among them; nothing where no proxy is named."""
    if not any(seen.get(name) for proxy in PROXIES for name in (proxy, proxy.lower())):
        return {}
    written = seen.get("no_proxy") or seen.get("NO_PROXY")
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join([*filter(None, [written]), *HERE]))
