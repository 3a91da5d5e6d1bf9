"""The command that hands a verdict over: what it writes, and how it ends."""

import json
import xml.etree.ElementTree as ET

import pytest

from search.projects.project import project_to_be
from training.data.intake import import_beir
from training.train import train


@pytest.fixture
def lab(workspace, tiny_beir):
    lab = project_to_be("lab")
    import_beir(lab, tiny_beir)
    train(lab, "word2vec", "mine", {"epochs": 1, "vector_size": 8})
    return lab


def test_it_measures_once_writes_and_ends_red_where_a_job_is_to(lab, call_cli, tmp_path):
    page, facts, cases = (tmp_path / name for name in ("v.html", "v.json", "v.xml"))
    ask = ("verdict", "lab", "--model", "mine", "--against", "bm25")
    done = call_cli(*ask, "--out", page)
    assert done.status == 0, done.err
    assert f"Written to {page}." in done.err
    (evaluation,) = lab.manifests("evaluations")
    red = call_cli(*ask, "--out", facts, "--junit", cases, "--fail-on", "not-better")
    assert red.status == 3
    assert len(lab.manifests("evaluations")) == 1  # Measured before, so it is not measured again.
    content = json.loads(facts.read_text())
    assert content["evaluation"] == evaluation.id and content["verdict"] != "better"
    assert red.out.splitlines()[0] == content["sentence"]
    assert content["sentence"] in page.read_text()
    assert ET.parse(cases).getroot().attrib["failures"] == "1"
    worse = call_cli(*ask, "--fail-on", "worse")
    assert worse.status == (3 if content["verdict"] == "worse" else 0)


def test_what_cannot_be_is_refused_before_anything_is_measured(lab, call_cli, tmp_path):
    for arguments, says in (
        (("--out", tmp_path / "v.pdf"), "must end in .html"),
        (("--junit", tmp_path / "no" / "v.xml"), "does not exist"),
        (("--model", "nobody"), "There is no model 'nobody'"),
        (("--model", "mine", "--against", "mine"), "names one column twice"),
    ):
        done = call_cli("verdict", "lab", *arguments)
        assert done.status == 2 and says in done.err, (arguments, done.err)
    assert lab.manifests("evaluations") == []
