"""The object store of environments that have one of their own; the others share the platform's.

In a container it is MinIO, as a process SeaweedFS. The root login is the environment's own; as a process
it has another one for the application, which opens its bucket and nothing else.
"""

from infra.model.secret import SecretSpec
from infra.model.service import Container, Health, Limits, Part, Service

ASK = (
    ". /secrets/.env && export MC_CONFIG_DIR=/run/infra/mc "
    'MC_HOST_own="http://$ROOT_USER:$ROOT_PASSWORD@127.0.0.1:9000" && mc ls own >/dev/null'
)
SERVE = (
    *("-logtostderr=true", "-config_dir=$CONFIG_DIR", "mini"),
    # Only S3 asks for a login: of the other ports nobody needs the pages, and no page of the web needs any.
    *("-disableHttp", "-s3.allowedOrigins=none", "-filer.allowedOrigins=none"),
    *("-dir=$DATA_DIR", "-ip=$BIND", "-ip.bind=$BIND", "-bucket=$BUCKET", "-s3.config=$CONFIG_FILE"),
    *("-s3.port=$PORT", "-s3.port.grpc=$GRPC_PORT"),
    *("-master.port=$MASTER_PORT", "-master.port.grpc=$MASTER_GRPC_PORT"),
    *("-volume.port=$VOLUME_PORT", "-volume.port.grpc=$VOLUME_GRPC_PORT"),
    *("-filer.port=$FILER_PORT", "-filer.port.grpc=$FILER_GRPC_PORT"),
    *("-admin.port=$ADMIN_PORT", "-admin.port.grpc=$ADMIN_GRPC_PORT"),
    # Relative to where it runs: the name of a socket has room for 107 bytes.
    *("-s3.localSocket=../data/minio/s3.sock", "-filer.localSocket=../data/minio/filer.sock"),
    *("-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false"),
    *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=100"),
    # What it resumes are its elections: with them it takes its first write up to 20 s late.
    "-master.resumeState=false",
)
MORE_PORTS = (
    ("grpc", 9002),
    ("master", 9003),
    ("master_grpc", 9004),
    ("volume", 9005),
    ("volume_grpc", 9006),
    ("filer", 9007),
    ("filer_grpc", 9008),
    ("admin", 9009),
    ("admin_grpc", 19009),  # the server's own worker looks for it there: 10000 above the other one
)

MINIO = Service(
    name="minio",
    parts=(
        Part(
            name="minio",
            program="seaweedfs",
            command=SERVE,
            port=9000,
            more_ports=MORE_PORTS,
            process_environment=(
                ("INFRA_BUCKET", "$BUCKET"),
                ("INFRA_CERTIFICATE_FILE", "$CERTIFICATE_FILE"),
            ),
            health=Health("answers", path="/minio/health/live"),
            limits=Limits(memory_mib=512, processes=200),
            entrypoint="seaweedfs",
            container=Container(
                image="minio",
                program=("minio",),
                command=("server", "$DATA_DIR", "--address", "$BIND:$PORT"),
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
        SecretSpec("minio", "APP_USER", "generated", length=20),
        SecretSpec("minio", "APP_PASSWORD", "generated"),
    ),
    data_version="seaweedfs",
    write_probe="object_store",
    only_with="object_store",
    is_soft=True,
)
