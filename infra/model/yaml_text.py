"""YAML as its version 1.2 reads it: the core schema, where PyYAML alone follows version 1.1.

`03333` is 3333 and `0o17` is 15; `55:30`, `1_000`, `yes`, `no`, `on`, `off` and dates are words. Numbers
have an end: `.inf` and `.nan` are refused. Merge keys (`<<`) are read as before. What a text may be at most
says `yaml_bounds`.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from infra.model.yaml_bounds import require_bounds

_PLAIN = "tag:yaml.org,2002:"
_CORE: tuple[tuple[str, str, str], ...] = (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
)
_BASES = {"0o": 8, "0x": 16}
DIGITS = 40
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # whichever of the two parsers this machine has
    """A safe loader with the core schema's types and no others."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # as PyYAML has it
    yaml_constructors = {  # noqa: RUF012  # as PyYAML has it
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.removeprefix(_PLAIN) in {"null", "bool", "str", "seq", "map"}
    }


def _whole(_loader: Any, node: Any) -> int:
    text = node.value
    if len(text) > DIGITS:
        raise _refused(node, f"a whole number of {DIGITS} digits at most is expected")
    try:
        return int(text[2:], _BASES[text[:2]]) if text[:2] in _BASES else int(text.replace("_", "?"))
    except ValueError as error:
        raise _refused(node, "a whole number is expected") from error


def _number(_loader: Any, node: Any) -> float:
    try:
        found = float(node.value.replace("_", "?"))
    except ValueError as error:
        raise _refused(node, "a number is expected") from error
    if not math.isfinite(found):
        raise _refused(node, "a number with an end is expected")
    return found


def _refused(node: Any, words: str) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(
        None, None, f"{words}, and {node.value[:20]} is none", node.start_mark
    )


for _tag, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(
        _PLAIN + _tag, re.compile(f"^(?:{_pattern})$"), ["" if one == "\0" else one for one in _first]
    )
_Loader.add_constructor(f"{_PLAIN}int", _whole)
_Loader.add_constructor(f"{_PLAIN}float", _number)


def parse(text: str) -> Any:
    """Give the value of a text; YAMLError for one that is no YAML or too much, that `words` describes."""
    require_bounds(text, _Loader)
    return yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe loader


def compose(text: str) -> Any:
    """Give the nodes of a text with their places, None for one without any; YAMLError as `parse`."""
    require_bounds(text, _Loader)
    return yaml.compose(text, Loader=_Loader)


def words(error: Exception) -> str:
    """Give what is wrong with a text, with its line where there is one."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    said = " ".join(str(problem or error).split())
    return f"line {mark.line + 1}: {said}" if mark else said
