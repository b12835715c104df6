"""Template texts to rendered texts: an undefined variable is an error, equal input gives equal bytes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from infra.model.errors import BadInput


class Templates:
    """The texts of `templates/` by their relative path; names that end in `.j2` are rendered by Jinja."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def render(self, name: str, **values: object) -> str:
        """Give the rendered text; BadInput names the template and what it misses."""
        from jinja2 import TemplateError

        try:
            return str(self._engine.get_template(name).render(**values))
        except TemplateError as error:
            raise BadInput(f"templates/{name}: {error}", next_step=f"mend templates/{name}") from error

    def text(self, name: str) -> str:
        """Give a text as it stands."""
        return self._texts[name]

    @cached_property
    def _engine(self) -> Any:
        from jinja2 import DictLoader, Environment, StrictUndefined

        return Environment(
            loader=DictLoader(dict(self._texts)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701  # these are shell and configuration texts, not pages
        )
