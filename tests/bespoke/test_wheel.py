"""`pip install .` brings all that is needed and nothing else, the command `bespoke`, and what docs/python.md says."""

import csv
import os
import re
import shutil
import site
import subprocess
import sys
import tomllib
import venv
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import DOCUMENTS, REPOSITORY, tiny_query, tiny_text
from tests.docs.pages import bodies

pytestmark = pytest.mark.slow
PACKAGES = ("bespoke", "indexes", "search", "serving", "terminal", "training")
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
READY = """
from search.models.pretrained.add import Choices, add_model
from search.models.registry import choose_generic
add_model(project.project, "tiny", Choices(name="tiny"))
choose_generic(project.project, "tiny")
"""
SHOWN = """
print(search.__file__, verdict.better, verdict.delta, verdict.ci95, verdict.p_adjusted, verdict.table())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built in a copy of it."""
    folder = tmp_path_factory.mktemp("wheel")
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, folder / "src" / package)
    compiled = folder / "src" / "bespoke" / "__pycache__"
    compiled.mkdir(exist_ok=True)
    (compiled / "opened.cpython-311.pyc").write_bytes(b"")
    for file in ("pyproject.toml", "README.md", "LICENSE", "cli.py", *_lists()):
        shutil.copy(REPOSITORY / file, folder / "src" / file)
    subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=folder / "src",
        check=True,
        capture_output=True,
    )
    (made,) = folder.glob("*.whl")
    return made


def _lists() -> list[str]:
    said = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    dynamic = said["tool"]["setuptools"]["dynamic"]
    extras = dynamic["optional-dependencies"].values()
    return [dynamic["dependencies"]["file"], *(one["file"] for one in extras)]


def test_it_holds_every_file_of_the_packages_and_no_other(wheel):
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {
        path.relative_to(REPOSITORY).as_posix()
        for package in PACKAGES
        for path in (REPOSITORY / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert held == wanted | {"cli.py"}
    assert "bespoke/templates/result.html" in held


def test_it_wants_what_the_lists_name(wheel):
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        said = message_from_string(archive.read(name).decode("utf-8"))
    pins = re.compile(r"^([\w.\[\]-]+==[\w.]+)\s+#", re.MULTILINE)
    first, *extras = _lists()
    needs = said.get_all("Requires-Dist", [])
    assert [need for need in needs if "extra" not in need] == pins.findall(
        (REPOSITORY / first).read_text(encoding="utf-8")
    )
    for file in extras:
        pinned = pins.findall((REPOSITORY / file).read_text(encoding="utf-8"))
        assert pinned and all(any(need.startswith(pin) for need in needs) for pin in pinned)


def test_installed_elsewhere_it_does_what_the_page_says(wheel, tiny_model, tmp_path):
    """The contract word for word, but for the recipe (ten minutes), and with a tiny model in generic's place."""
    home = tmp_path / "own"
    venv.create(home, with_pip=False)
    (packages,) = home.glob("lib/*/site-packages")
    (packages / "shared.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True)
    work = tmp_path / "work"
    work.mkdir()
    shutil.copytree(tiny_model, work / "tiny")
    _write(work / "leases.csv", ["id", "body"], [[f"d{n}", tiny_text(n)] for n in range(DOCUMENTS)])
    asked = [[tiny_query(n, s), tiny_text(n)] for n in range(DOCUMENTS) for s in (0, 3)]
    _write(work / "questions.csv", ["query", "response"], asked)
    (contract,) = bodies(REPOSITORY / "docs" / "python.md", "python server")
    assert '"auto", minutes=10' in contract
    begun, added, rest = contract.replace('"auto", minutes=10', '"adapter", epochs=2').partition(
        "project.add("
    )
    code = f"import search\n{begun}{READY}{added}{rest}{SHOWN}"
    ran = [
        subprocess.run(
            [str(home / "bin" / command[0]), *command[1:]],
            cwd=work,
            env={**os.environ, "BESPOKE_HOME": str(work / "workspace")},
            capture_output=True,
            text=True,
            check=False,
        )
        for command in (("bespoke", "--help"), ("python", "-W", "ignore", "-c", code))
    ]
    assert [one.returncode for one in ran] == [0, 0], ran[1].stderr[-2_000:]
    assert " evaluate " in ran[0].stdout
    assert str(packages) in ran[1].stdout and "ndcg@10" in ran[1].stdout
    assert {path.suffix for path in (work / "out").iterdir()} >= {".onnx", ".json", ".md"}


def _write(path: Path, head: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
