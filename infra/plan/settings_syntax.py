"""What the lines of a settings class say, as a syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

DECORATED = ("validator", "serializer", "computed_field")


def is_field(line: ast.AnnAssign) -> bool:
    """Tell whether a line of a class declares a field."""
    name = ast.unparse(line.target)
    return not name.startswith("_") and name != "model_config" and name_of(line.annotation) != "ClassVar"


def lacks_a_type(line: ast.Assign) -> bool:
    """Tell whether this was meant as a field; a decorated function is none."""
    name = ast.unparse(line.targets[0])
    made = ast.unparse(line.value) if isinstance(line.value, ast.Call) else ""
    return not (name.startswith("_") or name == "model_config" or any(word in made for word in DECORATED))


def has_default(line: ast.AnnAssign) -> bool:
    """Tell whether a field can do without a value from outside."""
    value = line.value
    if value is not None and not _is_call_of(value, "Field"):
        return not is_constant(value, ...)
    for call in field_calls(line):
        words = {one.arg: one.value for one in call.keywords}
        stated = call.args[0] if call.args else words.get("default")
        if "default_factory" in words or (stated is not None and not is_constant(stated, ...)):
            return True
    return False


def field_calls(line: ast.AnnAssign) -> Iterator[ast.Call]:
    """Give what describes a field: the call that it is assigned, then those within `Annotated`."""
    noted = line.annotation
    inner = noted.slice if isinstance(noted, ast.Subscript) and name_of(noted) == "Annotated" else None
    for value in (line.value, *(inner.elts if isinstance(inner, ast.Tuple) else ())):
        if isinstance(value, ast.Call) and _is_call_of(value, "Field"):
            yield value


def configured(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """Give a class' configuration: its own keywords, `model_config`, and the older inner `Config`."""
    yield from ((one.arg, one.value) for one in node.keywords if one.arg)
    for line in node.body:
        if isinstance(line, ast.ClassDef) and line.name == "Config":
            yield from _assigned(line.body)
        for name, value in _assigned([line]):
            if name == "model_config" and isinstance(value, ast.Call):
                yield from ((one.arg, one.value) for one in value.keywords if one.arg)
            if name == "model_config" and isinstance(value, ast.Dict):
                pairs = zip(value.keys, value.values, strict=True)
                yield from ((str(key.value), one) for key, one in pairs if isinstance(key, ast.Constant))


def _assigned(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for line in body:
        if isinstance(line, ast.Assign):
            yield ast.unparse(line.targets[0]), line.value
        if isinstance(line, ast.AnnAssign) and line.value:
            yield ast.unparse(line.target), line.value


def name_of(node: ast.expr) -> str:
    """Give the last word of a dotted name, without what stands in its brackets."""
    return ast.unparse(node).partition("[")[0].rpartition(".")[2]


def _is_call_of(value: ast.expr, name: str) -> bool:
    return isinstance(value, ast.Call) and name_of(value.func) == name


def is_constant(value: ast.expr, constant: object) -> bool:
    """Tell whether an expression is just this constant."""
    return isinstance(value, ast.Constant) and value.value is constant
