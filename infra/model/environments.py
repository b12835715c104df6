"""The table of the six environments. What an environment is stands here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from infra.model.environment import CheckpointLimits, Environment
from infra.model.errors import BadInput

ALIASES = {"prod": "production"}
ALLOWED = "local, local_ci, github_ci, pr_<N>, canary, staging, production"
_PREVIEW = re.compile(r"pr_[1-9][0-9]{0,5}")
_HYPHENATED_PREVIEW = re.compile(r"pr-([0-9]+)")

_LOCAL = Environment(
    name="local",
    kind="local",
    suffix="",
    domain_suffix="",
    app_env="development",
    tag="development",
    default_target="process",
    other_targets=("docker", "none"),
    has_application=True,
    has_router=True,
    has_object_store=True,
    secret_store="file",
    secrets_file="local",
    store_path="local",
    namespaced="other checkouts",
    bucket="statements",
    data_kept="until destroyed",
    asks_consent=False,
    cpu_weight=1024,
    health_deadline=60,
    checkpoints=CheckpointLimits(secrets=20, migrations=30, server=10, poll=0.1),
    gate_interval=0.1,
    settled_interval=0.1,
    watch_seconds=1.0,
)
_LOCAL_CI = replace(
    _LOCAL,
    name="local_ci",
    kind="local_ci",
    app_env="test",
    tag="test",
    other_targets=("docker",),
    has_application=False,
    has_router=False,
    store_path="local_ci",
    namespaced="always",
    data_kept="until the run ends",
)
_GITHUB_CI = replace(
    _LOCAL_CI,
    name="github_ci",
    kind="github_ci",
    tag="ci",
    secret_store="job",
    secrets_file="github_ci",
    store_path="github_ci",
    namespaced="never",
    data_kept="until the job ends",
)
_PRODUCTION = Environment(
    name="production",
    kind="production",
    suffix="",
    domain_suffix="",
    app_env="production",
    tag="production",
    default_target="dokploy",
    other_targets=("ssh", "process"),
    has_application=True,
    has_router=False,
    has_object_store=False,
    secret_store="vault",
    secrets_file="production",
    store_path="production",
    namespaced="never",
    bucket="{project}-production",
    data_kept="until destroyed",
    asks_consent=True,
    cpu_weight=1024,
    health_deadline=240,
    checkpoints=CheckpointLimits(secrets=60, migrations=120, server=60, poll=1.0),
    gate_interval=0.25,
    settled_interval=2.0,
    watch_seconds=10.0,
)
_STAGING = replace(
    _PRODUCTION,
    name="staging",
    kind="staging",
    suffix="-staging",
    domain_suffix="-staging",
    app_env="staging",
    tag="staging",
    other_targets=("ssh", "docker", "process"),
    secrets_file="staging",
    store_path="staging",
    bucket="{project}-staging",
    asks_consent=False,
    cpu_weight=512,
    health_deadline=360,
    checkpoints=CheckpointLimits(secrets=120, migrations=180, server=60, poll=1.0),
)
_CANARY = replace(
    _STAGING,
    name="canary",
    kind="preview",
    suffix="-canary",
    domain_suffix="-canary",
    app_env="preview",
    tag="canary",
    other_targets=("docker", "ssh", "process"),
    has_object_store=True,
    secrets_file="canary",
    store_path="canary",
    bucket="statements",
    data_kept="until closed",
    cpu_weight=256,
    health_deadline=600,
    checkpoints=CheckpointLimits(secrets=120, migrations=360, server=120, poll=1.0),
)
_TABLE: Mapping[str, Environment] = {
    row.name: row for row in (_LOCAL, _LOCAL_CI, _GITHUB_CI, _CANARY, _STAGING, _PRODUCTION)
}


def environment(name: str) -> Environment:
    """Give the environment of that name; BadInput lists the allowed ones."""
    exact = canonical(name)
    return _TABLE.get(exact) or _preview(exact)


def _preview(name: str) -> Environment:
    """Give the environment of a pull request: the canary with the request's number."""
    return replace(
        _CANARY,
        name=name,
        suffix=env_suffix(name),
        domain_suffix=domain_suffix(name),
        tag=domain_form(name),
        secrets_file=name,
        store_path=f"preview/{name}",
    )


def canonical(name: str) -> str:
    """Give the exact form of a name: stripped, in lower case, aliases resolved; else BadInput."""
    plain = name.strip().lower()
    plain = ALIASES.get(plain, plain)
    hyphenated = _HYPHENATED_PREVIEW.fullmatch(plain)
    plain = f"pr_{hyphenated[1]}" if hyphenated else plain
    if plain in _TABLE or _PREVIEW.fullmatch(plain):
        return plain
    raise BadInput(
        f"{name!r} is no environment; allowed are {ALLOWED}{_hint(plain)}",
        next_step="name one of them: --env local",
    )


def _hint(name: str) -> str:
    if name.startswith("pr"):
        return "; <N> is 1 to 999999 without a leading zero"
    return "; parts of a name are joined by _" if re.search(r"[^a-z0-9_]", name) else ""


def choose(explicit: str | None, deploy_env: str | None, default: str) -> str:
    """Give the name that counts: --env, then DEPLOY_ENV, then the default, which is never production.

    An --env that is given and empty is a fault; a variable that is empty counts as unset.
    """
    if explicit is not None:
        return canonical(explicit)
    if deploy_env:
        return canonical(deploy_env)
    fallback = canonical(default)
    if fallback == "production":
        raise BadInput("production is never the default", next_step="name it: --env production")
    return fallback


def domain_form(name: str) -> str:
    """Give the name as host names and suffixes write it: `pr_47` as `pr-47`."""
    return canonical(name).replace("_", "-")


def env_suffix(name: str) -> str:
    """Give a hyphen and the domain form of a name, and nothing for production."""
    exact = canonical(name)
    return "" if exact == "production" else f"-{domain_form(exact)}"


def domain_suffix(name: str) -> str:
    """Give what host names end in: the same text as `env_suffix`, kept apart because only it may go there."""
    return env_suffix(name)
