"""The router, where we start it ourselves: locally, in front of backend and frontend."""

from infra.model.service import Health, Limits, Part, Service

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
        ),
    ),
)
