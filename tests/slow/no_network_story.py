"""The whole story in one process: run in a namespace without a network, by test_no_network."""

import sys
from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import cli
from ui.page_names import NAMES

REPOSITORY = Path(__file__).resolve().parents[2]


def command(*arguments: str) -> None:
    """A command of the terminal; it must end with status 0."""
    sys.argv = ["cli.py", *arguments]
    try:
        cli.main()
    except SystemExit as ended:
        assert not ended.code, arguments


def page(name: str) -> None:
    """A page as a browser would ask for it, with a question where there is room for one."""
    at = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=120)
    at.query_params["project"] = "lab"
    at.query_params["q"] = "frost in spring"
    at._page_hash = calc_hash(name)
    at.run()
    assert not at.exception, (name, [e.message for e in at.exception])
    assert not [e.value for e in at.error], (name, [e.value for e in at.error])


if __name__ == "__main__":
    command("import", "lab", sys.argv[1])
    command("train", "lab", "--recipe", "adapter", "--name", "mine", "--set", "epochs=1")
    command("index", "lab", "--model", "generic")
    command("search", "lab", "frost", "--model", "generic", "--model", "mine", "--model", "bm25")
    command("evaluate", "lab", "--model", "generic", "--model", "mine", "--model", "bm25")
    command("report", "lab")
    for each in NAMES:
        page(each)
    print("the story is told")
