"""The checks that rows may name in `run`: each proves one thing, or says what it saw instead."""

from __future__ import annotations

from collections.abc import Callable

from infra.accept.checks import clones, contract, drills, keys, names, paper, repository, runs, stack, vault
from infra.model.acceptance import Evidence

Check = Callable[..., Evidence]
_ALL = (
    stack.task,
    stack.page,
    stack.smoke,
    stack.smoke_refuses,
    stack.smoke_writes_nothing,
    stack.sql,
    stack.migrated,
    stack.survives,
    stack.served_release,
    contract.contract,
    drills.dead_unit,
    drills.late_release,
    drills.wrong_password,
    drills.broken_release,
    drills.held_back_secrets,
    keys.keys_agree,
    keys.keys_missing,
    names.namespaces_apart,
    names.names_printed,
    paper.rendered,
    paper.agent_waits,
    paper.no_own_container,
    paper.differ_only,
    paper.routed,
    paper.apart,
    paper.keys_rendered,
    paper.lints,
    clones.branch_names,
    clones.hook_pushes,
    runs.runs_meet,
    runs.worktrees_meet,
    runs.killed_run,
    runs.killed_run_cleaned,
    repository.attached,
    repository.graph,
    repository.deployer,
    repository.command_ends,
    vault.audited,
    vault.keys_kept,
    vault.credentials_stand,
    vault.bucket_answers,
    vault.rotated,
    vault.deploys_meet,
    vault.freshness_told,
)
CHECKS: dict[str, Check] = {check.__name__: check for check in _ALL}
