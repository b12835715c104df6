"""Compiled templates in the cache folder: compiling them costs as much as all the rest of a plan."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from infra.workspace.cache import cache_folder

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


def template_cache() -> Any:
    """Give a cache for Jinja; where nothing can be read or written, templates are compiled each time."""
    from jinja2 import BytecodeCache

    place = cache(lambda: cache_folder("templates"))  # looked at once, and only where it is used

    class Kept(BytecodeCache):
        """Compiled templates as private files; Jinja checks that each was made from the very same text."""

        def load_bytecode(self, bucket: Bucket) -> None:
            with (
                suppress(OSError, EOFError, ValueError, TypeError),
                (place() / bucket.key).open("rb") as file,
            ):
                if os.fstat(file.fileno()).st_uid == os.getuid():
                    bucket.load_bytecode(file)

        def dump_bytecode(self, bucket: Bucket) -> None:
            file = place() / bucket.key
            beside = file.with_name(f"{file.name}.{os.getpid()}")
            with suppress(OSError):
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                beside.write_bytes(bucket.bytecode_to_string())
                beside.replace(file)

    return Kept()
