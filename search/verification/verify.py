"""Is what a server gives what the model gives? Vectors first, then what searches with them are worth."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from search.corpus.corpus import current_corpus
from search.models.api.client import Caller
from search.models.api.settings import api_settings
from search.models.load import load_encoder
from search.models.prompts import Prompts
from search.models.registry import find_model
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.text.sampling import evenly_spaced
from search.verification.asking import AskedServer, ask
from search.verification.diagnosis import Diagnosis, diagnose
from search.verification.faults import Fault, faults_of
from search.verification.probes import probes
from search.verification.quality import Quality, quality_of
from search.verification.variants import LocalModel

PromptsBy = Literal["server", "client"]
_TEXTS = 60


@dataclass(frozen=True)
class Verified:
    """What came of asking a server: what differs, and what searches through it are worth (None: not measured).

    >>> from search.verification.diagnosis import Way
    >>> seen = Diagnosis(Way(), np.zeros(2), 0.0, 384, 384, (1.0, 1.0), (1.0, 1.0))
    >>> Verified("mine", "http://localhost:8600/v1", 2, [], seen, None).sentences[0][:44]
    'http://localhost:8600/v1 serves mine rightly'
    """

    model: str
    address: str
    texts: int
    faults: list[Fault]
    seen: Diagnosis
    quality: Quality | None

    @property
    def is_right(self) -> bool:
        """Whether nothing differs."""
        return not self.faults

    @property
    def lowest(self) -> float:
        """The lowest cosine of a text to what explains the server's vectors best."""
        return 1 - float(np.nanmax(self.seen.errors))

    @property
    def sentences(self) -> list[str]:
        """What to say, the verdict first."""
        if self.is_right:
            first = (
                f"{self.address} serves {self.model} rightly: {self.texts} texts, lowest cosine to the model's own vectors "
                f"{self.lowest:.5f}."
            )
        else:
            names = " and ".join(dict.fromkeys(fault.name for fault in self.faults))
            first = f"{self.address} does not serve {self.model} as it was measured: {names}."
        measured = [self.quality.sentence] if self.quality is not None else []
        return [first, *(fault.sentence for fault in self.faults), *measured]

    def as_json(self) -> dict[str, Any]:
        """The shape that `verify --json` prints."""
        return {
            "model": self.model,
            "base_url": self.address,
            "texts": self.texts,
            "right": self.is_right,
            "faults": [fault.as_json() for fault in self.faults],
            "lowest_cosine": self.lowest,
            "noise": self.seen.noise,
            "dimensions": self.seen.dimension,
            "ndcg": None if self.quality is None else self.quality.as_json(),
        }


def verify(
    project: Project,
    name: str,
    base_url: str,
    served_name: str | None = None,
    key_variable: str | None = None,
    prompts_by: PromptsBy = "server",
    whole: bool = False,
    progress: Progress = silent,
) -> Verified:
    """Ask a server for what the model gives, on two hundred texts and then on the project's questions.

    :param served_name: what the model is called there; None for its name here.
    :param key_variable: the environment variable that holds the server's key.
    :param prompts_by: who puts prompts before texts: the server, which is told the side, or whoever asks.
    :param whole: let the server encode the documents for nDCG as well.
    :raises Refused: for an unknown model, an address that may not be asked, or a key that may not be sent there.
    :raises Failed: where the server does not answer as OpenAI's API does.
    """
    info = find_model(project, name)
    given = {"base_url": base_url, "model": served_name or name, "key_variable": key_variable}
    settings = api_settings({**given, "retries": 1})
    caller = Caller(settings, project=project.name)
    encoder = load_encoder(project, info)
    local = LocalModel(encoder)
    own = Prompts(local.prompts["query"], local.prompts["document"])
    sent_here = prompts_by == "client"
    server = AskedServer(caller, own if sent_here else None)
    asked = probes(_texts(project), local.window)
    answers = ask(server, asked, Stage(progress, 0.0, 0.3))
    progress(0.3, 1, "comparing with the model")
    seen = diagnose(local, asked, answers)
    faults = faults_of(local, answers, seen, sent_here)
    quality = None
    if info.refit_of is None and not seen.is_other_model:
        stage = Stage(progress, 0.5, 1.0)
        quality = quality_of(project, info, encoder, server, seen.dimension, whole, stage)
    return Verified(info.name, settings.base_url, len(asked), faults, seen, quality)


def _texts(project: Project) -> list[str]:
    """Some texts of the project's documents; none where it has none yet."""
    if project.newest("corpora") is None:
        return []
    _, corpus = current_corpus(project)
    return corpus.embedded_at(evenly_spaced(corpus.passages, _TEXTS))
