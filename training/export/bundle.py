"""An experiment as one file, for whoever is to check it: a model, what it was made of and measured on, and its figures.

It is a backup (`search.projects.backup`) of a project that holds nothing else, without votes and history, with a `bundle.json`
that says what came out. Where it is brought in, it is measured again, and the figures are held against each other. Without
text it holds hashes in place of documents, pairs and questions: who has the same data can bring them in and measure.
"""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search.corpus.corpus import Corpus
from search.evaluation.evaluate import evaluate
from search.evaluation.evaluation import LIBRARIES, newest_evaluation
from search.evaluation.ledger.sealing import Manner
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.seal import query_hash
from search.evaluation.query_sets.trained_on import TRAINED_ON
from search.models.registry import BUILT_IN, ModelInfo, base_of, find_model, generic_info
from search.projects import audit
from search.projects.artifacts import MANIFEST, Manifest
from search.projects.backup import BackedUp, back_up
from search.projects.backup_archive import BUNDLE, COMMENT, TAIL
from search.projects.errors import Failed, Refused
from search.projects.files import write_json
from search.projects.info import PROJECT_FILE
from search.projects.ledger import FOLDER as LEDGER
from search.projects.libraries import libraries
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.projects.restore import restore
from search.projects.scratch import scratch_folder
from search.projects.sealed import seal
from search.projects.settings import LIMITS
from search.retrieval.columns import parse_column
from training.data.pair_sets import PairSet

WITHOUT_TEXT = "The model is there, without a text. Bring in the same documents and test questions, then: python cli.py bundle {} --again."
_FORMAT = 1
_SAME = 5e-5
"""Figures that agree to four decimals are the same: another processor adds in another order."""


@dataclass(frozen=True)
class Again:
    """What came out when a bundle was measured again: `differs` names each figure that did, in words.

    >>> Again("mine", 10).sentence
    'The numbers of mine came out the same: 10 figures, to four decimals.'
    """

    model: str
    figures: int
    differs: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """What a person should know."""
        if not self.differs:
            return f"The numbers of {self.model} came out the same: {self.figures} figures, to four decimals."
        others = f" Versions differ: {', '.join(self.versions)}." if self.versions else ""
        return (
            f"The numbers of {self.model} did not come out the same: {len(self.differs)} of {self.figures} figures differ "
            f"({'; '.join(self.differs[:5])}).{others}"
        )


def bundle(
    project: Project, name: str, file: Path, with_text: bool = True, progress: Progress = silent
) -> BackedUp:
    """Write a model with all that it takes to measure it again into one file.

    :param file: must not exist.
    :param with_text: whether documents, pairs, questions and their rankings are in it, or hashes of them alone.
    :raises Refused: for an unknown model or one that was not made here, one that was not evaluated on what the project holds
        now, and, without text, for one that stands on another whose training pairs cannot be left out.
    """
    info = find_model(project, name)
    if info.kind != "custom":
        raise Refused(
            f"{name!r} was not made here: there is nothing to measure again. Name a model that was."
        )
    measured = newest_evaluation(project, info.name)
    if measured is None:
        raise Refused(
            f"{name!r} was not measured on what the project holds now: python cli.py evaluate {project.name} --model generic "
            f"--model {name}."
        )
    models, notes = _models(project, info)
    if not with_text and any(TRAINED_ON in m.files for m in models[1:]):
        raise Refused(
            f"{name!r} stands on a model of yours, which is known by all of its files, and one of them holds the pairs it was "
            "trained on. Bundle it with its text, or export it."
        )
    with scratch_folder("bundle") as scratch:
        staged = Project(Path(scratch) / project.name)
        staged.folder.mkdir()
        shutil.copyfile(project.folder / PROJECT_FILE, staged.folder / PROJECT_FILE)
        if (project.folder / LEDGER).is_dir():
            shutil.copytree(project.folder / LEDGER, staged.folder / LEDGER)
        for manifest in models:
            _copy(project, manifest, staged, () if with_text else (TRAINED_ON,))
        corpus, queries, pairs = _data(project, info)
        for part in (corpus, queries, pairs, measured) if with_text else ():
            if part is not None:
                _copy(project, part, staged)
        record = _record(project, info, measured, corpus, queries, pairs)
        write_json(staged.folder / BUNDLE, {**record, "with_text": with_text})
        audit.note("bundled", project.name, f"model {info.name} to {file.name}")
        made = back_up(staged, file, ("votes", "history"), progress)
    if info.recipe in ("word2vec", "fasttext", "static") and not with_text:
        notes.append("Its vocabulary is of the words of your documents: they are in the file.")
    return BackedUp(made.files, made.size, [*notes, *made.notes])


def is_bundle(file: Path) -> bool:
    """Whether a file is what `bundle` wrote."""
    try:
        if not file.is_file() or file.stat().st_size <= TAIL:
            return False
        with file.open("rb") as stream:
            stream.seek(-TAIL, 2)
            if not stream.read(TAIL).startswith(COMMENT):
                return False
        with zipfile.ZipFile(file) as archive:
            return BUNDLE in archive.namelist()
    except (
        OSError,
        zipfile.BadZipFile,
    ):  # Whoever reads it as something else says what is wrong with it.
        return False


def bring_in(file: Path, name: str, progress: Progress = silent) -> tuple[Project, Again | None]:
    """Make a project of a bundle, and measure it again where its text is in it.

    :returns: the project, and what came out; None where the texts are to be brought first.
    :raises Refused: as `restore`.
    """
    project = restore(file, name, progress)
    audit.note("restored", project.name, file.name)
    return project, measured_again(project, progress) if _read(project)["with_text"] else None


def measured_again(project: Project, progress: Progress = silent) -> Again:
    """Measure the model of a bundle on what its project holds now, and compare the figures.

    :raises Refused: where that came from no bundle, or its documents, pairs or questions are others.
    """
    said = _read(project)
    _refuse_other_data(project, said)
    there: dict[str, dict[str, float]] = said["evaluation"]["models"]
    how = Manner(baselines=said["evaluation"]["baselines"], watching=True)
    result = evaluate(project, list(there), progress, how=how)
    differs, figures = [], 0
    for column, means in there.items():
        here = result.means(column)
        for metric, value in means.items():
            figures += 1
            if not abs(here.get(metric, -1.0) - value) < _SAME:
                differs.append(
                    f"{column} {metric} {value:.4f} there, {here.get(metric, -1.0):.4f} here"
                )
    now = libraries(LIBRARIES)
    versions = [
        f"{library} {version} there, {now.get(library, 'none')} here"
        for library, version in said["versions"].items()
        if now.get(library) != version
    ]
    return Again(said["model"], figures, differs, versions)


def _models(project: Project, info: ModelInfo) -> tuple[list[Manifest], list[str]]:
    """A model, those that it stands on, and the one that is called generic; and notes on files that lie elsewhere."""
    made: list[Manifest] = []
    notes = []
    wanted: list[ModelInfo | None] = [info, generic_info(project)]
    while wanted:
        one = wanted.pop(0)
        if one is None or one.id == BUILT_IN or any(m.id == one.id for m in made):
            continue
        manifest = project.artifact("models", one.id)
        project.checked(manifest)
        made.append(manifest)
        wanted.append(base_of(project, manifest))
        if one.kind == "generic" and one.reference is not None:
            notes.append(
                f"Not in the file: {one.title}, which comes from {one.reference} and must be there, too."
            )
    return made, notes


def _data(
    project: Project, info: ModelInfo
) -> tuple[Manifest | None, Manifest | None, Manifest | None]:
    """The corpus and query set of today, and the pairs that a model was trained on, as far as they are there."""
    own = project.artifact("models", info.id).made_from.get("pairs")
    pairs = next((m for m in project.manifests("pairs") if m.id == own), None)
    return project.newest("corpora"), project.newest("queries"), pairs


def _copy(
    project: Project, manifest: Manifest, staged: Project, without: Sequence[str] = ()
) -> None:
    """Copy an artifact, perhaps without some files: then its manifest says nothing of them."""
    target = staged.folder / manifest.kind / manifest.id
    source = project.checked(manifest)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*without))
    if gone := set(without) & set(manifest.files):
        files = {name: record for name, record in manifest.files.items() if name not in gone}
        fewer = manifest.model_copy(update={"files": files})
        (target / MANIFEST).write_text(seal(fewer.model_dump_json(indent=2)), encoding="utf-8")


def _record(
    project: Project,
    info: ModelInfo,
    measured: Manifest,
    corpus: Manifest | None,
    queries: Manifest | None,
    pairs: Manifest | None,
) -> dict[str, Any]:
    manifest = project.artifact("models", info.id)
    details = manifest.details
    known = {info.name, "generic"}
    columns = {
        name: means
        for name, means in measured.details["models"].items()
        if (column := parse_column(name)).reranker is None and column.model in {None, *known}
    }
    return {
        "format": _FORMAT,
        "model": info.name,
        "id": info.id,
        "fingerprint": info.fingerprint,
        "recipe": info.recipe,
        "settings": details["settings"],
        "seed": details["settings"].get("seed"),
        "made_from": manifest.made_from,
        "data": _hashes(project, corpus, queries, pairs),
        "evaluation": {
            "id": measured.id,
            "queries": measured.details["queries"],
            "models": columns,
            "baselines": 1,
            "comparisons": measured.details["comparisons"],
        },
        "versions": libraries(LIBRARIES),
    }


def _hashes(
    project: Project, corpus: Manifest | None, queries: Manifest | None, pairs: Manifest | None
) -> dict[str, str]:
    """What tells whether data are the same, without telling what they say: one hash for documents and for each split."""
    made: dict[str, str] = {}
    if corpus is not None:
        opened = Corpus.of(project, corpus)
        made["documents"] = _hash([*opened.ids(), *(key.hex() for key in opened.embedded_keys())])
    if queries is not None:
        made["test"] = _hash_of_queries(QuerySet.with_sealed(project, queries))
    if pairs is not None:
        loaded = PairSet.load(project, pairs)
        made["train"] = _hash(sorted(query_hash(pair.query) for pair in loaded.pairs))
        made["dev"] = _hash_of_queries(loaded.dev)
    return made


def _hash_of_queries(asked: QuerySet) -> str:
    return _hash(
        sorted(
            f"{query_hash(text)} {' '.join(sorted(asked.relevant(name)))}"
            for name, text in asked.queries.items()
        )
    )


def _hash(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _read(project: Project) -> dict[str, Any]:
    """What bundle.json says.

    :raises Refused: where there is none.
    :raises Failed: where it cannot be read.
    """
    path = project.folder / BUNDLE
    if not path.is_file():
        raise Refused(
            f"The project {project.name!r} came from no bundle, so there is nothing to compare with."
        )
    try:
        if path.stat().st_size > LIMITS.json_bytes:
            raise ValueError
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _ = said["with_text"], said["evaluation"]["models"], said["data"], said["versions"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Failed(f"{path} cannot be read: bring the bundle in again.") from None
    return said


def _refuse_other_data(project: Project, said: dict[str, Any]) -> None:
    here = _hashes(project, project.newest("corpora"), project.newest("queries"), None)
    for what in ("documents", "test"):
        if here.get(what) != said["data"].get(what):
            called = "documents" if what == "documents" else "test questions"
            there = "are others than" if what in here else "are missing, and were not in"
            raise Refused(
                f"The {called} of {project.name!r} {there} those of the bundle. Bring in the same data, then: python cli.py "
                f"bundle {project.name} --again."
            )
