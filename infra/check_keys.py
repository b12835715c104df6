"""The contract of keys as a command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from infra.choices import Wishes, chosen_environment
from infra.model.environments import environment
from infra.model.errors import BadInput, KnownBad, MissingProgram
from infra.plan.agent import agent_files
from infra.plan.compose import units_of
from infra.plan.key_contract import Broken, Contract, Files, broken, undocumented_use
from infra.plan.key_sources import dockerfile_arguments, example_keys, template_keys
from infra.plan.settings_module import settings_of
from infra.scenes import scene_of
from infra.workspace import contract_files, settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Part, Project, Service
    from infra.plan.container_scene import ContainerScene

SETTINGS, EXAMPLE = "src/config.py", ".env.example"
DEPLOYED = ("pr_1", "canary", "staging", "production")


def check(
    this: Command, project: Project, env: str | None, *, diff: bool, fix: bool, live: bool, app_dir: str
) -> None:
    """Compare all sides; KnownBad names what is broken where, BadInput an input that cannot be read."""
    if env and not live:
        raise BadInput("--env says nothing without --live", next_step="./inv env.check-keys")
    source, shown = _source(this, app_dir)
    service = _application(project)
    backend, frontend = _parts(service)
    files = Files(
        settings=f"{shown}/{backend.folder}/{SETTINGS}",
        example=f"{shown}/{EXAMPLE}",
        dockerfile=f"{shown}/{frontend.folder}/Dockerfile" if frontend else "",
        declaration=f"{project.name}/{service.name}.py",
    )
    contracts = [_contract(scene, service, source, files) for scene in _scenes(this, project)]
    found = list(dict.fromkeys(one for contract in contracts for one in broken(contract, files)))
    this.outcome.facts |= _facts(contracts[0], found, source)
    _show(this, contracts[0], found, diff=diff, fix=fix)
    if found:
        words = f"{len({one.relation for one in found})} of 5 relations do not hold"
        raise KnownBad(words, next_step="./inv env.check-keys --fix", evidence=tuple(map(str, found)))
    this.console.answer(f"all 5 relations hold for {len(contracts[0].settings)} settings")
    if live:
        _refuse_live(this, env)


def _source(this: Command, app_dir: str) -> tuple[Path, str]:
    """Give the application's checkout, and how people name it."""
    if app_dir:
        return Path(this.variables.get("INV_CWD", "."), app_dir).resolve(), app_dir.rstrip("/")
    shown = settings_file.load(this.root).app.source
    return (this.root / shown).resolve(), shown.rstrip("/")


def _application(project: Project) -> Service:
    for service in project.services:
        if service.from_source and service.secrets:
            return service
    raise BadInput(
        f"{project.name} declares no service that runs the application's code and has secrets",
        next_step=f"declare its secrets in {project.name}/",
    )


def _parts(service: Service) -> tuple[Part, Part | None]:
    """Give the part that reads the secrets, and the one whose variables are baked into its image, if any."""
    backend = next((part for part in service.parts if part.reads_secrets), None)
    if backend is None:
        raise BadInput(f"no part of {service.name} reads its secrets", next_step="declare which one does")
    return backend, next((part for part in service.parts if not part.reads_secrets), None)


def _scenes(this: Command, project: Project) -> Iterator[ContainerScene]:
    for name in DEPLOYED:
        yield scene_of(this, project, environment(name), Wishes(env=name))


def _contract(scene: ContainerScene, service: Service, source: Path, files: Files) -> Contract:
    """Give the keys of each side, read anew; BadInput names the file that is missing or does not parse."""
    backend, frontend = _parts(service)
    module = contract_files.read(source, f"{backend.folder}/{SETTINGS}")
    arguments: frozenset[str] = frozenset()
    if frontend:
        dockerfile = contract_files.read(source, f"{frontend.folder}/Dockerfile")
        arguments = dockerfile_arguments(dockerfile, files.dockerfile)
    return Contract(
        template=_template(service, scene, files),
        settings=settings_of(module, files.settings),
        example=example_keys(contract_files.read(source, EXAMPLE), files.example),
        arguments=arguments,
        build_args=frozenset(frontend.container.build_args if frontend and frontend.container else ()),
        declared=frozenset(spec.key for spec in service.secrets),
        delivered=_delivered(service, backend.name, scene),
    )


def _template(service: Service, scene: ContainerScene, files: Files) -> frozenset[str]:
    place = scene.environment, scene.project.name, scene.vault_mount, scene.templates
    texts = {file.name: file.text for file in agent_files(service, *place)}
    return template_keys(texts["secrets.ctmpl"], files.template)


def _delivered(service: Service, part: str, scene: ContainerScene) -> frozenset[str]:
    """Give what the engine puts into the backend's environment beside its secrets."""
    unit = next(unit for unit in units_of(service, scene) if unit.name == part)
    return frozenset(key for key, _ in unit.environment)


def _facts(contract: Contract, found: list[Broken], source: Path) -> dict[str, object]:
    return {
        "source": str(source),
        "settings": sorted(contract.known),
        "broken": [
            {
                "relation": one.relation,
                "keys": list(one.keys),
                "meaning": one.meaning,
                "file": one.file,
                "lines": [one.mend.format(key=key) for key in one.keys],
            }
            for one in found
        ],
        "information": list(undocumented_use(contract)),
    }


def _show(this: Command, contract: Contract, found: list[Broken], *, diff: bool, fix: bool) -> None:
    for one in found if fix else ():
        this.console.answer(f"{one.file}:")
        for key in one.keys:
            this.console.answer(f"    {one.mend.format(key=key)}")
    for key in undocumented_use(contract) if diff else ():
        this.console.answer(f"information: {key} is in the example and no setting reads it")


def _refuse_live(this: Command, env: str | None) -> None:
    found = chosen_environment(this, env)
    if not found.has_vault:
        raise BadInput(
            f"{found.name} keeps its secrets in no Vault",
            next_step="./inv env.check-keys --live --env staging",
        )
    raise MissingProgram(
        f"comparing with the key names of {found.name} needs a Vault, which is not part of this version",
        next_step="./inv env.check-keys",
    )
