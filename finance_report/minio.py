"""MinIO: the object store of environments that have one of their own; the others share the platform's."""

from infra.model.secret import SecretSpec
from infra.model.service import Container, Health, Limits, Part, Service

ASK = (
    ". /secrets/.env && export MC_CONFIG_DIR=/run/infra/mc "
    'MC_HOST_own="http://$ROOT_USER:$ROOT_PASSWORD@127.0.0.1:9000" && mc ls own >/dev/null'
)

MINIO = Service(
    name="minio",
    parts=(
        Part(
            name="minio",
            program="minio",
            command=("server", "$DATA_DIR", "--address", "$BIND:$PORT"),
            port=9000,
            health=Health("answers", path="/minio/health/live"),
            limits=Limits(memory_mib=512, processes=200),
            container=Container(
                image="minio",
                program=("minio",),
                check=("sh", "-c", ASK),
                data="/data",
                uid=0,
                gid=0,
                entrypoint="minio",
            ),
        ),
    ),
    needs=("postgres",),
    secrets=(
        SecretSpec("minio", "ROOT_USER", "generated", length=20),
        SecretSpec("minio", "ROOT_PASSWORD", "generated"),
    ),
    data_version="minio",
    only_with="object_store",
)
