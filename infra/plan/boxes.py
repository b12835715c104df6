"""A declared part to the unit of its container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from infra.model.container import FILES, MEMORY, SECRETS_FILE, SECRETS_GROUP, Box, Mount
from infra.model.service import Container, Limits, Part, Service
from infra.model.unit import Unit, UnitFile
from infra.plan import routes
from infra.plan.container_scene import ContainerScene
from infra.plan.routes_labels import labels
from infra.plan.telemetry import variables as telemetry_variables

ANYWHERE = "0.0.0.0"  # noqa: S104  # inside a container, where nothing but its networks can reach it
APP = "/app"


def container_unit(service: Service, part: Part, scene: ContainerScene) -> Unit:
    """Give the unit that runs a part in a container."""
    container = _container(part)
    image = scene.image(service, part)
    return Unit(
        name=part.name,
        service=service.name,
        program=image.reference,
        argv=_argv(part, container),
        directory=APP if service.from_source else "",
        environment=tuple(sorted(_environment(service, part, container, scene).items())),
        port=part.port,
        health=part.health,
        files=_files(service, part, container, scene),
        needs=tuple(_needs(service, part, scene)),
        stop_signal=part.stop_signal,
        box=_box(service, part, container, scene),
    )


def _container(part: Part) -> Container:
    if part.container is None:
        raise ValueError(f"{part.name} declares no container")
    return part.container


def _argv(part: Part, container: Container) -> tuple[str, ...]:
    words = {
        "$BIND": ANYWHERE,
        "$PORT": str(part.port),
        "$DATA_DIR": container.data,
        "$RUN_DIR": FILES,
        "$CONFIG_FILE": f"{MEMORY}/server.conf",
    }
    own = [_filled(word, words) for word in (*container.program, *(container.command or part.command))]
    script = ("/bin/sh", f"{FILES}/entrypoint.sh") if _script(part, container) else ()
    return (*script, *own) if container.program else ()


def _script(part: Part, container: Container) -> str:
    return container.entrypoint or part.entrypoint


def _filled(word: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        word = word.replace(name, value)
    return word


def _environment(service: Service, part: Part, container: Container, scene: ContainerScene) -> dict[str, str]:
    variables = {
        "INFRA_ENV": scene.environment.name,
        "INFRA_SERVICE": service.name,
        "INFRA_UNIT": part.name,
        **dict(part.environment),
        **dict(container.environment),
    }
    if service.from_source:
        variables |= _application(part, scene)
    if _reads_secrets(service, part):
        variables |= {"INFRA_CONFIG_FILE": f"{MEMORY}/server.conf", "INFRA_DEPLOY": ""}
    return variables


def _application(part: Part, scene: ContainerScene) -> dict[str, str]:
    release = scene.release
    version = release.version or release.commit[:12]
    service = f"{scene.project.name.replace('_', '-')}-{part.name}"
    return {
        "APP_VERSION": version,
        "BIND": ANYWHERE,
        "ENV": scene.environment.app_env,
        "GIT_COMMIT_SHA": release.commit,
        "PORT": str(part.port),
        "PUBLIC_URL": scene.url,
        **(_boot(scene) if part.entrypoint == "backend" else {}),
        **telemetry_variables(scene.environment, service, version, scene.telemetry),
    }


def _boot(scene: ContainerScene) -> dict[str, str]:
    """Give what the entry point that migrates, starts and watches is told."""
    limits = scene.environment.checkpoints
    return {
        "APP_DIR": APP,
        "INFRA_BOOT": f"{FILES}/boot.py",
        "INFRA_MIGRATION_SECONDS": str(limits.migrations),
        "INFRA_POLL_SECONDS": f"{limits.poll:g}",
        "INFRA_PYTHON": "python",
        "INFRA_SERVER_SECONDS": str(limits.server),
        "PYTHONPATH": APP,
        "PYTHONUNBUFFERED": "1",
    }


def _reads_secrets(service: Service, part: Part) -> bool:
    return bool(service.secrets) and part.reads_secrets


def _files(service: Service, part: Part, container: Container, scene: ContainerScene) -> tuple[UnitFile, ...]:
    files = []
    script = _script(part, container)
    if script:
        limits = scene.environment.checkpoints
        text = scene.templates.render(
            f"entrypoint/{script}.sh.j2",
            required_keys=[spec.key for spec in service.secrets if spec.required_in(scene.environment.name)],
            secrets_limit=limits.secrets,
            poll_seconds=limits.poll,
        )
        files.append(UnitFile("entrypoint.sh", text))
    if script == "backend":
        files.append(UnitFile("boot.py", scene.templates.text("entrypoint/boot.py")))
    if part.program == "traefik":
        files += routes.container_files(scene.project, scene.environment, scene.container)
    return tuple(files)


def _needs(service: Service, part: Part, scene: ContainerScene) -> Iterator[str]:
    """Give the containers of this very file that have to be healthy first; other services are not in it."""
    if scene.has_agent(service) and part.reads_secrets:
        yield scene.names.agent(service.name, scene.environment)
    yield from (scene.container(name) for name in part.after)


def _box(service: Service, part: Part, container: Container, scene: ContainerScene) -> Box:
    image = scene.image(service, part)
    shares_secrets = _reads_secrets(service, part)
    build = f"{scene.source}/{part.folder}" if scene.source and service.from_source else ""
    return Box(
        name=scene.container(part.name),
        image="" if build else image.reference,
        tag=image.tag,
        limits=_limits(part, scene),
        cpu_weight=scene.environment.cpu_weight,
        check=container.check,
        user=f"{container.uid}:{container.gid}" if container.uid else "",
        groups=(SECRETS_GROUP,) if shares_secrets else (),
        mounts=tuple(_mounts(service, part, container, scene)),
        networks=tuple(_networks(service, part)),
        labels=tuple(_labels(service, part, scene, shares_secrets=shares_secrets)),
        published=tuple(_published(part, scene)),
        shares_secrets=shares_secrets,
        starts_itself=not container.program,
        restart="no" if scene.environment.is_test else "always",
        build=build,
        build_args=tuple(_build_args(container, scene)) if build else (),
    )


def _build_args(container: Container, scene: ContainerScene) -> Iterator[tuple[str, str]]:
    if container.base:
        yield "BASE", scene.pinned(container.base).reference
    yield from ((name, "") for name in container.build_args)


def _limits(part: Part, scene: ContainerScene) -> Limits:
    more = part.limits.memory_mib_in_production
    is_production = scene.environment.kind == "production"
    return replace(part.limits, memory_mib=more) if more and is_production else part.limits


def _mounts(service: Service, part: Part, container: Container, scene: ContainerScene) -> Iterator[Mount]:
    if container.data:
        yield _data(service, container, scene)
    if _reads_secrets(service, part):
        yield _secrets(service, scene)
        owner = f"uid={container.uid},gid={container.gid}"
        yield Mount("memory", MEMORY, options=f"size=1m,mode=0700,{owner}")


def _data(service: Service, container: Container, scene: ContainerScene) -> Mount:
    if scene.environment.kind in {"staging", "production"}:
        return Mount("bind", container.data, scene.data_folder(service.name))
    return Mount("volume", container.data, f"{service.name}_data")


def _secrets(service: Service, scene: ContainerScene) -> Mount:
    folder = SECRETS_FILE.rpartition("/")[0]
    if scene.has_agent(service):
        return Mount("volume", folder, "secrets", read_only=True)
    return Mount("bind", folder, f"{scene.secrets_folder}/{service.name}", read_only=True)


def _networks(service: Service, part: Part) -> Iterator[str]:
    yield "internal"
    is_routed = any(route.part == part.name for route in service.routes)
    if is_routed or part.program == "traefik":
        yield "ingress"


def _labels(
    service: Service, part: Part, scene: ContainerScene, *, shares_secrets: bool
) -> Iterator[tuple[str, str]]:
    yield from our_labels(service, scene, _version(service, part, scene), shares_secrets=shares_secrets)
    if scene.environment.is_deployed:
        is_routed = any(route.part == part.name for route in service.routes)
        if is_routed:
            yield from labels(scene.project, scene.environment, part.name, scene.host, scene.ingress)
        else:
            yield "traefik.enable", "false"


def our_labels(
    service: Service, scene: ContainerScene, version: str, *, shares_secrets: bool
) -> Iterator[tuple[str, str]]:
    """Give the labels that tell whose container this is; those of bundle and deploy are blank."""
    yield "infra.project", scene.project.name
    yield "infra.env", scene.environment.name
    yield "infra.service", service.name
    yield "infra.release", version
    yield "infra.bundle", ""
    if shares_secrets:
        yield "infra.deploy", ""


def _version(service: Service, part: Part, scene: ContainerScene) -> str:
    if not service.from_source:
        return scene.image(service, part).tag
    release = scene.release
    return release.version or release.commit or "unresolved"


def _published(part: Part, scene: ContainerScene) -> Iterator[str]:
    port = scene.ports.get(part.name)
    if port and not scene.environment.is_deployed:
        yield f"127.0.0.1:{port}:{part.port}"
