"""`invoke.yaml` and a person's `invoke.local.yaml`, read, merged and validated whole.

Environment variables and files of the home folder are never read: what a deploy does stands in this tree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from infra.model import yaml_text
from infra.model.errors import BadInput
from infra.workspace import stamps

if TYPE_CHECKING:
    from infra.model.settings import Settings

FILES = ("invoke.yaml", "invoke.local.yaml")
INVOKES_OWN = frozenset({"tasks", "run", "runners", "sudo", "timeouts"})
NO_SUCH = "no such setting"
SHOWN = 20  # characters of a value that is told
EXPECTED = {
    "default_env": "production is never the default: name it with --env production",
    "environment": "the name of a variable is expected: letters, digits and _",
    "data_root": "an absolute path is expected, without .., blanks or a closing slash",
    "mount": "one word of a-z0-9_- is expected",
    "object_store": "embedded, none, or the http or https address of an S3 server is expected",
    "endpoint": "an http or https address is expected, without login or query",
}
WRITTEN = {
    "int_type": "a whole number in digits is expected",
    "int_from_float": "a whole number in digits is expected",
    "float_type": "a number in digits is expected",
    "bool_type": "true or false is expected",
    "string_type": "text is expected, in quotes where it looks like a number, true or false",
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
    text = json.dumps(values, sort_keys=True)
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
    text = _text(file)
    if text is None:
        return {}, {}
    try:
        node, values = yaml_text.compose(text), yaml_text.parse(text)
        lines = dict(_positions(node, (), file.name)) if node else {}
        json.dumps(values, sort_keys=True)
    except yaml.YAMLError as error:
        raise _unfit(file, yaml_text.words(error)) from error
    except TypeError as error:
        raise _unfit(file, "keys that are words are expected, and one is a number or empty") from error
    if values is None:
        return {}, {}
    if not isinstance(values, dict):
        raise _unfit(file, "a mapping of keys is expected")
    repeated = sorted(where for path, where in lines.items() if path[-1:] == (_REPEATED,))
    if repeated:
        raise BadInput(f"a key is written twice: {', '.join(repeated)}", next_step=f"mend {file.name}")
    return {key: value for key, value in values.items() if key not in INVOKES_OWN}, lines


def _text(file: Path) -> str | None:
    """Give what a file of settings says, None where there is none; what cannot be read is a fault."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        if file.is_symlink():
            raise _unfit(file, f"it is a link to {file.readlink()}, and nothing is there") from None
        return None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _unfit(
            file, f"line {line}: UTF-8 is expected, and byte {error.object[error.start]:#x} is none"
        ) from error
    except IsADirectoryError as error:
        raise _unfit(file, "a file is expected, and it is a folder") from error
    except OSError as error:
        raise _unfit(file, f"it cannot be read: {error.strerror}") from error
    if not text.strip():
        raise BadInput(
            f"{file.name}: it is empty", next_step=f"write a setting or a comment, or rm {file.name}"
        )
    return text


def _unfit(file: Path, words: str) -> BadInput:
    return BadInput(f"{file.name}: {words}", next_step=f"mend {file.name}")


_REPEATED = "\0repeated"


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
    described = [_fault(fault, lines) for fault in error.errors(include_url=False)]
    files = [name for name in FILES if any(f"({name} " in one or f"({name})" in one for one in described)]
    count = f"{len(described)} faults" if len(described) > 1 else "a fault"
    return BadInput(
        f"the settings have {count}",
        next_step=f"mend {' and '.join(files)}; the comments of invoke.yaml explain each key",
        evidence=tuple(described),
    )


def _fault(fault: Mapping[str, Any], lines: Lines) -> str:
    path = tuple(str(step) for step in fault["loc"])
    key = next(step for step in reversed(path) if not step.isdigit())
    said = {"unexpected_keyword_argument": NO_SUCH, "predicate_failed": EXPECTED.get(key, fault["msg"])}
    words = said.get(fault["type"]) or _written(fault)
    known = next((lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines), FILES[0])
    return f"{'/'.join(path)}: {words} ({known})"


def _written(fault: Mapping[str, Any]) -> str:
    """Give what is expected and what stands there, where that is a scalar of another type than is meant."""
    found = fault.get("input")
    is_plain = isinstance(found, str | int | float) and len(str(found)) <= SHOWN
    expected = WRITTEN.get(fault["type"], fault["msg"])
    return f"{expected}, not {json.dumps(found)}" if fault["type"] in WRITTEN and is_plain else expected
