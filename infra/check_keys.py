"""The contract of keys as a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.model.environments import environment
from infra.model.errors import BadInput, KnownBad, MissingProgram
from infra.plan.agent import agent_files
from infra.plan.compose import units_of
from infra.plan.key_contract import (
    Broken,
    Contract,
    broken,
    dockerfile_arguments,
    example_keys,
    template_keys,
    undocumented_use,
)
from infra.plan.settings_module import settings_of
from infra.scenes import Wishes, chosen_environment, scene_of
from infra.workspace import contract_files, settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project, Service
    from infra.plan.container_scene import ContainerScene

SETTINGS, EXAMPLE = "src/config.py", ".env.example"
DEPLOYED = "staging"


def check(
    this: Command, project: Project, env: str | None, *, diff: bool, fix: bool, live: bool, app_dir: str
) -> None:
    """Print each relation that does not hold; KnownBad when one does not, BadInput for missing input."""
    if live:
        name = chosen_environment(this, env).name
        raise MissingProgram(
            f"comparing with the key names of {name} needs a Vault, which is not part of this version",
            next_step="./inv env.check-keys",
        )
    if env:
        raise BadInput("--env says nothing without --live", next_step="./inv env.check-keys")
    source = Path(app_dir) if app_dir else this.root / settings_file.load(this.root).app.source
    contract = contract_of(this, project, source.resolve())
    found = broken(contract)
    this.outcome.facts |= _facts(contract, found, source)
    for one in found:
        this.console.answer(str(one))
        for key in one.keys if fix else ():
            this.console.answer(f"   {one.mend.format(key=key)}")
    if diff:
        for key in undocumented_use(contract):
            this.console.answer(f"information: {key} is in the example and no setting reads it")
    if found:
        words = f"{len(found)} of 5 relations do not hold"
        raise KnownBad(words, next_step="./inv env.check-keys --fix", evidence=tuple(map(str, found)))
    this.console.answer(f"all 5 relations hold for {len(contract.settings)} settings")


def contract_of(this: Command, project: Project, source: Path) -> Contract:
    """Give the keys of each side, read anew; BadInput names the file that is missing or does not parse."""
    scene = scene_of(this, project, environment(DEPLOYED), Wishes(env=DEPLOYED))
    service = next(one for one in project.services if one.from_source and one.secrets)
    backend = next(part for part in service.parts if part.reads_secrets)
    frontend = next((part for part in service.parts if not part.reads_secrets), None)
    module = f"{backend.folder}/{SETTINGS}"
    dockerfile = contract_files.read(source, f"{frontend.folder}/Dockerfile") if frontend else ""
    build_args = frontend.container.build_args if frontend and frontend.container else ()
    return Contract(
        template=_template(service, scene),
        settings=settings_of(contract_files.read(source, module), module),
        example=example_keys(contract_files.read(source, EXAMPLE)),
        arguments=dockerfile_arguments(dockerfile),
        build_args=frozenset(build_args),
        declared=frozenset(spec.key for spec in service.secrets),
        delivered=_delivered(service, backend.name, scene),
    )


def _template(service: Service, scene: ContainerScene) -> frozenset[str]:
    place = scene.environment, scene.project.name, scene.vault_mount, scene.templates
    files = {file.name: file.text for file in agent_files(service, *place)}
    return template_keys(files["secrets.ctmpl"])


def _delivered(service: Service, part: str, scene: ContainerScene) -> frozenset[str]:
    """Give what the engine puts into the backend's environment beside its secrets."""
    unit = next(unit for unit in units_of(service, scene) if unit.name == part)
    return frozenset(key for key, _ in unit.environment)


def _facts(contract: Contract, found: list[Broken], source: Path) -> dict[str, object]:
    return {
        "source": str(source),
        "settings": sorted(contract.known),
        "broken": [
            {"relation": one.relation, "keys": list(one.keys), "meaning": one.meaning} for one in found
        ],
        "information": list(undocumented_use(contract)),
    }
