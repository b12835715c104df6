"""Redis 7, or Valkey as a process: the cache, saved to disk every minute that something changed."""

from infra.model.secret import SecretSpec
from infra.model.service import Health, Limits, Part, Service

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
                *("--save", "60 1"),
                *("--maxmemory", "192mb"),
                *("--maxmemory-policy", "noeviction"),
                *("--set-proc-title", "no"),
            ),
            port=6379,
            health=Health("redis", timeout=3),
            limits=Limits(memory_mib=256, processes=100),
            entrypoint="redis",
        ),
    ),
    needs=("postgres",),
    secrets=(SecretSpec("redis", "PASSWORD", "generated"),),
    data_version="rdb",
    write_probe="redis",
)
