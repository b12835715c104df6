"""The settings of an application, read from the syntax tree of its module: nothing of it is ever run.

What cannot be read there is an error with its line, never a setting less.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.model.errors import BadInput
from infra.plan.settings_syntax import (
    configured,
    field_calls,
    has_default,
    is_constant,
    is_field,
    lacks_a_type,
    name_of,
)

WITHOUT_FIELDS = frozenset({"BaseSettings", "BaseModel", "ABC", "Generic", "Protocol", "object"})
UNREADABLE = ("alias_generator", "env_nested_delimiter")
ALIASES = ("validation_alias", "alias", "env")


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable that an application reads; `has_default` tells that it can do without."""

    name: str
    has_default: bool


def settings_of(source: str, place: str) -> tuple[Setting, ...]:
    """Give the settings of a module; BadInput when it does not parse, or holds no settings.

    They are the fields of the settings classes, bases in the same module included: the alias, the first of
    several, or the field's name in capitals behind the prefix. Where there is no class, they are what the
    module asks `os.environ` and `os.getenv` for.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line, words = getattr(error, "lineno", None) or 1, getattr(error, "msg", str(error))
        raise BadInput(f"{place}: line {line}: {words}", next_step=f"mend {place}") from error
    module = _Module(tree, place)
    found = tuple(module.settings()) or tuple(_asked_for(module))
    if not found:
        raise BadInput(
            f"{place}: no settings class and no os.environ is in it",
            next_step="derive a class from BaseSettings or BaseModel there",
        )
    return found


class _Module:
    """A module's classes and text constants by name."""

    def __init__(self, tree: ast.Module, place: str) -> None:
        self.tree, self._place = tree, place
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self._texts = dict(_texts(tree.body))

    def settings(self) -> Iterator[Setting]:
        """Give the fields of the settings classes; of a class and its heir, the heir's."""
        lineages = [self._lineage(node) for node in self._chosen()]
        inherited = {id(base) for lineage in lineages for base in lineage[:-1]}
        for lineage in lineages:
            if id(lineage[-1]) not in inherited:
                yield from self._fields(lineage).values()

    def _chosen(self) -> list[ast.ClassDef]:
        """Give the classes that read variables: by themselves, or as the plain model that somebody fills."""
        classes = list(self.classes.values())
        readers = [node for node in classes if self._reaches(node, "BaseSettings")]
        named = [node for node in classes if "Settings" in node.name]
        models = [node for node in named if self._reaches(node, "BaseModel")]
        foreign = [node for node in named if node.name.endswith("Settings") and self._is_foreign(node)]
        return readers or (models or foreign)[-1:]

    def _is_foreign(self, node: ast.ClassDef) -> bool:
        return any(not above and name_of(base) not in WITHOUT_FIELDS for base, above in self._bases(node))

    def _reaches(self, node: ast.ClassDef, base: str) -> bool:
        return any(
            name_of(one) == base or (above is not None and self._reaches(above, base))
            for one, above in self._bases(node)
        )

    def _bases(self, node: ast.ClassDef) -> Iterator[tuple[ast.expr, ast.ClassDef | None]]:
        """Give the bases with their classes, which have to stand above their heir."""
        for base in node.bases:
            above = self.classes.get(name_of(base))
            yield base, above if above and above.lineno < node.lineno else None

    def _lineage(self, node: ast.ClassDef) -> list[ast.ClassDef]:
        """Give the classes whose fields a class has, itself last."""
        found: list[ast.ClassDef] = []
        for base, above in reversed(tuple(self._bases(node))):
            if above is not None:
                found += self._lineage(above)
            elif name_of(base) not in WITHOUT_FIELDS:
                words = f"{node.name} inherits {ast.unparse(base)}, whose fields are not in this file"
                raise self.unreadable(node, words)
        return [*found, node]

    def _fields(self, lineage: Sequence[ast.ClassDef]) -> dict[str, Setting]:
        prefix = self._prefix(lineage)
        found: dict[str, Setting] = {}
        for line in (line for node in lineage for line in node.body):
            if isinstance(line, ast.AnnAssign) and is_field(line):
                field = ast.unparse(line.target)
                name = self._alias(line) or f"{prefix}{field}".upper()
                found[field] = Setting(name, has_default(line))
            elif isinstance(line, ast.Assign) and lacks_a_type(line):
                raise self.unreadable(line, f"{ast.unparse(line.targets[0])} has no type, so it is no field")
        return found

    def _prefix(self, lineage: Sequence[ast.ClassDef]) -> str:
        config = {key: value for node in lineage for key, value in configured(node)}
        for key in UNREADABLE:
            if key in config and not is_constant(config[key], None):
                raise self.unreadable(config[key], f"{key} makes names that stand nowhere")
        return self.text(config["env_prefix"]) if "env_prefix" in config else ""

    def _alias(self, line: ast.AnnAssign) -> str:
        """Give the variable's name that a field states, the first one of several; empty for none."""
        for call in field_calls(line):
            words = {one.arg or "**": one.value for one in call.keywords}
            if "**" in words:
                raise self.unreadable(call, "what `**` stands for is not written here")
            for key in ALIASES:
                if key in words and not is_constant(words[key], None):
                    return self.text(words[key])
        return ""

    def text(self, value: ast.expr) -> str:
        """Give the text that an expression states, the first one of several; BadInput when it is computed."""
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
        if isinstance(value, ast.Name) and value.id in self._texts:
            return self._texts[value.id]
        several = value.elts if isinstance(value, ast.List | ast.Tuple) else []
        if isinstance(value, ast.Call) and name_of(value.func) in {"AliasChoices", "AliasPath"}:
            several = value.args
        if not several:
            raise self.unreadable(value, f"{ast.unparse(value)} is computed: write the name itself")
        return self.text(several[0])

    def unreadable(self, node: ast.expr | ast.stmt, words: str) -> BadInput:
        """Give the error for something that nobody can read without running it."""
        return BadInput(f"{self._place}: line {node.lineno}: {words}", next_step=f"mend {self._place}")


def _texts(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for line in body:
        value = line.value if isinstance(line, ast.Assign) else None
        if isinstance(line, ast.Assign) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield ast.unparse(line.targets[0]), value.value


def _asked_for(module: _Module) -> Iterator[Setting]:
    """Give the variables that a module asks for by itself."""
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Subscript)
            and _path(node.value) == "environ"
            and isinstance(node.ctx, ast.Load)
        ):
            yield Setting(module.text(node.slice), has_default=False)
        if isinstance(node, ast.Call) and _path(node.func) in {"getenv", "environ.get"} and node.args:
            yield Setting(module.text(node.args[0]), has_default=True)


def _path(node: ast.expr) -> str:
    return ast.unparse(node).removeprefix("os.")
