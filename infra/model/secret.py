"""Secrets: a value that does not show itself, and the declaration of what a key is."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, SupportsIndex

from infra.model.errors import BadInput

MASK = "***"
WHITE_SPACE = "holds white space"
KEY = re.compile(r"[A-Z_][A-Z0-9_]*")
LOCAL_ENVIRONMENTS = frozenset({"local", "local_ci", "github_ci"})
ALPHANUMERIC = string.ascii_letters + string.digits


class Secret:
    """A value whose text forms are the mask; it cannot be pickled, copied or printed by accident."""

    __slots__ = ("_plain",)

    def __init__(self, plain: str) -> None:
        self._plain = plain

    def reveal(self) -> str:
        """Give the plain value; whoever asks owns what happens to it."""
        return self._plain

    def __repr__(self) -> str:
        return MASK

    def __format__(self, _spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        """Compare in constant time; a plain string never equals a secret."""
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac

        mine, theirs = (one.reveal().encode(errors="surrogatepass") for one in (self, other))
        return hmac.compare_digest(mine, theirs)

    __hash__ = None  # type: ignore[assignment]  # no set or dict key: those compare hashes

    def __reduce_ex__(self, _protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Secret cannot be pickled, copied or dumped")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret does not give its state away")


Kind = Literal["generated", "derived", "operator"]
Place = tuple[str, str]
Derivation = Callable[[Mapping[Place, Secret], Any], str | None]


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """What one key is: who makes its value, by which rule, where it is required and who reads it.

    `derive` gets the values by (service, key) and the environment's addresses; None means that nothing is
    derived here and an operator's value stands. `shortest` is in bytes. `pattern` must match the whole value.
    `is_plain` tells that the value may be shown: it travels with the secrets and is none.
    """

    service: str
    key: str
    kind: Kind
    length: int = 32
    alphabet: str = ALPHANUMERIC
    pattern: str = ""
    shortest: int = 1
    known_defaults: frozenset[str] = frozenset()
    derive: Derivation | None = None
    optional_in: frozenset[str] = frozenset()
    consumers: tuple[str, ...] = ()
    is_plain: bool = False

    def __post_init__(self) -> None:
        if not KEY.fullmatch(self.key):
            raise BadInput(f"{self.service}/{self.key}: a key is written {KEY.pattern}")
        if (self.kind == "derived") != (self.derive is not None):
            raise BadInput(f"{self.service}/{self.key}: exactly the derived keys have a derivation")

    @property
    def place(self) -> Place:
        """The service and the key, as derivations look values up."""
        return self.service, self.key

    def required_in(self, environment: str) -> bool:
        """Tell whether this environment cannot do without the key."""
        return environment not in self.optional_in

    def fault(self, value: Secret) -> str:
        """Give what is wrong with a value in words that do not show it; empty when nothing is."""
        plain = value.reveal()
        rules = (
            (not plain, "is empty"),
            ("\0" in plain or "<no value>" in plain, "was never filled in"),
            (self.kind == "operator" and bool(re.search(r"\s", plain)), WHITE_SPACE),
            (len(plain.encode(errors="surrogatepass")) < self.shortest, f"is under {self.shortest} bytes"),
            (plain in self.known_defaults, "is a known default"),
            (bool(self.pattern) and not re.fullmatch(self.pattern, plain), "has not the expected form"),
        )
        return next((words for is_broken, words in rules if is_broken), "")
