"""PostgreSQL 16: the database of the application, which logs in as a role without superuser rights."""

from infra.model.secret import SecretSpec
from infra.model.service import Container, Health, Limits, Part, Service

DATA = "/var/lib/postgresql/data"

POSTGRES = Service(
    name="postgres",
    parts=(
        Part(
            name="postgres",
            program="postgres",
            command=(
                *("-D", "$DATA_DIR/pgdata"),
                *("-c", "listen_addresses=$BIND"),
                *("-c", "port=$PORT"),
                # Relative to its cluster: the name of a socket has room for 107 bytes.
                *("-c", "unix_socket_directories=..", "-c", "unix_socket_permissions=0700"),
            ),
            port=5432,
            health=Health("postgres", timeout=5),
            limits=Limits(memory_mib=512, processes=200, memory_mib_in_production=1024),
            stop_signal="SIGINT",
            container=Container(
                image="postgres",
                program=("postgres",),
                command=("-c", "listen_addresses=*"),
                check=("pg_isready", "-h", "127.0.0.1", "-U", "postgres", "-d", "finance_report"),
                data=DATA,
                uid=70,
                gid=70,
                entrypoint="postgres",
                environment=(
                    ("PGDATA", f"{DATA}/pgdata"),
                    ("POSTGRES_DB", "finance_report"),
                    ("POSTGRES_USER", "postgres"),
                ),
            ),
        ),
    ),
    secrets=(
        SecretSpec("postgres", "POSTGRES_PASSWORD", "generated"),
        SecretSpec("postgres", "APP_PASSWORD", "generated"),
    ),
    data_version="16",
    write_probe="postgres",
)
