"""A project of another kind: it exists to prove that the engine knows no service by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from infra.model.secret import Place, Secret, SecretSpec
from infra.model.service import Container, Health, Limits, Part, Project, Route, Service

if TYPE_CHECKING:
    from infra.model.addresses import Addresses

LIMITS = Limits(memory_mib=64, processes=20)


def _search_url(values: Mapping[Place, Secret], _at: Addresses) -> str:
    return f"http://:{values['search', 'MASTER_KEY'].reveal()}@search:7700"


SEARCH = Service(
    name="search",
    parts=(
        Part(
            name="search",
            program="python",
            command=("-m", "http.server", "$PORT", "--bind", "$BIND"),
            port=7700,
            health=Health("http", "/health"),
            limits=LIMITS,
            container=Container(
                image="search",
                program=("meilisearch", "--http-addr"),
                check=("sh", "-c", "wget -q -O - http://127.0.0.1:7700/health | grep -q available"),
                data="/meili_data",
                entrypoint="redis",
            ),
        ),
    ),
    secrets=(SecretSpec("search", "MASTER_KEY", "generated"),),
    data_version="1",
)
SHOP = Service(
    name="shop",
    needs=("search",),
    from_source=True,
    parts=(
        Part(
            name="web",
            program="python",
            command=("-m", "http.server"),
            port=8080,
            health=Health("http", "/health"),
            limits=LIMITS,
            container=Container(program=("python",), check=("true-check",)),
            entrypoint="backend",
        ),
    ),
    secrets=(SecretSpec("shop", "SEARCH_URL", "derived", derive=_search_url),),
    routes=(Route("shop-web", "web", 10),),
)
PROJECT = Project(
    name="shop",
    title="Shop",
    host="shop",
    database="shop",
    services=(SEARCH, SHOP),
    smoke_profile="tests/shop/smoke.yaml",
    images="tests/shop/images.yaml",
)
