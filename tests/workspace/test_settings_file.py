"""The settings file: read whole, refused whole, every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.model.errors import BadInput
from infra.workspace import settings_file

TEXT = "text is expected, in quotes where it looks like a number, true or false"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings_file.load.cache_clear()


def load(folder: Path, text: str, local: str = "") -> object:
    (folder / "invoke.yaml").write_text(text, encoding="utf-8")
    if local:
        (folder / "invoke.local.yaml").write_text(local, encoding="utf-8")
    settings_file.load.cache_clear()
    return settings_file.load(folder)


def test_the_shipped_file_states_the_defaults(tmp_path: Path) -> None:
    assert settings_file.load(ROOT) == settings_file.load(tmp_path)


def test_all_faults_come_at_once_with_path_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as raised:
        load(tmp_path, "default_env: production\nports:\n  router: 0\napp: {source: 3, sauce: 1}\n")
    assert raised.value.evidence == (
        "default_env: production is never the default: name it with --env production (invoke.yaml line 1)",
        f"app/source: {TEXT}, not 3 (invoke.yaml line 4)",
        "app/sauce: no such setting (invoke.yaml line 4)",
        "ports/router: Input should be greater than or equal to 1 (invoke.yaml line 3)",
    )


def test_a_variable_for_the_application_is_named_as_shells_name_theirs(tmp_path: Path) -> None:
    settings = load(tmp_path, "app: {environment: [FEATURE, feature_2, _x]}\n")
    assert settings.app.environment == ["FEATURE", "feature_2", "_x"]  # type: ignore[attr-defined]
    with pytest.raises(BadInput) as raised:
        load(tmp_path, "app:\n  environment: [A, A-B, 'A=1']\n")
    said = "the name of a variable is expected: letters, digits and _ (invoke.yaml line 2)"
    assert raised.value.evidence == (f"app/environment/1: {said}", f"app/environment/2: {said}")


def test_a_persons_own_file_wins_and_its_faults_name_it(tmp_path: Path) -> None:
    settings = load(tmp_path, "ports: {router: 3000, redis: 6379}\n", "ports: {router: 3005}\n")
    assert settings.ports == {"router": 3005, "redis": 6379}  # type: ignore[attr-defined]
    with pytest.raises(BadInput) as raised:
        load(tmp_path, "# nothing\n", "ports: {router: no}\n")
    assert "invoke.local.yaml line 1" in raised.value.evidence[0]
    assert raised.value.next_step.startswith("mend invoke.local.yaml; ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ports: {router: 1\n", "line 2"),
        ("- a\n- b\n", "a mapping of keys is expected"),
        ("app: {}\napp: {}\n", "written twice: app, invoke.yaml line 2"),
        ("a: !!python/object:os.system {}\n", "line 1"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "at", "value"),
    [
        ("ports: {router: 03333}", ("ports", "router"), 3333),
        ("ports: {router: 0o17}", ("ports", "router"), 15),
        ("ports: {router: 0x1F}", ("ports", "router"), 31),
        ("default_branch: on", ("default_branch",), "on"),
        ("default_branch: 2001-01-01", ("default_branch",), "2001-01-01"),
        ("vault: {strict: TRUE}", ("vault", "strict"), True),
        ("code: {coverage: {lines: 9e1}}", ("code", "coverage", "lines"), 90),
    ],
)
def test_numbers_and_words_are_read_as_yaml_1_2_reads_them(
    tmp_path: Path, text: str, at: tuple[str, ...], value: object
) -> None:
    found: object = load(tmp_path, f"{text}\n")
    for name in at:
        found = found[name] if isinstance(found, dict) else getattr(found, name)
    assert found == value


WHOLE, BOOLEAN = "a whole number in digits is expected, not ", "true or false is expected, not "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ports: {router: 55:30}", f'ports/router: {WHOLE}"55:30" (invoke.yaml line 1)'),
        ("ports: {router: 3_000}", f'ports/router: {WHOLE}"3_000" (invoke.yaml line 1)'),
        ("ports: {router: 3000.5}", f"ports/router: {WHOLE}3000.5 (invoke.yaml line 1)"),
        (
            "environments:\n  local:\n    deadline: 1:30",
            f'environments/local/deadline: {WHOLE}"1:30" (invoke.yaml line 3)',
        ),
        ("vault: {strict: yes}", f'vault/strict: {BOOLEAN}"yes" (invoke.yaml line 1)'),
        ("vault: {strict: off}", f'vault/strict: {BOOLEAN}"off" (invoke.yaml line 1)'),
        (
            "code: {coverage: {lines: 1_0}}",
            'code/coverage/lines: a number in digits is expected, not "1_0" (invoke.yaml line 1)',
        ),
    ],
)
def test_what_is_no_number_and_no_boolean_is_told_with_its_line_and_what_was_expected(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(BadInput) as raised:
        load(tmp_path, f"{text}\n")
    assert raised.value.evidence == (words,)
    assert raised.value.next_step == "mend invoke.yaml; the comments of invoke.yaml explain each key"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "invoke.local.yaml: it is empty"),
        (b"\n \n", "invoke.local.yaml: it is empty"),
        (b"a: 1\nb: \xff\n", "invoke.local.yaml: line 2: UTF-8 is expected, and byte 0xff is none"),
        (b"ports: {router: .inf}\n", "invoke.local.yaml: line 1: a number is expected, and .inf is none"),
        (b"\ncode: {coverage: {lines: .NaN}}\n", "line 2: a number is expected, and .NaN is none"),
        (b"ports: {router: 1e999}\n", "line 1: a number with an end is expected, and 1e999 is none"),
        (b"ports: &it {router: *it}\n", "invoke.local.yaml: line 1: a part of it contains itself"),
        (b"ports: &it [*it]\n", "invoke.local.yaml: line 1: a part of it contains itself"),
        (b"ports: {1: 2, router: 3}\n", "invoke.local.yaml: keys that are words are expected"),
    ],
)
def test_a_file_that_says_nothing_that_can_be_meant_is_a_fault(
    tmp_path: Path, text: bytes, words: str
) -> None:
    (tmp_path / "invoke.local.yaml").write_bytes(text)
    with pytest.raises(BadInput) as raised:
        settings_file.load(tmp_path)
    assert words in raised.value.message
    assert "invoke.local.yaml" in raised.value.next_step


@pytest.mark.parametrize("name", settings_file.FILES)
def test_a_dangling_link_a_folder_and_a_file_of_others_are_faults_and_not_no_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / name
    file.symlink_to("gone.yaml")
    with pytest.raises(BadInput, match=f"{name}: it is a link to gone.yaml, and nothing is there"):
        settings_file.load(tmp_path)
    file.unlink()
    file.mkdir()
    with pytest.raises(BadInput, match=f"{name}: a file is expected, and it is a folder"):
        settings_file.load(tmp_path)
    file.rmdir()

    def denied(_file: Path, **_how: str) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(BadInput, match=r"invoke\.yaml: it cannot be read: Permission denied"):
        settings_file.load(tmp_path)


def test_invokes_own_keys_are_left_to_invoke(tmp_path: Path) -> None:
    assert load(tmp_path, "run: {echo: true}\ntasks: {}\n") == settings_file.load(tmp_path / "nowhere")
