"""What a Vault agent makes of our secrets template: an evaluator of the few forms that we write, no others.

    {{ with secret "PATH" }} … {{ else }} … {{ end }}        the values at a path; the path has to be there
    {{ with index .Data.data "KEY" }} … {{ else }} … {{ end }}   a value that is there and not empty
    {{ .Data.data.KEY | replaceAll "OLD" "NEW" }}            a value that has to be there
    {{ . | replaceAll "OLD" "NEW" }}                         the value of the `with` around it

Markers `{{-` and `-}}` trim white space, as in Go's text/template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.model.dotenv import plain
from infra.model.errors import BadInput
from infra.model.secret import KEY, Secret

Values = Mapping[str, Mapping[str, Secret | str]]
Dot = Mapping[str, Secret | str] | str | None
BLANKS = " \t\r\n"
_ACTION = re.compile(
    r"\{\{(?P<left>-[ \t\r\n])?(?P<words>.*?)(?P<right>[ \t\r\n]-)?(?P<close>\}\}|\Z)", re.DOTALL
)
_TEXT = r'"((?:[^"\\\n]|\\["\\])*)"'
_WITH_SECRET = re.compile(rf"with secret {_TEXT}")
_WITH_INDEX = re.compile(rf"with index \.Data\.data {_TEXT}")
_PRINT = re.compile(rf"\.(?:Data\.data\.({KEY.pattern}))? \| replaceAll {_TEXT} {_TEXT}")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A text, or the words of an action, with the line that it begins on."""

    text: str
    line: int
    is_action: bool


def evaluate(template_text: str, values: Values) -> str:
    """Give the file that the agent would write; it holds secrets in plain text.

    BadInput names the line of a form that we do not use, and of a path or key that is not there.
    """
    return _Reading(tuple(_pieces(template_text)), values).file()


def _pieces(text: str) -> Iterator[_Piece]:
    position, is_trimmed = 0, False
    for action in _ACTION.finditer(text):
        before = text[position : action.start()]
        before = before.lstrip(BLANKS) if is_trimmed else before
        yield _Piece(before.rstrip(BLANKS) if action["left"] else before, 0, is_action=False)
        line = text.count("\n", 0, action.start()) + 1
        piece = _Piece(action["words"].strip(BLANKS), line, is_action=True)
        if not action["close"]:
            raise _refusal(piece, "is not closed")
        yield piece
        position, is_trimmed = action.end(), bool(action["right"])
    rest = text[position:]
    yield _Piece(rest.lstrip(BLANKS) if is_trimmed else rest, 0, is_action=False)


class _Reading:
    """One pass over the pieces; what stands in a branch that is not taken is read and not evaluated."""

    def __init__(self, pieces: tuple[_Piece, ...], values: Values) -> None:
        self._pieces, self._values = iter(pieces), values

    def file(self) -> str:
        text, end = self._branch(None, is_taken=True)
        if end is not None:
            raise _refusal(end, "stands outside of a `with`")
        return text

    def _branch(self, dot: Dot, *, is_taken: bool) -> tuple[str, _Piece | None]:
        """Give the text up to the `else` or `end` that closes this branch, and that piece, if any."""
        text: list[str] = []
        for piece in self._pieces:
            if not piece.is_action:
                text.append(piece.text)
            elif piece.text in {"else", "end"}:
                return "".join(text), piece
            elif piece.text.startswith("with "):
                text.append(self._with(piece, dot, is_taken=is_taken))
            else:
                text.append(_printed(piece, dot, is_taken=is_taken))
        return "".join(text), None

    def _with(self, opening: _Piece, dot: Dot, *, is_taken: bool) -> str:
        inner = self._opened(opening, dot, is_taken=is_taken)
        is_first = inner is not None and inner != ""
        text, closing = self._branch(inner, is_taken=is_taken and is_first)
        otherwise = ""
        if closing is not None and closing.text == "else":
            otherwise, closing = self._branch(dot, is_taken=is_taken and not is_first)
        if closing is None or closing.text == "else":
            raise _refusal(opening, "has no `end` of its own")
        return text if is_first else otherwise

    def _opened(self, opening: _Piece, dot: Dot, *, is_taken: bool) -> Dot:
        """Give what `.` is within a `with`; empty where its other branch is taken."""
        by_path, by_key = _WITH_SECRET.fullmatch(opening.text), _WITH_INDEX.fullmatch(opening.text)
        if by_path is None and by_key is None:
            raise _refusal(opening, "is a form that our templates do not use")
        if not is_taken:
            return None
        if by_path is not None:
            path = _unquoted(by_path[1])
            if path not in self._values:
                raise _refusal(opening, f"no secret exists at {path}")
            return self._values[path]
        return plain(_data(opening, dot).get(_unquoted(by_key[1]) if by_key else "", ""))


def _printed(piece: _Piece, dot: Dot, *, is_taken: bool) -> str:
    form = _PRINT.fullmatch(piece.text)
    if form is None:
        raise _refusal(piece, "is a form that our templates do not use")
    if not is_taken:
        return ""
    key, old, new = form[1], _unquoted(form[2]), _unquoted(form[3])
    if key is None:
        if not isinstance(dot, str):
            raise _refusal(piece, "`.` is no value here")
        return dot.replace(old, new)
    data = _data(piece, dot)
    if key not in data:
        raise _refusal(piece, f'map has no entry for key "{key}"')
    return plain(data[key]).replace(old, new)


def _data(piece: _Piece, dot: Dot) -> Mapping[str, Secret | str]:
    if not isinstance(dot, Mapping):
        raise _refusal(piece, "`.Data.data` is not there: no path was read")
    return dot


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _refusal(piece: _Piece, words: str) -> BadInput:
    return BadInput(f"line {piece.line}: {{{{ {piece.text} }}}}: {words}")
