"""Secrets inside of a git work tree: one `git add` would take them along, one `git clean` away."""

from __future__ import annotations

from infra.model.errors import Denied

_ASIDE = "git --git-dir=$HOME/.home.git --work-tree=$HOME"


def inside_work_tree(what: str, folder: str, top: str, home: str, elsewhere: str) -> Denied:
    """Give the refusal of a folder. A home that is a work tree keeps its repository under another name."""
    words = f"{what} are never kept inside of a checkout: {folder} lies in {top}"
    if top != home:
        return Denied(words, next_step=elsewhere)
    return Denied(
        f"{words}, your home, which is a git work tree",
        next_step=f"mv ~/.git ~/.home.git   # and go on with it by {_ASIDE}",
        evidence=(
            "or keep them elsewhere: export XDG_DATA_HOME=... XDG_STATE_HOME=..., folders of your own",
        ),
    )
