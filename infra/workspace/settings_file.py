"""`invoke.yaml` and a person's `invoke.local.yaml`, read, merged and validated whole.

Environment variables and files of the home folder are never read: what a deploy does stands in this tree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.model.errors import BadInput
from infra.workspace import stamps

if TYPE_CHECKING:
    from infra.model.settings import Settings

FILES = ("invoke.yaml", "invoke.local.yaml")
INVOKES_OWN = frozenset({"tasks", "run", "runners", "sudo", "timeouts"})
NO_SUCH = "no such setting"
EXPECTED = {
    "default_env": "production is never the default: name it with --env production",
    "environment": "the name of a variable is expected: letters, digits and _",
    "data_root": "an absolute path is expected, without .., blanks or a closing slash",
    "mount": "one word of a-z0-9_- is expected",
    "object_store": "embedded, none, or the http or https address of an S3 server is expected",
    "endpoint": "an http or https address is expected, without login or query",
}
Lines = dict[tuple[str, ...], str]


@cache
def load(root: Path) -> Settings:
    """Give the settings of this checkout; BadInput lists every fault with its path, file and line."""
    from infra.model.settings import Settings, settled

    values: dict[str, Any] = {}
    lines: Lines = {}
    for name in FILES:
        found, where = _read(root / name)
        values = _merged(values, found)
        lines |= where
    text = json.dumps(values, sort_keys=True, default=str)
    if not stamps.is_known(text):
        _validate(text, lines)
        stamps.remember(text)
    return settled(json.loads(text), Settings())


def places(root: Path) -> dict[str, str]:
    """Give where each written setting stands: file and line by its path, such as `vault/mount`."""
    found: dict[str, str] = {}
    for name in FILES:
        found |= {"/".join(path): place for path, place in _read(root / name)[1].items() if path}
    return found


def _validate(text: str, lines: Lines) -> None:
    """Validate by pydantic: 0.14 s, paid once for each version of the files."""
    from pydantic import TypeAdapter, ValidationError

    from infra.model.settings import Settings

    try:
        TypeAdapter(Settings).validate_json(text)
    except ValidationError as error:
        raise _faults(error, lines) from error


def _read(file: Path) -> tuple[dict[str, Any], Lines]:
    import yaml

    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file.name}: {error}", next_step=f"mend {file.name}") from error
    try:
        node = yaml.compose(text, Loader=_loader())
        values = yaml.load(text, Loader=_loader())  # noqa: S506  # the safe loader, in C where there is one
    except yaml.YAMLError as error:
        raise BadInput(f"{file.name}: {_words(error)}", next_step=f"mend {file.name}") from error
    if values is None:
        return {}, {}
    if not isinstance(values, dict):
        raise BadInput(f"{file.name}: a mapping of keys is expected", next_step=f"mend {file.name}")
    lines = dict(_positions(node, (), file.name))
    repeated = sorted(where for path, where in lines.items() if path[-1:] == (_REPEATED,))
    if repeated:
        raise BadInput(f"a key is written twice: {', '.join(repeated)}", next_step=f"mend {file.name}")
    return {key: value for key, value in values.items() if key not in INVOKES_OWN}, lines


_REPEATED = "\0repeated"


def _loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _words(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)


def _positions(node: Any, path: tuple[str, ...], file: str) -> Iterator[tuple[tuple[str, ...], str]]:
    yield path, f"{file} line {node.start_mark.line + 1}"
    pairs = node.value if node.id == "mapping" else []
    seen: set[str] = set()
    for key, value in pairs:
        name = str(key.value)
        place = (*path, name)
        yield from _positions(value, place, file)
        yield place, f"{file} line {key.start_mark.line + 1}"
        if name in seen:
            yield (*place, _REPEATED), f"{'/'.join(place)}, {file} line {key.start_mark.line + 1}"
        seen.add(name)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _faults(error: Any, lines: Lines) -> BadInput:
    described = [_fault(fault, lines) for fault in error.errors(include_url=False, include_input=False)]
    count = f"{len(described)} faults" if len(described) > 1 else "a fault"
    return BadInput(
        f"the settings have {count}",
        next_step="mend invoke.yaml; its comments explain each key",
        evidence=tuple(described),
    )


def _fault(fault: Mapping[str, Any], lines: Lines) -> str:
    path = tuple(str(step) for step in fault["loc"])
    key = next(step for step in reversed(path) if not step.isdigit())
    said = {"unexpected_keyword_argument": NO_SUCH, "predicate_failed": EXPECTED.get(key, fault["msg"])}
    words = said.get(fault["type"], fault["msg"])
    known = next((lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines), FILES[0])
    return f"{'/'.join(path)}: {words} ({known})"
