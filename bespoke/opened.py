"""A project, opened from Python: what its commands do, as calls that return what they made."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bespoke.results import (
    AddedDocuments,
    AddedPairs,
    ComparedHits,
    ExportedModel,
    JudgingBoard,
    ProvenVerdict,
    TrainedModel,
)
from search.evaluation.query_sets.questions import Question
from search.projects.errors import Refused
from search.projects.files import keep_private
from search.projects.project import Project, project_to_be
from search.projects.room import reserve
from search.projects.settings import settings
from terminal.options import Form, Precision, finish_deletions
from terminal.printing import bar, running, tell_notes, tell_report
from terminal.shared import add_files, measure, train_by

if TYPE_CHECKING:
    from typing import Literal

Column = str | TrainedModel
"""What ranks: generic, bm25, hybrid:NAME ..., the name of a model, or the model that `train` returned."""
File = str | PathLike[str]


def open_project(name: str) -> "OpenProject":
    """A project of the workspace by its name; made if it is not there.

    The workspace is the folder of BESPOKE_HOME, or `workspace` where Python was started, as for the terminal.

    :raises Refused: for a name that no project can have, and a project of another format.
    """
    home = settings().home
    keep_private(home)
    reserve(home)
    finish_deletions()
    return OpenProject(project_to_be(name).create())


class OpenProject:
    """A project that was opened. Its methods are the commands of the terminal, and are recorded as these are.

    Long work shows its progress, can be stopped with Ctrl-C (a notebook's stop button), and publishes whole or not at all.

    :param project: the project on disk, for what these methods do not do.
    """

    def __init__(self, project: Project) -> None:
        self.project = project

    @property
    def name(self) -> str:
        """What it is called."""
        return self.project.name

    def __repr__(self) -> str:
        from search.models.registry import models

        corpus = self.project.newest("corpora")
        documents = corpus.details["documents"] if corpus is not None else 0
        names = ", ".join(info.name for info in models(self.project))
        return f"The project {self.name!r}: {documents:,} documents; models: {names}."

    def add(
        self,
        *files: File,
        text: str | None = None,
        title: str | None = None,
        id: str | None = None,
        metadata: Sequence[str] | None = None,
        document_per: "Literal['file', 'paragraph', 'line'] | None" = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        passage_tokens: int | None = None,
        overlap: int | None = None,
        tiers: str | None = None,
        replace: bool = False,
    ) -> AddedDocuments:
        """Add documents from files, folders and archives; what is left out of the options is found out.

        :param text: the column that holds the text; `title`, `id` and `metadata` name others.
        :param passage_tokens: longer documents are cut into passages of at most so many word pieces; 0 keeps them whole.
        :param tiers: source tiers, the most binding first: "type=case,statute,blog".
        :param replace: a document whose id is taken replaces the old one.
        :raises Refused: where a file cannot be used, nothing is new, or fewer than two documents would be there.
        """
        from search.corpus.filters import parse_tiers
        from search.corpus.ingest import IngestChoices
        from search.corpus.readers.documents import DocumentColumns

        paths = [Path(file) for file in files]
        options = {
            "text-column": text,
            "title-column": title,
            "id-column": id,
            "metadata-column": metadata,
            "document-per": document_per,
            "encoding": encoding,
            "delimiter": delimiter,
            "passage-tokens": passage_tokens,
            "overlap": overlap,
            "tiers": tiers,
            "replace": replace,
        }
        columns = DocumentColumns(
            text, title, id, None if metadata is None else tuple(metadata), document_per
        )
        choices = IngestChoices(
            columns=columns,
            encoding=encoding,
            delimiter=delimiter,
            tiers=parse_tiers(tiers) if tiers else None,
            replace_changed=replace,
        )
        if not paths:
            raise Refused("Say which files to add: project.add('leases.csv').")
        with running(self.project, self._line("add", *paths, **options)) as run:
            made = add_files(self.project, paths, choices, run, passage_tokens, overlap)
        return AddedDocuments(made.added.written, made.total, made.passages, made.notes)

    def pairs(
        self,
        file: File,
        query: str | None = None,
        response: str | None = None,
        negatives: Sequence[str] | None = None,
        document: str | None = None,
        labels: Sequence[str] | None = None,
        grades: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        add_responses: bool = False,
        question: Question | None = None,
    ) -> AddedPairs:
        """Add query/response pairs; a fifth is held out for the proof if there is no query set yet.

        :param query: the column of queries; `response`, `negatives`, `document` (ids) and `labels` name others.
        :param grades: what labels mean: "E=3,S=2,I=0".
        :param add_responses: make documents of responses that are in none.
        :param question: what the held-out queries ask: new_questions or new_documents.
        :raises Refused: where the file cannot be used, or holds too few pairs.
        """
        from search.corpus.readers.grades import GradeRules
        from search.corpus.readers.pairs import PairColumns
        from training.data.intake import add_pairs

        options = {
            "query-column": query,
            "response-column": response,
            "negative-column": negatives,
            "document-column": document,
            "label-column": labels,
            "grades": grades,
            "encoding": encoding,
            "delimiter": delimiter,
            "add-responses": add_responses,
            "question": question,
        }
        columns = PairColumns(
            query,
            response,
            None if negatives is None else tuple(negatives),
            document,
            None if labels is None else tuple(labels),
            GradeRules.parse(grades) if grades else None,
        )
        path = Path(file)
        with running(self.project, self._line("pairs", path, **options)) as run:
            made = add_pairs(
                self.project, path, columns, add_responses, run, encoding, delimiter, question
            )
            for report in made.reports:
                tell_report(run, report, "pairs")
            tell_notes(run, made.notes)
        return AddedPairs(made.pairs, made.dev_queries, made.test_queries, made.notes)

    def train(
        self,
        recipe: str = "auto",
        *,
        name: str | None = None,
        strict: bool = False,
        **options: Any,
    ) -> TrainedModel:
        """Train a custom model by a recipe: auto, adapter, fine-tune, static, word2vec or fasttext.

        :param name: what to call it; the recipe's name, numbered where that is taken.
        :param strict: learn from no pair whose answer is relevant to a held-out query.
        :param options: settings of the recipe, such as `minutes=10` of auto or `epochs=3` of the adapter.
        :raises Refused: for an unknown recipe or setting, a name that is taken, or data that is missing.
        """
        line = self._line("train", recipe=recipe, name=name, strict=strict)
        line += [part for key, value in options.items() for part in ("--set", f"{key}={value}")]
        with running(self.project, line) as run:
            made = train_by(self.project, recipe, name, options, run, strict)
        if made is None:
            raise Refused("This process only helped; the first one says what came of it.")
        details = self.project.artifact("models", made.id).details
        return TrainedModel(made.name, made.id, recipe, int(details["dimension"]), made.notes)

    def evaluate(
        self, column: Column | None = None, against: Column | None = None
    ) -> ProvenVerdict:
        """Measure a column against another one on the held-out queries, keyword search beside.

        :param column: what is in question; the newest custom model where none is named.
        :param against: what it is compared with: generic, and where no column is named the best ready-made model, too.
        :raises Refused: without a query set, for an unknown column, and for one column twice.
        """
        from search.insight.verdict_page.choose import candidate_of, columns_to_measure

        named = None if column is None else str(column)
        baseline = None if against is None else str(against)
        candidate = candidate_of(self.project, named, baseline)
        usual = named is None and baseline is None
        columns = [] if usual else columns_to_measure(candidate, baseline)
        line = self._line("evaluate", model=columns)
        with running(self.project, line) as run:
            result = measure(self.project, columns, run)
        main = result.decision.main
        about = [test for test in result.comparisons if test.candidate == candidate]
        test = main if main is not None and main.candidate == candidate else about[-1]
        return ProvenVerdict(test, result)

    def compare(
        self,
        question: str,
        columns: Sequence[Column] = (),
        k: int = 10,
        filters: Sequence[str] = (),
        by_tier: bool = False,
    ) -> ComparedHits:
        """Search several columns side by side; missing indexes are built first.

        :param columns: generic and the newest custom model where none is named.
        :param filters: only documents with this metadata: "type=case,statute", "year>=2015".
        :param by_tier: better source tiers first.
        :raises Refused: for an empty question, an unknown column, or a project without documents.
        """
        from search.corpus.filters import Scope, parse_condition
        from search.evaluation.rankings.fit_fusion import fit_missing
        from search.evaluation.rankings.self_matches import left_out_note, own_documents
        from search.retrieval.columns import columns_to_use
        from search.retrieval.search import compare

        scope = Scope(tuple(map(parse_condition, filters)), tiers_first=by_tier)
        with bar() as progress:
            own = own_documents(self.project, question)
            names, note = [str(one) for one in columns], None
            if not names:
                names, note = columns_to_use(self.project)
            fit_missing(self.project, names, progress)
            found = compare(self.project, question, names, k, progress, scope, own)
        notes = [note] if note else []
        return ComparedHits(found, [*notes, left_out_note(own)] if own else notes)

    def judge(
        self, columns: Sequence[Column] = (), queries: int = 40, ask: Sequence[str] = ()
    ) -> JudgingBoard:
        """Line questions up for blind votes between two columns, on the page Judge.

        :param columns: two; as last time where none are named, at first generic and the newest custom model.
        :param queries: how many of the query set: those where the two differ most.
        :param ask: further questions.
        :raises Refused: without documents or questions, and for columns that cannot be used.
        """
        from dataclasses import replace

        from search.judging.prepare import prepare_questions
        from search.judging.setup import default_setup, saved_setup

        names = [str(one) for one in columns]
        if names and len(names) != 2:
            raise Refused(f"Two columns are compared, not {len(names)}.")
        setup = saved_setup(self.project) or default_setup(self.project)
        if names:
            setup = replace(setup, one=names[0], other=names[1])
        setup = replace(setup, goal=queries).checked(self.project)
        line = self._line("questions", column=names, goal=queries, ask=list(ask))
        with running(self.project, line) as run:
            made = prepare_questions(self.project, setup, ask, run)
            tell_notes(run, made.notes)
        return JudgingBoard(self.project, setup, made.notes)

    def export(
        self,
        model: Column,
        folder: File,
        format: Form = "sentence-transformers",
        precision: Precision = "fp32",
        measured: bool = False,
    ) -> ExportedModel:
        """Write a model for other programs, after it was loaded again and held against the model on 200 texts.

        :param folder: must not exist, or be empty.
        :param precision: bits of a weight: fp32, fp16 or int8.
        :param measured: the model itself, though it was trained once more from everything.
        :raises Refused: for an unknown model, a folder with something in it, and a format that cannot hold this model.
        """
        from training.export.export import export

        name, target = str(model), Path(folder)
        with bar() as progress:
            notes = export(self.project, name, target, measured, format, precision, progress)
        return ExportedModel(name, target, format, notes)

    def _line(self, command: str, *files: Path, **options: Any) -> list[str]:
        """The command line that does the same."""
        line = [command, self.name, *map(str, files)]
        for key, value in options.items():
            for one in value if isinstance(value, list | tuple) else [value]:
                if one is None or one is False:
                    continue
                line += [f"--{key}"] if one is True else [f"--{key}", str(one)]
        return line
