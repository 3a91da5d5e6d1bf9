"""Names, numbers and usage at the terminal: what cannot be is one clear line, and nothing changed."""

import pytest


@pytest.mark.parametrize(
    ("command", "name"),
    [("import", "a/b"), ("add", "../up"), ("models", "/abs"), ("train", ".hidden"), ("import", "")],
)
def test_project_names(refused, tiny_beir, command, name):
    rest = {
        "import": [tiny_beir],
        "add": [tiny_beir],
        "models": [],
        "train": ["--recipe", "word2vec"],
    }
    assert refused(command, name, *rest[command]) == (
        f"{name!r} cannot name a project: use 1 to 80 letters, digits, spaces, or . _ - + ( ), starting "
        "with a letter or digit."
    )


def test_unknown_project(refused, lab, write):
    path = write("q.jsonl", "x")
    for arguments in (
        ["models", "nope"],
        ["train", "nope", "--recipe", "word2vec"],
        ["search", "nope", "frost"],
        ["queries", "nope", path, "--qrels", path],
    ):
        assert refused(*arguments) == "There is no project 'nope'. Known projects: lab."


def test_unknown_model(refused, lab, tmp_path):
    for arguments in (
        ["search", lab, "frost", "--model", "nope"],
        ["evaluate", lab, "--model", "nope"],
        ["export", lab, "nope", tmp_path / "out"],
    ):
        assert refused(*arguments) == "There is no model 'nope' in 'lab'. Its models are: generic."
    assert not (tmp_path / "out").exists()


def test_unknown_recipe_and_settings(refused, lab):
    assert refused("train", lab, "--recipe", "magic").startswith(
        "There is no recipe 'magic'. The recipes"
    )
    cases = (
        ("epochs=none", "word2vec: epochs=none cannot be used"),
        ("colour=red", "word2vec has no setting 'colour'. Its settings are:"),
        ("epochs", "--set epochs is not of the form KEY=VALUE."),
    )
    for setting, message in cases:
        assert refused("train", lab, "--recipe", "word2vec", "--set", setting).startswith(message)
    line = refused("train", lab, "--recipe", "word2vec", "--name", "generic")
    assert line == "The name 'generic' is taken. Choose another one."


def test_work_without_its_material(refused, call_cli, write, tiny_beir):
    assert (
        call_cli(
            "add", "docs", write("d.txt", "one\ntwo\nthree\n"), "--document-per", "line"
        ).status
        == 0
    )
    assert refused("train", "docs", "--recipe", "fine-tune").startswith(
        "The project 'docs' has no query/response pairs, and this recipe learns from pairs."
    )
    assert refused("evaluate", "docs", "--model", "bm25").startswith(
        "The project 'docs' has no query set"
    )


@pytest.mark.parametrize("query", ["   ", "x" * 10_001])
def test_bad_query(refused, lab, query):
    assert refused("search", lab, query, "--model", "bm25").startswith("The query ")


def test_bad_number_of_hits(refused, lab):
    for k in ("0", "1001"):
        assert k.lstrip("-") in refused("search", lab, "frost", "-k", k, "--model", "bm25").replace(
            ",", ""
        )


def test_export_into_a_folder_with_something_in_it(refused, lab, write, tmp_path):
    write("something", "x")
    assert refused("export", lab, "generic", tmp_path) == (
        f"{tmp_path} exists and is not empty. Choose a new folder."
    )
    line = refused("export", lab, "generic", tmp_path / "no" / "such" / "parent")
    assert line.startswith("There is no folder ")


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ([], "Missing command"),
        (["nonsense"], "'nonsense'"),
        (["import", "lab", "x", "--nope"], "--nope"),
        (["search", "lab", "x", "-k", "many"], "'-k'"),
        (["index", "lab", "--engine", "nope"], "'faiss'"),
    ],
)
def test_usage_errors_are_one_line(call_cli, workspace, tree, arguments, wrong):
    done = call_cli(*arguments)
    assert (done.status, done.out) == (2, "")
    [line] = done.err.splitlines()
    assert wrong in line
    assert line.endswith(". See: python cli.py --help.")
    assert tree(workspace) == {}
