"""Who this checkout is among others: what its namespace is made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from infra.model.runner import Identity
from infra.workspace import git


def identity(top: Path, variables: Mapping[str, str]) -> Identity:
    """Give BRANCH_NAME and WORKSPACE_ID of a person, git's branch, and the real path of the checkout."""
    return Identity(
        branch=variables.get("BRANCH_NAME", ""),
        workspace=variables.get("WORKSPACE_ID", ""),
        git_branch=git.branch(top, variables) or "",
        root=str(top.resolve()),
    )
