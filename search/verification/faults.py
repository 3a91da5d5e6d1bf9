"""What is wrong with a server, in words, and what to set there."""

from dataclasses import asdict, dataclass
from typing import Any

from search.verification.asking import ServerAnswers
from search.verification.diagnosis import Diagnosis, Way
from search.verification.probes import LONG
from search.verification.variants import BOTH, MISSING, NONE, OTHER, OWN, TWICE, LocalModel

_UNIT = 0.01
_SIDES = ("queries", "documents")
_POOLINGS = {
    "mean": "the mean of all tokens",
    "cls": "the first token (CLS)",
    "lasttoken": "the last token",
    "max": "the maximum over all tokens",
}


@dataclass(frozen=True)
class Fault:
    """One thing that differs: its `name`, what is seen of it, and what to set.

    >>> Fault("pooling", "It takes the first token.", "Set pooling to mean.").sentence
    'It takes the first token. Set pooling to mean.'
    """

    name: str
    what: str
    remedy: str

    @property
    def sentence(self) -> str:
        """Both in one."""
        return f"{self.what} {self.remedy}"

    def as_json(self) -> dict[str, Any]:
        """The shape that `verify --json` prints."""
        return asdict(self)


def faults_of(
    local: LocalModel, answers: ServerAnswers, diagnosis: Diagnosis, sent_here: bool
) -> list[Fault]:
    """What differs, the gravest first; nothing where a server is right.

    :param sent_here: whether prompts are put before texts by who asks.
    """
    found = _of_order(answers)
    if diagnosis.is_other_model:
        return [*found, _other_model(diagnosis)]
    way = diagnosis.way
    found += _of_prompts(local, way, sent_here)
    if way.special != OWN:
        said = {
            NONE: "It leaves out",
            TWICE: "It puts twice",
            "no last": "It leaves out the last of",
        }
        found.append(
            Fault(
                "special tokens",
                f"{said[way.special]} the special tokens around a text ([CLS], [SEP], BOS, EOS).",
                "Let its tokenizer add them, once: take the tokenizer's files from the exported folder, and no template that adds "
                "them again.",
            )
        )
    if way.head.pooling != OWN:
        found.append(
            Fault(
                "pooling",
                f"It takes {_POOLINGS[way.head.pooling]} as the vector; the model takes {_POOLINGS.get(local.pooling, local.pooling)}.",
                f"Set its pooling to {local.pooling} (llama.cpp and text-embeddings-inference: --pooling {_flag(local.pooling)}).",
            )
        )
    if way.head.dense != OWN:
        found.append(_of_dense(way))
    if way.length is not None:
        found.append(_of_length(local, way.length))
    return found + _of_vectors(diagnosis) + _of_texts(answers, diagnosis)


def _of_order(answers: ServerAnswers) -> list[Fault]:
    found = []
    if answers.mixed_up:
        found.append(
            Fault(
                "order",
                "Texts that are asked together get each other's vectors.",
                "Nothing can be set: ask for one text at a time, or use another server.",
            )
        )
    elif answers.unordered:
        found.append(
            Fault(
                "order",
                "It sends vectors in another order than it numbers them.",
                "Many clients go by the order of arrival: ask for one text at a time, or sort by index.",
            )
        )
    return found


def _other_model(diagnosis: Diagnosis) -> Fault:
    size = ""
    if diagnosis.dimension != diagnosis.of:
        size = f" They have {diagnosis.dimension} dimensions, the model's {diagnosis.of}."
    return Fault(
        "another model",
        f"Its vectors are those of another model: no way of serving this one explains them (median cosine "
        f"{1 - diagnosis.noise:.2f}).{size}",
        "See which folder and which name it serves.",
    )


def _of_prompts(local: LocalModel, way: Way, sent_here: bool) -> list[Fault]:
    found = []
    for kind in dict.fromkeys(way.prompts):
        sides = [side for side, one in zip(_SIDES, way.prompts, strict=True) if one == kind]
        own = [p for p, one in zip(local.prompts.values(), way.prompts, strict=True) if one == kind]
        meant = " and ".join(f"{p!r} before {s}" for p, s in zip(own, sides, strict=True))
        where = " and ".join(sides)
        put = (
            f"Put {meant}: as its default prompt, where it has one (text-embeddings-inference: --default-prompt), or in the "
            "program that asks (then verify with --prompts client)."
        )
        if kind == NONE:
            found.append(Fault("prompt missing", f"No prompt goes before {where}.", put))
        elif kind in (TWICE, BOTH):
            by = "the program that asks puts it, too" if sent_here else "it stands there twice"
            what = (
                "The prompt goes before {} twice." if kind == TWICE else "Two prompts go before {}."
            )
            found.append(
                Fault(
                    "prompt doubled",
                    what.format(where),
                    f"Take it out of the server's settings, or leave it to the server alone: {by}.",
                )
            )
        elif kind == OTHER:
            found.append(
                Fault(
                    "prompt of the other side",
                    f"The prompt of the other side goes before {where}.",
                    put,
                )
            )
    return found


def _of_dense(way: Way) -> Fault:
    remedy = (
        "An older server drops it without a word: take a newer one, or serve what has it inside (an ONNX export, or python "
        "cli.py serve)."
    )
    if way.head.dense == MISSING:
        return Fault("Dense missing", "The Dense layer (the adapter) is left out.", remedy)
    return Fault(
        "Dense missing",
        "Queries and documents go through each other's layers: the adapter is for one side only.",
        remedy,
    )


def _of_length(local: LocalModel, length: int) -> Fault:
    window = local.window
    what = f"It cuts texts at {length:,} tokens; the model reads {window:,}."
    if window is not None and length > window:
        what = f"It reads {length:,} tokens of a text; the model was measured reading {window:,}."
    return Fault(
        "cut",
        what,
        f"Set its longest text to {window:,} tokens (vLLM: --max-model-len; llama.cpp: -c and -ub).",
    )


def _of_vectors(diagnosis: Diagnosis) -> list[Fault]:
    found = []
    if diagnosis.dimension != diagnosis.of:
        found.append(
            Fault(
                "dimension",
                f"Its vectors have {diagnosis.dimension} dimensions, the model's {diagnosis.of}: they are cut.",
                "Leave dimensions out of its settings and of what is asked.",
            )
        )
    # What is cut is shorter than it was: that is said already.
    is_whole = not found
    low, high = diagnosis.own_lengths
    is_unit = abs(low - 1) < _UNIT and abs(high - 1) < _UNIT
    low, high = diagnosis.lengths
    if is_unit and is_whole and not (abs(low - 1) < _UNIT and abs(high - 1) < _UNIT):
        found.append(
            Fault(
                "not normalised",
                f"Its vectors are {low:.2f} to {high:.2f} long; the model's are of length 1.",
                "Let it normalise, or compare by cosine and never by dot product.",
            )
        )
    if diagnosis.is_low_precision:
        found.append(
            Fault(
                "low precision",
                f"It computes in low precision (median cosine {1 - diagnosis.noise:.4f}).",
                "Serve 16 or 32 bits, or measure what this costs and decide.",
            )
        )
    return found


def _of_texts(answers: ServerAnswers, diagnosis: Diagnosis) -> list[Fault]:
    found = []
    if answers.refused.any():
        number = int(answers.refused.sum())
        found.append(
            Fault(
                "refuses texts",
                f"It refuses {number} of {len(answers.refused)} texts, which the model reads as far as it goes ({answers.said[-1].rstrip('.')}).",
                "Let it cut long texts (text-embeddings-inference: --auto-truncate), or cut them where they are sent.",
            )
        )
    cut = [kind for kind in diagnosis.unlike if kind == LONG]
    if cut and diagnosis.way.length is None:
        found.append(
            Fault(
                "cut",
                "It reads long texts otherwise than the model, and not by a cut at a number of tokens.",
                "Cut texts where they are sent.",
            )
        )
    others = [kind for kind in diagnosis.unlike if kind != LONG]
    if others:
        found.append(
            Fault(
                "tokenizer",
                f"It reads {', '.join(others)} otherwise than the model: its tokenizer differs.",
                "Use a server that takes the model's own tokenizer.json, where such texts matter.",
            )
        )
    return found


def _flag(pooling: str) -> str:
    return {"lasttoken": "last"}.get(pooling, pooling)
