"""Names of files in the history can be checked out on Windows, macOS and Linux."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from history import layout, names
from history.record import Artifact
from history.runfile import LoggedModel

REFUSED = {
    "what?.txt": "has the character ?",
    "*.glob": "has the character *",
    "a<b": "has the character <",
    'quote"s': 'has the character "',
    "a|b": "has the character |",
    "metric:loss.png": "has the character :",
    "a\\b": "has the character \\",
    "line\nbreak": "has the character U+000A",
    "bell\x07": "has the character U+0007",
    "trailing.": "ends with a dot or a space",
    "folder /x": "ends with a dot or a space",
    "aux.txt": "Windows reserves",
    "CON": "Windows reserves",
    "x/Nul.tar.gz/y": "Windows reserves",
    "COM1.txt": "Windows reserves",
    "com¹": "Windows reserves",
    "LPT³.log": "Windows reserves",
    "CONIN$": "Windows reserves",
    "conout$.txt": "Windows reserves",
    "prn .txt": "Windows reserves",
    ".gitignore": "Git would",
    "x/.gitattributes": "Git would",
    ".gitmodules": "Git would",
    "x/.GIT/config": "Git would",
    ".g\u200cit": "Git would",
    "git~1": "Git would",
    "GITATT~1": "Git would",
    "cafe\u0301": "Unicode's NFD",
    "lone\udc80": "not valid Unicode",
    "ü" * 130: "260 bytes",
    "": "not a path within",
    "/absolute": "not a path within",
    "a//b": "not a path within",
    "../x": "not a path within",
    "a/./b": "not a path within",
    "a/": "not a path within",
}
ACCEPTED = [
    "note.txt",
    "plots/a b.txt",
    "deep/ü.txt",
    "表.csv",
    ".hidden",
    "-dash",
    "..x",
    "auxiliary.txt",
    "com10",
    "comma",
    "console.log",
    "__pycache__/a.pyc",
    ".github/x.yml",
    ".gitkeep",
    "report #1.txt",
]


@pytest.mark.parametrize("path", REFUSED)
def test_a_name_that_some_system_cannot_hold_is_refused_in_plain_english(
    path: str,
) -> None:
    reason = names.fault_of(path)
    assert reason
    assert REFUSED[path] in reason
    assert "pattern" not in reason
    assert "[" not in reason
    with pytest.raises(ValidationError, match=re.escape(REFUSED[path])):
        Artifact(path=path, sha256="0" * 64, size=1)


@pytest.mark.parametrize("path", ACCEPTED)
def test_a_usual_name_is_accepted(path: str) -> None:
    assert names.fault_of(path) is None
    assert Artifact(path=path, sha256="0" * 64, size=1).path == path


@pytest.mark.parametrize(
    "paths",
    [
        ("model.txt", "Model.txt"),
        ("a/x", "A/y"),
        ("a", "A/y"),
        ("ü", "Ü"),
        ("é", "e\u0301"),
        ("straße", "STRASSE"),
    ],
)
def test_two_names_that_are_one_on_windows_or_macos_are_refused(
    paths: tuple[str, str],
) -> None:
    assert names.clash(paths)


def test_the_files_of_a_run_and_of_a_model_may_not_differ_in_case_alone() -> None:
    files = []
    for path in ("b", "A/x", "a/y"):
        file = {
            "path": path,
            "sha256": "0" * 64,
            "size": 1,
        }
        files.append(file)
    message = "'A' and 'a' are one file on Windows or macOS"
    with pytest.raises(ValidationError, match=message):
        LoggedModel.model_validate({"artifacts": files})


def test_names_that_differ_in_more_than_case_do_not_clash() -> None:
    assert names.clash(["a/x", "a/y", "b", "a b", "ä"]) is None


def test_the_longest_path_fits_a_runner_s_folder() -> None:
    assert names.LONGEST == 240
    fits = "x" * (names.LONGEST - names.CHECKOUT - 1)
    assert names.too_long(fits) is None
    assert names.too_long(fits + "x") is not None
    assert names.too_long("😀" * (len(fits) // 2 + 1)) is not None  # two units each


def test_every_file_of_a_model_fits_below_the_longest_experiment() -> None:
    folder = layout.experiment_folder("Long " * 100)
    place = (
        f"mlruns/{folder}/2026-11-28_99/{'0' * 32}/models/m-{'0' * 32}/python_env.yaml"
    )
    assert names.too_long(place) is None


DEVICES = st.sampled_from(
    ["con", "PRN", "Aux", "nul", "COM1", "lpt9", "com²", "CONIN$"]
)


@given(DEVICES, st.sampled_from(["", " ", ".", ".txt", " .a.b", ". "]))
def test_no_ending_makes_a_device_s_name_harmless(device: str, ending: str) -> None:
    assert names.fault_of(f"folder/{device}{ending}")


@given(st.text(max_size=60))
def test_an_accepted_name_is_safe_everywhere(name: str) -> None:
    if names.fault_of(name) is None:
        assert not re.search(r'[<>:"|?*\\\x00-\x1f\x7f]', name)
        for part in name.split("/"):
            assert part
            assert part == part.rstrip(". ")
        assert unicodedata.is_normalized("NFC", name)
        assert name.encode().decode() == name


@given(st.text(max_size=30), st.text(max_size=30))
def test_two_experiments_never_share_a_folder(one: str, other: str) -> None:
    lower = []
    for name in (one, other):
        folder = layout.experiment_folder(name)
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,49}", folder)
        assert names.fault_of(folder) is None
        assert folder.lower() != layout.REGISTRY
        lower.append(folder.lower())
    first, second = lower
    assert (first == second) == (one == other)


@pytest.mark.parametrize(
    "name", ["CON", "Iris", "IRIS", "aux", "registry", "lpt1", "..", ""]
)
def test_an_experiment_with_an_unsafe_name_gets_a_digest(name: str) -> None:
    folder = layout.experiment_folder(name)
    assert folder != name
    assert layout.ENDS_WITH_DIGEST.search(folder)
    assert layout.is_experiment_folder(folder, name)


def test_a_name_that_looks_like_the_folder_of_another_experiment_gets_its_own() -> None:
    taken = layout.experiment_folder("Iris").lower()
    assert layout.experiment_folder(taken) != taken
