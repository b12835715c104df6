"""The settings of an application, read from the syntax tree of its module: nothing of it is ever run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.model.errors import BadInput

BASES = frozenset({"BaseSettings", "BaseModel"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable that an application reads; `has_default` tells that it can do without."""

    name: str
    has_default: bool


def settings_of(source: str, place: str) -> tuple[Setting, ...]:
    """Give the settings of a module; BadInput when it does not parse, or holds no settings.

    They are the fields of the settings class, its bases in the same module included: the alias, the first of
    several, or the field's name in capitals behind the prefix. Where there is no class, they are what the
    module asks `os.environ` and `os.getenv` for.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise BadInput(f"{place}: line {error.lineno}: {error.msg}", next_step=f"mend {place}") from error
    found = tuple(_of_class(tree)) or tuple(_of_calls(tree))
    if not found:
        raise BadInput(
            f"{place}: no settings class and no os.environ is in it",
            next_step="derive a class from BaseSettings or BaseModel there",
        )
    return found


def _of_class(tree: ast.Module) -> Iterator[Setting]:
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    chosen = next((node for node in reversed(classes.values()) if _is_settings(node, classes)), None)
    if chosen is not None:
        yield from _fields(chosen, classes, _prefix(chosen)).values()


def _is_settings(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> bool:
    names = [_name(base) for base in node.bases]
    inherits = any(name in classes and _is_settings(classes[name], classes) for name in names)
    return "Settings" in node.name and (inherits or not BASES.isdisjoint(names))


def _fields(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], prefix: str) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for base in map(_name, node.bases):
        if base in classes:
            found |= _fields(classes[base], classes, prefix)
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            field = line.target.id
            if not field.startswith("_") and field != "model_config":
                found[field] = Setting(
                    _alias(line.value) or f"{prefix}{field}".upper(), _has_default(line.value)
                )
    return found


def _alias(value: ast.expr | None) -> str:
    """Give the variable's name that a Field call states, the first one of several; empty for none."""
    words = _words(value)
    for key in ("validation_alias", "alias", "env"):
        stated = words.get(key)
        choices = [stated] if not isinstance(stated, ast.Call) else stated.args
        if isinstance(stated, ast.List | ast.Tuple):
            choices = stated.elts
        for choice in choices:
            if isinstance(choice, ast.Constant) and isinstance(choice.value, str):
                return choice.value
    return ""


def _has_default(value: ast.expr | None) -> bool:
    if value is None:
        return False
    if not (isinstance(value, ast.Call) and _name(value.func) == "Field"):
        return not _is_ellipsis(value)
    stated = _words(value)
    first = value.args[0] if value.args else stated.get("default")
    return "default_factory" in stated or (first is not None and not _is_ellipsis(first))


def _words(value: ast.expr | None) -> dict[str, ast.expr]:
    is_field = isinstance(value, ast.Call) and _name(value.func) == "Field"
    keywords = value.keywords if is_field and isinstance(value, ast.Call) else []
    return {one.arg: one.value for one in keywords if one.arg}


def _prefix(node: ast.ClassDef) -> str:
    """Give the `env_prefix` of a settings class."""
    for call in ast.walk(node):
        if (
            isinstance(call, ast.keyword)
            and call.arg == "env_prefix"
            and isinstance(call.value, ast.Constant)
        ):
            return str(call.value.value)
    return ""


def _of_calls(tree: ast.Module) -> Iterator[Setting]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            yield from _setting(node.slice, has_default=False)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"os.getenv", "os.environ.get"}:
            yield from _setting(node.args[0] if node.args else None, has_default=True)


def _setting(name: ast.expr | None, *, has_default: bool) -> Iterator[Setting]:
    if isinstance(name, ast.Constant) and isinstance(name.value, str):
        yield Setting(name.value, has_default)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_ellipsis(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is ...
