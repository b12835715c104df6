"""Redaction by value: whatever is printed loses every secret that was read in this run."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus

from infra.model.secret import MASK, Secret
from infra.model.visible import visible

SHORTEST = 8
SHORTEST_BEGINNING = 4
CUT = "…"


class Redactor:
    """Masks learned secrets, also percent-encoded, base64, JSON-escaped and shell-quoted ones."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()
        self._sources: list[Callable[[], Iterable[Secret]]] = []

    def learn(self, *values: Secret) -> None:
        """Mask these from now on; values under 8 characters are left alone: they would mask plain words."""
        forms = {form for value in values for form in _forms(value.reveal())}
        self._forms = tuple(sorted(forms.union(self._forms), key=len, reverse=True))

    def later(self, source: Callable[[], Iterable[Secret]]) -> None:
        """Note where more secrets are, which are read only when a text may hold them: old ones, in logs."""
        self._sources.append(source)

    def recall(self) -> None:
        """Learn what was left for later, once; whatever a source raises comes through."""
        while self._sources:
            self.learn(*self._sources.pop()())

    def redact(self, text: str) -> str:
        """Give the text with each stretch that shows a secret replaced by the mask."""
        clean, position = [], 0
        for start, end in _merged(sorted(self._spans(text))):
            clean += [text[position:start], MASK]
            position = end
        return "".join((*clean, text[position:])) if clean else text

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        for form in self._forms:
            start = text.find(form)
            while start >= 0:
                yield start, start + len(form)
                start = text.find(form, start + 1)
            yield from _cut_off(text, form)


def forms_of(value: Secret) -> frozenset[str]:
    """Give every text in which the value may stand; none for one that is too short to be told from a word."""
    return frozenset(_forms(value.reveal()))


def _cut_off(text: str, form: str) -> Iterator[tuple[int, int]]:
    """Give where only the beginning of a form stands, because somebody cut the text there."""
    end = text.find(CUT)
    while end >= 0:
        start = text.find(form[:SHORTEST_BEGINNING], max(0, end - len(form)), end)
        while start >= 0:
            if form.startswith(text[start:end]):
                yield start, end
                break
            start = text.find(form[:SHORTEST_BEGINNING], start + 1, end)
        end = text.find(CUT, end + 1)


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join overlapping spans, so that two secrets in one another leave no tail."""
    if not spans:
        return
    start, end = spans[0]
    for following, its_end in spans[1:]:
        if following > end:
            yield start, end
            start = following
        end = max(end, its_end)
    yield start, end


def _forms(plain: str) -> Iterator[str]:
    """Give the ways in which a value may stand in a text; each line of a long value counts as well."""
    for part in {plain, *plain.splitlines()}:
        if len(part) >= SHORTEST:
            yield part
            yield visible(part)
            yield part.replace("'", r"'\''")
            yield from (json.dumps(part, ensure_ascii=flag)[1:-1] for flag in (True, False))
            yield from _percent_encoded(part)
            yield from _base64(part.encode(errors="surrogatepass"))


def _percent_encoded(part: str) -> Iterator[str]:
    """Give what strict encoders, paths, browsers (encodeURIComponent) and forms write, in both cases."""
    kinds = [quote(part, safe=safe, errors="replace") for safe in ("", "/", "!'()*")]
    for encoded in (*kinds, quote_plus(part, errors="replace")):
        yield encoded
        yield re.sub("%..", lambda escape: escape[0].lower(), encoded)


def _base64(part: bytes) -> Iterator[str]:
    """Give the characters that the value alone decides, for each of the three places in a group of bytes."""
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(part).decode()
        for before in range(3):
            text = encode(bytes(before) + part).decode()
            yield text[-(-before * 8 // 6) : (before + len(part)) * 8 // 6]
