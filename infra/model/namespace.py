"""The namespace of a checkout: what keeps its test databases, buckets and names apart from all others."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TypeGuard

from infra.model.errors import BadInput

LIMIT = 38
_HASH_LENGTH = 8
_PLAIN_BRANCH = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ONE_WORD = re.compile(r"[a-z0-9]+")
_AMBIGUOUS_WORD = re.compile(r"[0-9a-f]{8}|gw[0-9]+")
_NAMESPACE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_WORKER_END = re.compile(r"(^|_)gw[0-9]+\Z")


def short_hash(text: str) -> str:
    """Give the first 8 hex digits of SHA-256 over UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_HASH_LENGTH]


def sanitize_namespace(name: str) -> str:
    """Give the name in `a-z0-9_` alone; BadInput when nothing of it is left. Two names may become one."""
    if not isinstance(name, str) or not name.strip():
        raise BadInput(f"a name is expected, not {name!r}", next_step="set BRANCH_NAME to a branch")
    ascii_only = name.encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9_]", "", re.sub(r"[/-]", "_", ascii_only))
    clean = re.sub(r"_+", "_", words).strip("_")
    if not clean:
        raise BadInput(
            f"{name!r} holds no letter or digit that a name may use",
            next_step="set BRANCH_NAME and WORKSPACE_ID to names with a-z or 0-9",
        )
    return clean


def get_namespace(branch: str | None, workspace: str | None, git_branch: str | None, repo_root: str) -> str:
    """Give the namespace of a checkout; two different sources never share one, up to a 32-bit hash.

    `branch` and `workspace` are BRANCH_NAME and WORKSPACE_ID, blank counting as unset. Without a branch
    anywhere it is `default_<hash>`, of which the caller warns. BadInput for a branch or workspace that
    holds nothing usable: leaving it out would let two checkouts share a database.
    """
    if _is_set(branch):
        return shortened(_of_variables(branch, workspace if _is_set(workspace) else None))
    if _is_set(git_branch):
        return shortened(_of_git(git_branch, repo_root))
    return f"default_{short_hash(repo_root)}"


def _is_set(variable: str | None) -> TypeGuard[str]:
    return bool(variable and variable.strip())


def _of_variables(branch: str, workspace: str | None) -> str:
    words = [sanitize_namespace(branch), *([sanitize_namespace(workspace)] if workspace else [])]
    joined = "_".join(words)
    if _is_plain(branch, workspace, joined):
        return joined
    return f"{joined}_{short_hash(json.dumps([branch, workspace], separators=(',', ':')))}"


def _is_plain(branch: str, workspace: str | None, joined: str) -> bool:
    """Tell whether the joined words can come from this branch and workspace alone."""
    count = branch.count("-") + 1
    counts_fit = count <= 2 if workspace is None else count >= 2 and bool(_ONE_WORD.fullmatch(workspace))
    last = joined.rpartition("_")[2]
    return bool(_PLAIN_BRANCH.fullmatch(branch)) and counts_fit and not _AMBIGUOUS_WORD.fullmatch(last)


def _of_git(branch: str, repo_root: str) -> str:
    try:
        words = sanitize_namespace(branch)
    except BadInput:
        words = "branch"
    source = repo_root if _PLAIN_BRANCH.fullmatch(branch) else f"{repo_root}\n{branch}"
    return f"{words}_{short_hash(source)}"


def shortened(namespace: str, limit: int = LIMIT) -> str:
    """Give the namespace in at most `limit` bytes: a longer one is its start and a hash of the whole."""
    if len(namespace) <= limit:
        return namespace
    return f"{namespace[: limit - _HASH_LENGTH - 1].rstrip('_')}_{short_hash(namespace)}"


def checked(namespace: str) -> str:
    """Give the namespace itself; BadInput when it has another form, or one that a test worker's name has."""
    well_formed = isinstance(namespace, str) and _NAMESPACE.fullmatch(namespace)
    if not well_formed or _WORKER_END.search(namespace):
        raise BadInput(
            f"{namespace!r} is no namespace: words of a-z0-9 joined by _, the last one not gw<N>",
            next_step="./inv test.names",
        )
    return namespace
