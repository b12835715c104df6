"""Template texts to rendered texts: an undefined variable is an error, equal input gives equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from infra.model.errors import BadInput
from infra.plan import compose_text

HOLDS_BRACES = ".ctmpl.j2"
OTHER_SIGNS = {
    "block_start_string": "[%",
    "block_end_string": "%]",
    "variable_start_string": "[[",
    "variable_end_string": "]]",
    "comment_start_string": "[#",
    "comment_end_string": "#]",
}


class Templates:
    """The texts of `templates/` by their relative path; names that end in `.j2` are rendered by Jinja.

    Names that end in `.ctmpl.j2` are texts with braces of their own: there Jinja's are `[[ ]]` and `[% %]`.
    `make_cache` gives what Jinja keeps compiled templates in.
    """

    def __init__(self, texts: Mapping[str, str], make_cache: Callable[[], Any] | None = None) -> None:
        self._texts, self._make_cache = texts, make_cache

    def render(self, name: str, **values: object) -> str:
        """Give the rendered text; BadInput names the template and what it misses."""
        from jinja2 import TemplateError

        try:
            engine = self._brackets if name.endswith(HOLDS_BRACES) else self._braces
            return str(engine.get_template(name).render(**values))
        except TemplateError as error:
            raise BadInput(f"templates/{name}: {error}", next_step=f"mend templates/{name}") from error

    def text(self, name: str) -> str:
        """Give a text as it stands."""
        return self._texts[name]

    @cached_property
    def _braces(self) -> Any:
        return self._engine()

    @cached_property
    def _brackets(self) -> Any:
        return self._engine(**OTHER_SIGNS)

    def _engine(self, **signs: Any) -> Any:
        from jinja2 import DictLoader, Environment, StrictUndefined

        engine = Environment(
            loader=DictLoader(dict(self._texts)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            bytecode_cache=self._make_cache() if self._make_cache else None,
            autoescape=False,  # noqa: S701  # these are shell and configuration texts, not pages
            **signs,
        )
        engine.filters.update(compose_text.FILTERS)
        return engine
