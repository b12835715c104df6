"""The table of the six environments. What an environment is stands here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from infra.model.environment import CheckpointLimits, Environment
from infra.model.errors import BadInput

ALIASES = {"prod": "production"}
ALLOWED = "local, local_ci, github_ci, pr_<N>, canary, staging, production"
_PREVIEW = re.compile(r"pr_([1-9][0-9]{0,5})")
_HYPHENATED_PREVIEW = re.compile(r"pr-([0-9]+)")

_LOCAL_LIMITS = CheckpointLimits(secrets=20, migrations=30, server=10, poll=0.1)
_LOCAL: Mapping[str, Any] = {
    "suffix": "",
    "domain_suffix": "",
    "default_target": "process",
    "has_object_store": True,
    "secrets_file": "local",
    "asks_consent": False,
    "cpu_weight": 1024,
    "health_deadline": 60,
    "checkpoints": _LOCAL_LIMITS,
    "gate_interval": 0.1,
    "settled_interval": 0.1,
    "watch_seconds": 1.0,
}
_DEPLOYED: Mapping[str, Any] = {
    "default_target": "dokploy",
    "has_application": True,
    "has_router": False,
    "secret_store": "vault",
    "gate_interval": 0.25,
    "settled_interval": 2.0,
    "watch_seconds": 10.0,
}

TABLE: Mapping[str, Mapping[str, Any]] = {
    "local": {
        **_LOCAL,
        "kind": "local",
        "app_env": "development",
        "tag": "development",
        "other_targets": ("docker", "none"),
        "has_application": True,
        "has_router": True,
        "secret_store": "file",
        "bucket": "statements",
        "keeps_data": True,
    },
    "local_ci": {
        **_LOCAL,
        "kind": "local_ci",
        "app_env": "test",
        "tag": "test",
        "other_targets": ("docker",),
        "has_application": False,
        "has_router": False,
        "secret_store": "file",
        "bucket": "statements",
        "keeps_data": False,
    },
    "github_ci": {
        **_LOCAL,
        "kind": "github_ci",
        "app_env": "test",
        "tag": "ci",
        "other_targets": ("docker",),
        "has_application": False,
        "has_router": False,
        "secret_store": "job",
        "bucket": "statements",
        "keeps_data": False,
    },
    "preview": {
        **_DEPLOYED,
        "kind": "preview",
        "app_env": "preview",
        "other_targets": ("docker", "ssh", "process"),
        "has_object_store": True,
        "bucket": "statements",
        "keeps_data": False,
        "asks_consent": False,
        "cpu_weight": 256,
        "health_deadline": 600,
        "checkpoints": CheckpointLimits(secrets=120, migrations=360, server=120, poll=1.0),
    },
    "staging": {
        **_DEPLOYED,
        "kind": "staging",
        "app_env": "staging",
        "other_targets": ("ssh", "docker", "process"),
        "has_object_store": False,
        "bucket": "{project}-staging",
        "keeps_data": True,
        "asks_consent": False,
        "cpu_weight": 512,
        "health_deadline": 360,
        "checkpoints": CheckpointLimits(secrets=120, migrations=180, server=60, poll=1.0),
    },
    "production": {
        **_DEPLOYED,
        "kind": "production",
        "app_env": "production",
        "other_targets": ("ssh", "process"),
        "has_object_store": False,
        "bucket": "{project}-production",
        "keeps_data": True,
        "asks_consent": True,
        "cpu_weight": 1024,
        "health_deadline": 240,
        "checkpoints": CheckpointLimits(secrets=60, migrations=120, server=60, poll=1.0),
    },
}


def environment(name: str) -> Environment:
    """Give the environment of that name; BadInput lists the allowed ones."""
    exact = canonical(name)
    row = TABLE.get(exact) or TABLE["preview"]
    is_preview = row["kind"] == "preview"
    return Environment(
        **{
            "suffix": env_suffix(exact),
            "domain_suffix": domain_suffix(exact),
            "tag": domain_form(exact),
            "secrets_file": exact,
            "store_path": f"preview/{exact}" if is_preview and exact != "canary" else exact,
            **row,
            "name": exact,
        },
    )


def canonical(name: str) -> str:
    """Give the exact form of a name: stripped, in lower case, aliases resolved; else BadInput."""
    plain = name.strip().lower()
    plain = ALIASES.get(plain, plain)
    hyphenated = _HYPHENATED_PREVIEW.fullmatch(plain)
    plain = f"pr_{hyphenated[1]}" if hyphenated else plain
    if (plain in TABLE and plain != "preview") or plain == "canary" or _PREVIEW.fullmatch(plain):
        return plain
    hint = "; N is 1 to 999999 without leading zeros" if plain.startswith("pr") else ""
    if re.search(r"[^a-z0-9_]", plain):
        hint = "; parts of a name are joined by _"
    raise BadInput(f"{name!r} is no environment; allowed are {ALLOWED}{hint}", next_step="--env local")


def choose(explicit: str | None, deploy_env: str | None, default: str) -> str:
    """Give the name that counts: --env, then DEPLOY_ENV, then the default, which is never production."""
    chosen = explicit or deploy_env
    if chosen:
        return canonical(chosen)
    fallback = canonical(default)
    if fallback == "production":
        raise BadInput("production is never the default", next_step="--env production")
    return fallback


def domain_form(name: str) -> str:
    """Give the name as host names and suffixes write it: `pr_47` as `pr-47`."""
    return name.replace("_", "-")


def env_suffix(name: str) -> str:
    """Give what names of this environment end in: empty for production, else a hyphen and its domain form."""
    return "" if name == "production" else f"-{domain_form(name)}"


def domain_suffix(name: str) -> str:
    """Give what host names end in: the same text as `env_suffix`, kept apart because only it may go there."""
    return env_suffix(name)
