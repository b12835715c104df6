"""The router, where we start it ourselves: locally, in front of backend and frontend."""

from infra.model.service import Container, Health, Limits, Part, Service

ROUTER = Service(
    name="router",
    parts=(
        Part(
            name="router",
            program="traefik",
            command=("--configFile=$RUN_DIR/traefik.yaml",),
            port=80,
            health=Health("answers", interval=1, timeout=3),
            limits=Limits(memory_mib=128, processes=100),
            container=Container(
                image="traefik",
                program=("traefik",),
                check=("traefik", "healthcheck", "--configFile=/infra/traefik.yaml"),
                uid=65534,
                gid=65534,
            ),
        ),
    ),
    only_with="router",
)
