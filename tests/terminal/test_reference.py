"""docs/cli.md is what the commands say of themselves."""

from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "cli.md"


def test_the_page_is_what_the_commands_say(call_cli):
    done = call_cli("reference")
    assert (done.status, done.err) == (0, "")
    assert PAGE.read_text(encoding="utf-8") == done.out, "docs/cli.md is stale: make docs"


def test_the_page_has_every_command_and_option():
    text = PAGE.read_text(encoding="utf-8")
    assert "## add-model\n" in text and "| [add-model](#add-model) |" in text
    assert "python cli.py index [OPTIONS] {PROJECT}\n" in text
    assert "[default: 0.98; 0.5<=x<=1.0]" in text
    assert "| `PROJECT <str>` | Name of the project. [required] |" in text
    assert "## reference" not in text  # the command that writes the page is hidden
