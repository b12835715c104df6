"""PostgreSQL 16: the database of the application, which logs in as a role without superuser rights."""

from infra.model.secret import SecretSpec
from infra.model.service import Health, Limits, Part, Service

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
                *("-c", "unix_socket_directories="),
            ),
            port=5432,
            health=Health("postgres", timeout=5),
            limits=Limits(memory_mib=512, processes=200),
            stop_signal="SIGINT",
        ),
    ),
    secrets=(
        SecretSpec("postgres", "POSTGRES_PASSWORD", "generated"),
        SecretSpec("postgres", "APP_PASSWORD", "generated"),
    ),
    data_version="16",
    write_probe="postgres",
)
