"""Readers that eat memory or time, never end, or end badly; all of them harmless to whoever watches them.

A file that is called `bad-KIND.csv` is read by the one of that name, every other file as usual. Runs in the child.
"""

import itertools
import mmap
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from search.corpus.document import Document
from search.corpus.isolated import worker
from search.corpus.readers.documents import read_documents

MB = 1_000_000
kept = []  # What is allocated stays.


def at_once(path, report):
    kept.append(b"x" * (600 * MB))
    time.sleep(60)


def in_steps(path, report):
    for _ in range(60):
        kept.append(b"x" * (10 * MB))
    time.sleep(60)


def numpy_array(path, report):
    import numpy as np

    kept.append(np.ones(600 * MB // 8))
    time.sleep(60)


def mapped(path, report):
    area = mmap.mmap(-1, 600 * MB)
    area.write(b"x" * (100 * MB))
    for at in range(100 * MB, 600 * MB, 4096):
        area[at] = 1
    kept.append(area)
    time.sleep(60)


def small_objects(path, report):
    kept.extend(object() for _ in range(40_000_000))
    time.sleep(60)


def threads_that_allocate(path, report):
    for _ in range(6):
        threading.Thread(target=lambda: kept.append(b"x" * (100 * MB)), daemon=True).start()
    time.sleep(60)


def one_long_row(path, report):
    text = "x"
    while len(text) < 600 * MB:
        text += text
    yield Document("a", "", text)


def busy(path, report):
    while True:
        pass


def busy_threads(path, report):
    for _ in range(3):
        threading.Thread(target=busy, args=(path, report), daemon=True).start()
    time.sleep(60)


def busy_without_a_break(path, report):
    sum(itertools.repeat(1))  # Inside one call of C: no other thread of the child runs.


def deaf(path, report):
    for number in (signal.SIGTERM, signal.SIGXCPU, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    busy(path, report)


def endless_rows(path, report):
    for number in itertools.count():
        report.accepted += 1
        yield Document(f"d{number}", "", f"row {sum(range(300_000))}")


def endless_refusals(path, report):
    for number in itertools.count():
        report.refuse(f"row {number}", "no text")


def asleep(path, report):
    time.sleep(3600)


def napping(path, report):
    while True:
        time.sleep(0.01)


def stopped(path, report):
    os.kill(os.getpid(), signal.SIGSTOP)


def half_a_file(path, report):
    report.accepted += 2
    yield Document("half-1", "", "one row that was read")
    yield Document("half-2", "", "another row that was read")
    time.sleep(3600)


def _grandchild(path, code, **more):
    started = subprocess.Popen([sys.executable, "-c", code], **more)
    path.with_suffix(".pid").write_text(str(started.pid))
    started.wait()


def child_that_allocates(path, report):
    _grandchild(path, f"import time; x = b'x' * {600 * MB}; time.sleep(60)")


def child_that_is_busy(path, report):
    _grandchild(path, "while True: pass")


def child_that_left(path, report):
    _grandchild(path, "import time; time.sleep(3600)", start_new_session=True)


def too_deep(path, report):
    too_deep(path, report)


def no_memory(path, report):
    raise MemoryError


def surprised(path, report):
    raise ZeroDivisionError("the text of a document")


def leaves(path, report):
    sys.exit(0)


def leaves_at_once(path, report):
    os._exit(0)


def aborts(path, report):
    os.abort()


def closes_its_pipe(path, report):
    os.closerange(3, 100)
    time.sleep(60)


def garbles(path, report):
    for number in range(3, 100):
        try:
            os.write(number, b'{"rows": [[0, [], 0, {"document": [1]}]]}\n')
        except OSError:
            continue
    time.sleep(60)


def talks(path, report):
    for _ in range(1_000):
        print("x" * 1_000)
        sys.stderr.write("x" * 1_000)
    report.accepted += 1
    yield Document("talker", "", "What it prints harms nobody.")


def read(path, report, columns):
    if not path.name.startswith("bad-"):
        return read_documents(path, report, columns)
    made = globals()[path.stem.removeprefix("bad-")](Path(path), report)
    return iter(made or ())


def main(requests, answers):
    worker.STREAMS["documents"] = read
    worker.main(requests, answers)
