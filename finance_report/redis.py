"""Redis 7, or Valkey as a process: the cache, saved to disk every minute that something changed."""

from infra.model.addresses import CACHE_SOCKET
from infra.model.secret import SecretSpec
from infra.model.service import Container, Health, Limits, Part, Service

ASK = '. /secrets/.env && test "$(REDISCLI_AUTH="$PASSWORD" redis-cli -h 127.0.0.1 ping)" = PONG'

REDIS = Service(
    name="redis",
    parts=(
        Part(
            name="redis",
            program="redis",
            command=(
                "$CONFIG_FILE",
                *("--bind", "$BIND"),
                *("--port", "$PORT"),
                *("--dir", "$DATA_DIR"),
                # Relative to its data: the name of a socket has room for 107 bytes.
                *("--unixsocket", CACHE_SOCKET, "--unixsocketperm", "700"),
                *("--save", "60 1"),
                *("--maxmemory", "192mb"),
                *("--maxmemory-policy", "noeviction"),
                *("--set-proc-title", "no"),
            ),
            port=6379,
            health=Health("redis", timeout=3),
            limits=Limits(memory_mib=256, processes=100),
            entrypoint="redis",
            container=Container(
                image="redis",
                program=("redis-server",),
                check=("sh", "-c", ASK),
                data="/data",
                uid=999,
                gid=1000,
            ),
        ),
    ),
    needs=("postgres",),
    secrets=(SecretSpec("redis", "PASSWORD", "generated"),),
    data_version="rdb",
    write_probe="redis",
)
