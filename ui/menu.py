"""The way around the app: home, the path to a verdict with its state, and the rest behind "More"."""

from typing import Any

from search.projects.errors import BespokeError
from search.projects.renaming import current_name
from ui import door, navigation
from ui.next_step import State, steps
from ui.page_names import WAY

_ICONS: dict[State, str] = {
    "done": ":material/check_circle:",
    "next": ":material/radio_button_checked:",
    "running": ":material/hourglass_top:",
    "ahead": ":material/radio_button_unchecked:",
}


def menu() -> dict[str, list[Any]]:
    """The pages by the section of the navigation that they stand in."""
    made = navigation.pages(_icons())
    if door.is_judge_elsewhere():
        return {"": list(made.values())}
    first = ("projects", *WAY)
    more = [page for name, page in made.items() if name not in first]
    return {"": [made[name] for name in first], "More": more}


def _icons() -> dict[str, str]:
    """The state of each page on the way, as its icon, where a project is open."""
    name = navigation.chosen_name()
    if name is None:
        return {}
    try:
        return {step.page: _ICONS[step.state] for step in steps(door.opened(current_name(name)))}
    except BespokeError:  # The page that is drawn says what is wrong.
        return {}
