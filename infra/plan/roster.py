"""Which services an environment has on a target, and what a rehearsal asks less of them."""

from __future__ import annotations

from dataclasses import replace

from infra.model.addresses import OBJECT_STORE_KEYS
from infra.model.environment import Environment, Target
from infra.model.secret import SecretSpec
from infra.model.service import Project, Service

EMBEDDED = "embedded"


def roster(project: Project, environment: Environment, target: Target) -> tuple[Service, ...]:
    """Give the services of an environment on a target, each after its needs."""
    return tuple(one for one in project.services if is_here(one, environment, target))


def is_here(service: Service, environment: Environment, target: Target) -> bool:
    """Tell whether a service is part of an environment on this target.

    As processes every stack has a router of its own.
    """
    if service.from_source and not environment.has_application:
        return False
    if service.only_with == "router":
        return environment.has_application and (environment.has_router or target == "process")
    if service.only_with == "object_store":
        return environment.has_object_store
    return True


def with_object_store(environment: Environment, wish: str) -> Environment:
    """Give the environment with the object store that a person wishes for processes.

    Its own one, where it has one and the wish is "embedded"; none at all for "none" and for an address.
    """
    return replace(environment, has_object_store=environment.has_object_store and wish == EMBEDDED)


def with_foreign_store(project: Project) -> Project:
    """Give the project as it runs with an object store of somebody else's: the keys for it are required."""
    services = tuple(
        replace(one, secrets=tuple(_required(spec) for spec in one.secrets)) for one in project.services
    )
    return replace(project, services=services)


def _required(spec: SecretSpec) -> SecretSpec:
    return replace(spec, optional_in=frozenset()) if spec.key in OBJECT_STORE_KEYS else spec


def rehearsed(project: Project, environment: Environment) -> Project:
    """Give the project as a rehearsal runs it: what may be absent on a laptop is optional in it as well."""
    services = tuple(
        replace(one, secrets=tuple(_relaxed(spec, environment) for spec in one.secrets))
        for one in project.services
    )
    return replace(project, services=services)


def _relaxed(spec: SecretSpec, environment: Environment) -> SecretSpec:
    if spec.required_in("local"):
        return spec
    return replace(spec, optional_in=spec.optional_in | {environment.name})
