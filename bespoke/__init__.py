"""Bespoke from Python and notebooks: a project is opened, and does what the commands of the terminal do.

The same core, the same records of runs, the same sentences: no second way to do a thing. Start reading at opened.py.
"""

# First: what is imported after it would be somebody else's, and say nothing of that.
from bespoke import shadowed as shadowed
from bespoke.opened import OpenProject as OpenProject
from bespoke.opened import open_project as open_project
