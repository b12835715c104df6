"""The keys that a template, an example file and a Dockerfile name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from infra.model.env_text import pieces
from infra.model.errors import BadInput

_TEMPLATE_KEY = re.compile(r'\.Data\.data\.([A-Za-z_]\w*)|index\s+\.Data\.data\s+"([^"]+)"')
_ARGUMENT = re.compile(r"[A-Za-z_]\w*")
_CONTINUED = re.compile(r"\\[ \t]*\r?\n(?:[ \t]*#.*\n)*")


def template_keys(text: str, place: str = "secrets.ctmpl") -> frozenset[str]:
    """Give the keys that an agent's template takes; BadInput when it takes none."""
    found = frozenset(named or indexed for named, indexed in _TEMPLATE_KEY.findall(text))
    if not found:
        raise BadInput(f"{place}: it takes no key of .Data.data", next_step=f"mend {place}")
    return found


def example_keys(text: str, place: str = ".env.example") -> frozenset[str]:
    """Give the keys of an example file; a commented-out line documents nothing.

    BadInput names a line that is neither comment nor `KEY=value`.
    """
    line = 1
    for piece in pieces(text):
        for number, one in enumerate(piece.text.splitlines(), start=line):
            if not piece.key and one.strip() and not one.lstrip().startswith("#"):
                raise BadInput(f"{place}: line {number}: KEY=value is expected", next_step=f"mend {place}")
        line += piece.text.count("\n")
    return frozenset(piece.key for piece in pieces(text) if piece.key)


def dockerfile_arguments(text: str, place: str = "Dockerfile") -> frozenset[str]:
    """Give the build arguments that a Dockerfile's stages take; one above the first FROM reaches no stage.

    BadInput when there is no FROM, or an ARG does not parse.
    """
    stages = 0
    found: set[str] = set()
    for line in _CONTINUED.sub(" ", text).splitlines():
        word, *rest = line.split(maxsplit=1) or [""]
        stages += word.upper() == "FROM"
        if word.upper() == "ARG":
            found |= set(_arguments(" ".join(rest), place)) if stages else set()
    if not stages:
        raise BadInput(f"{place}: there is no FROM, so it builds nothing", next_step=f"mend {place}")
    return frozenset(found)


def _arguments(words: str, place: str) -> Iterator[str]:
    try:
        names = [word.partition("=")[0] for word in shlex.split(words, comments=True)]
    except ValueError as error:
        raise BadInput(f"{place}: ARG {words}: {error}", next_step=f"mend {place}") from error
    for name in names:
        if not _ARGUMENT.fullmatch(name):
            raise BadInput(f"{place}: ARG {words}: {name!r} is no name", next_step=f"mend {place}")
        yield name
