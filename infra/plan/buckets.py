"""Which buckets belong to test runs that are over. Names match exactly; in doubt a bucket is somebody's."""

from __future__ import annotations

import re
from collections.abc import Collection


def is_leaked(bucket: str, base: str, owned: Collection[str]) -> bool:
    """Tell whether a bucket is a namespace's, by its name, and none of those that somebody owns."""
    is_a_namespaces = re.fullmatch(f"{re.escape(base)}-[a-z0-9]+(-[a-z0-9]+)*", bucket) is not None
    return is_a_namespaces and bucket not in owned
