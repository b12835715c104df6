"""The text of the pre-push hook, and how it runs the one that was there before."""

from __future__ import annotations

import shlex

from infra.plan.templates import Templates

NAME = "pre-push"
TEMPLATE = "hooks/pre-push.sh.j2"
SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh"})


def former_name(project: str) -> str:
    """Give the ending that a former hook has while ours is in its place."""
    return f"before-{project}"


def is_ours(text: str, project: str) -> bool:
    """Tell whether this is a hook that we wrote, of this version or an earlier one."""
    return f"# {project} pre-push, written by" in text


def hook_text(templates: Templates, project: str, here: str, former: str) -> str:
    """Give the hook. `here` is this checkout: absolute, or relative to the top of the one that is pushed.

    `former` is the text of the hook that it runs first, empty for none.
    """
    ending = former_name(project)
    return templates.render(
        TEMPLATE,
        project=project,
        former=ending,
        root=shlex.quote(here) if here.startswith("/") else f'"$top"/{shlex.quote(here)}',
        run_former=_run_former(former, ending),
    )


def _run_former(text: str, ending: str) -> str:
    """Give the shell words that run a former hook with the same input, its arguments, and its own name as $0.

    Some hooks are one script under many names, and look at $0. A shell reads it under its old name; any other
    program is started as it is.
    """
    first = text.partition("\n")[0]
    words = first.removeprefix("#!").split() if first.startswith("#!") else []
    names = [word.rpartition("/")[2] for word in words]
    program = names[1] if names[:1] == ["env"] and len(names) > 1 else next(iter(names), "")
    if program not in SHELLS:
        return '"$former" "$@"'
    return f"""{shlex.join(words)} -c '. "$0.{ending}"' "$0" "$@\""""
