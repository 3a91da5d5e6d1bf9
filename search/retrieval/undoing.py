"""Deleting a project, with some seconds to think better of it.

It is out of sight at once, in its grave. A thread holds that as long as it may be brought back, so that nobody sweeps it; a
process that is killed meanwhile lets go of it, and the next one that starts finishes the deletion.
"""

from threading import Event, Lock, Thread

from search.projects import audit
from search.projects.errors import Refused
from search.projects.files import flush
from search.projects.locks import exclusive, project_lock
from search.projects.project import Project
from search.retrieval.deletion import gone_for_good, out_of_sight

SECONDS = 10.0


class UndoableDeletion:
    """A project that was deleted a moment ago.

    :param vectors: whether the shared embedding store is to keep only vectors that other projects' texts need.
    :param seconds: how long it can be brought back.
    :raises Refused: when it is not there, or somebody works on it and does not stop.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     lab = Project(Path(home, "lab")).create()
    ...     deleted = UndoableDeletion(lab)
    ...     lab.exists, deleted.undo().exists
    (False, True)
    """

    def __init__(self, project: Project, vectors: bool = False, seconds: float = SECONDS) -> None:
        self.project = project
        self._grave, self._use = out_of_sight(project, vectors)
        # Closed until the thread holds the grave: another process may be sweeping it already.
        self._closed, self._brought_back = True, False
        self._deciding, self._decided, self._held = Lock(), Event(), Event()
        self._thread = Thread(target=self._wait, args=(seconds,), daemon=True)
        self._thread.start()
        self._held.wait()

    @property
    def is_open(self) -> bool:
        """Whether it can still be brought back."""
        return not self._closed

    def undo(self) -> Project:
        """Bring the project back, as it was; what went on in it was cancelled.

        :raises Refused: when it is gone for good, or another one has its name by now.
        """
        home, name = self.project.folder.parent, self.project.name
        with exclusive(project_lock(home, name), f"the project {name!r}"), self._deciding:
            if self._closed or not self._grave.is_dir():
                raise Refused(f"The project {name!r} is gone for good.")
            if self.project.folder.exists():
                raise Refused(f"There is another project {name!r} by now.")
            audit.note("brought back the project", name)
            self._grave.rename(self.project.folder)
            flush(home)
            self._closed = self._brought_back = True
        self.finish()
        return self.project

    def finish(self) -> None:
        """Wait no longer; returns when nothing is left to do."""
        self._decided.set()
        self._thread.join()

    def _wait(self, seconds: float) -> None:
        try:
            with exclusive(project_lock(self._grave.parent, self._grave.name), "a deleted project"):
                self._closed = False
                self._held.set()
                self._decided.wait(seconds)
                with self._deciding:
                    self._closed = True
                if not self._brought_back:
                    gone_for_good(self._grave, self._use)
        finally:
            self._held.set()
