"""The terminal face: every command of `terminal/`, and how errors are told."""

import sys
from typing import Any

import typer

from search.projects.damage import noticed
from search.projects.errors import BespokeError
from search.projects.files import keep_private
from search.projects.room import reserve
from search.projects.settings import settings
from terminal import (
    asking,
    data,
    judging,
    lifecycle,
    making,
    models,
    people,
    precision,
    protocol,
    questions,
    reference,
    serving,
    synthetic,
    verdict,
)
from terminal.printing import aside

app = typer.Typer(
    help="Is a custom embedding worth it for my corpus? Import, train, search, prove.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
for room in (
    data,
    making,
    synthetic,
    questions,
    models,
    precision,
    asking,
    protocol,
    verdict,
    judging,
    people,
    lifecycle,
    serving,
    reference,
):
    app.add_typer(room.app)
# What a wrong option raises. Typer exports only this more special one.
_UsageError: Any = typer.BadParameter.__mro__[1]


def main() -> None:
    """Run a command; a refusal or failure is one clear line on stderr, never a traceback."""
    noticed()  # Of a command before, where one process runs several.
    try:
        keep_private(settings().home)
        reserve(settings().home)
        status = app(standalone_mode=False) or 0
        for sentence in noticed():
            aside(sentence)
        sys.exit(status)
    except _UsageError as error:
        said = " ".join(str(error.format_message()).split()).rstrip(".")
        aside(f"{said}. See: python cli.py --help.")
        sys.exit(2)
    except typer.Abort:
        aside("Cancelled.")
        sys.exit(1)
    except BespokeError as error:
        said = str(error)
        # What is not found may be what is damaged.
        also = [sentence for sentence in noticed() if sentence not in said]
        aside(" ".join(" ".join([said, *also]).split()))
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        aside("Cancelled.")
        sys.exit(1)
    except Exception as error:
        from search.projects.unexpected import unexpected

        aside(str(unexpected(error)))
        sys.exit(1)


if __name__ == "__main__":
    main()
