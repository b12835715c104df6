"""Names, worked out from a checkout, a branch or an environment. Pure, ASCII, limits in bytes."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from infra.model.environment import Environment

NAMESPACE_LIMIT = 38
BUCKET_LIMIT = 63
_NAMESPACE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_PLAIN_BRANCH = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_WORKER_END = re.compile(r"_gw\d+\Z")
_AMBIGUOUS_WORD = re.compile(r"[0-9a-f]{8}|gw\d+")
_WORKER = re.compile(r"gw\d{1,2}")
_LOCAL_WORDS = {"postgres": "db"}


def short_hash(text: str) -> str:
    """Give the first 8 hex digits of SHA-256 over UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def checkout_id(repo_root: object) -> str:
    """Give the id of a checkout: the short hash of its real path."""
    return short_hash(str(repo_root))


def sanitize_namespace(name: str) -> str:
    """Give the name in `a-z0-9_` alone; ValueError when nothing of it is left. Two names may become one."""
    if not isinstance(name, str) or not name.strip():
        raise ValueError("a name is expected, not an empty text")
    ascii_only = name.encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9_]", "", ascii_only.replace("/", "_").replace("-", "_"))
    clean = re.sub(r"_+", "_", words).strip("_")
    if not clean:
        raise ValueError(f"{name!r} holds no letter or digit that a name may use")
    return clean


def get_namespace(branch: str | None, workspace: str | None, git_branch: str | None, repo_root: str) -> str:
    """Give the namespace of a checkout; two different sources never share one, up to a 32-bit hash.

    `branch` and `workspace` are BRANCH_NAME and WORKSPACE_ID, blank counting as unset. Without a branch
    anywhere it is `default_<hash>`, of which the caller warns. ValueError for a branch or workspace that
    holds nothing usable.
    """
    if branch and branch.strip():
        return _shortened(_of_variables(branch, workspace if workspace and workspace.strip() else None))
    if git_branch:
        return _shortened(_of_git(git_branch, repo_root))
    return f"default_{short_hash(repo_root)}"


def _of_variables(branch: str, workspace: str | None) -> str:
    words = [sanitize_namespace(branch), *([sanitize_namespace(workspace)] if workspace else [])]
    joined = "_".join(words)
    if _is_plain(branch, workspace, joined):
        return joined
    return f"{joined}_{short_hash(json.dumps([branch, workspace], separators=(',', ':')))}"


def _is_plain(branch: str, workspace: str | None, joined: str) -> bool:
    """Tell whether the joined words can come from this branch and workspace alone."""
    count = branch.count("-") + 1
    fits = count >= 2 and bool(re.fullmatch(r"[a-z0-9]+", workspace)) if workspace else count <= 2
    last = joined.rpartition("_")[2]
    return bool(_PLAIN_BRANCH.fullmatch(branch)) and fits and not _AMBIGUOUS_WORD.fullmatch(last)


def _of_git(branch: str, repo_root: str) -> str:
    try:
        words = sanitize_namespace(branch)
    except ValueError:
        words = "branch"
    source = repo_root if _PLAIN_BRANCH.fullmatch(branch) else f"{repo_root}\n{branch}"
    return f"{words}_{short_hash(source)}"


def _shortened(namespace: str) -> str:
    if len(namespace) <= NAMESPACE_LIMIT:
        return namespace
    return f"{namespace[:29].rstrip('_')}_{short_hash(namespace)}"


def _checked(namespace: str) -> str:
    if not _NAMESPACE.fullmatch(namespace) or _WORKER_END.search(namespace):
        raise ValueError(f"{namespace!r} is no namespace: words of a-z0-9 joined by _, not ending in _gw<N>")
    return _shortened(namespace)


def namespace_suffix(namespace: str | None) -> str:
    """Give what names of our own end in: a hyphen and the namespace, empty without one."""
    return f"-{_checked(namespace)}" if namespace else ""


def get_s3_bucket(namespace: str | None, base: str = "statements") -> str:
    """Give the bucket of a namespace: 3 to 63 characters of `a-z0-9-`."""
    full = f"{base}-{_checked(namespace).replace('_', '-')}" if namespace else base
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])", full) or len(full) < 3:
        raise ValueError(f"{full!r} is no bucket name: 3 to 63 of a-z0-9-, no hyphen at an end")
    return full if len(full) <= BUCKET_LIMIT else f"{full[:54].rstrip('-')}-{short_hash(full)}"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one project's databases and containers."""

    project: str

    def get_test_db_name(self, namespace: str | None) -> str:
        """Give the test database of a namespace; without one that of the forge's CI."""
        return f"{self.project}_test_{_checked(namespace)}" if namespace else f"{self.project}_test"

    def get_worker_db_name(self, namespace: str | None, worker: str | None) -> str:
        """Give the database of a test worker, `gw0` to `gw99`; the main one's is the test database."""
        main = self.get_test_db_name(namespace)
        if worker is None or worker == "master":
            return main
        if not _WORKER.fullmatch(worker) or worker != f"gw{int(worker[2:])}":
            raise ValueError(f"{worker!r} is no worker: gw0 to gw99, or master")
        return f"{main}_{worker}"

    def get_dev_db_name(self, namespace: str) -> str:
        """Give the database of another checkout that uses shared containers."""
        return f"{self.project}_dev_{_checked(namespace)}"

    def container(self, part: str, environment: Environment) -> str:
        """Give the container of a part; empty where the environment runs none."""
        if environment.is_deployed:
            return f"{self.project}-{part}{environment.suffix}"
        is_store = part in {"postgres", "redis", "minio"}
        if environment.kind == "github_ci" or (environment.kind == "local_ci" and not is_store):
            return ""
        return f"{self.project.replace('_', '-')}-{_LOCAL_WORDS.get(part, part)}"

    def agent(self, service: str, environment: Environment) -> str:
        """Give the container of a service's Vault agent; empty where nothing is deployed."""
        if not environment.is_deployed:
            return ""
        return f"{self.project}-{service}-vault-agent{environment.suffix}"

    def bucket(self, environment: Environment) -> str:
        """Give the bucket of an environment."""
        return environment.bucket.format(project=self.project.replace("_", "-"))
