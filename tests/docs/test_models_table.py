"""The table of docs/models.md on what is read and how: each line is a model that is made here and added."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from search.models.pretrained.add import Choices, add_model
from search.projects.errors import Refused
from search.projects.project import Project, project_to_be
from tests import tiny_models as tiny
from tests.conftest import write_tiny_beir, write_tiny_classifier
from training.data.intake import import_beir

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"
ROW = re.compile(r"^\| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)


def sentence_transformer(folder: Path, **settings: object) -> Path:
    bare = tiny.write(folder.with_name("bare"), "bert")
    return tiny.as_sentence_transformer(folder, bare, behind=("normalize",), **settings)


def retyped(kind: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        sentence_transformer(folder)
        path = folder / "modules.json"
        path.write_text(
            re.sub(r'"sentence_transformers[\w.]*Pooling"', f'"{kind}"', path.read_text())
        )
        return folder

    return make


def decoder(folder: Path) -> Path:
    bare = tiny.write(folder.with_name("bare"), "gpt2", padding=False)
    return tiny.as_sentence_transformer(folder, bare, "lasttoken", ("normalize",))


def bare_tokenizer(folder: Path) -> Path:
    decoder(folder)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        tiny.change_settings(folder, name, sep_token=None, cls_token=None, unk_token=None)
    return folder


def cross_encoder(folder: Path) -> Path:
    folder.mkdir()
    write_tiny_classifier(folder, labels=1)
    return folder


def prefix(folder: Path) -> Path:
    tiny.write_lora(folder, tiny.write(folder.with_name("bare"), "bert"))
    return tiny.change_settings(folder, "adapter_config.json", peft_type="PREFIX_TUNING")


def pickled(folder: Path) -> Path:
    tiny.write(folder, "bert")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    return folder


def prompted(**prompts: str) -> Callable[[Path], Path]:
    return lambda folder: sentence_transformer(folder, prompts=prompts)


def written(kind: str, **more: object) -> Callable[[Path], Path]:
    return lambda folder: tiny.write(folder, kind, **more)


MAKERS: dict[str, Callable[[Path], Path]] = {
    "a SentenceTransformer": sentence_transformer,
    "a checkpoint of transformers without modules (BERT, RoBERTa ...)": written("bert"),
    "weights in bfloat16 or float16": written("bert", dtype="bfloat16"),
    "attention with a window (ModernBERT, Mistral, Gemma)": lambda folder: tiny.as_sentence_transformer(
        folder, tiny.write(folder.with_name("bare"), "modernbert"), behind=("normalize",)
    ),
    "T5 saved as an encoder alone": lambda folder: tiny.as_sentence_transformer(
        folder, tiny.write(folder.with_name("bare"), "t5-encoder"), behind=("normalize",)
    ),
    "T5 as a whole": written("t5"),
    "fewer positions than its settings promise (a RoBERTa's 514 are 512)": written(
        "roberta", max_length=None, max_position_embeddings=66
    ),
    "a tokenizer without a token for padding": decoder,
    "a tokenizer without any special token": bare_tokenizer,
    "what PEFT saved (LoRA)": lambda folder: tiny.write_lora(
        folder, tiny.write(folder.with_name("bare"), "bert")
    ),
    "what PEFT saved before the text (prefix or prompt tuning)": prefix,
    "a model saved with truncate_dim": lambda folder: sentence_transformer(folder, truncate_dim=16),
    "an asymmetric model (a Router with two models)": lambda folder: tiny.write_router(
        folder, tiny.write(folder.with_name("bare"), "bert")
    ),
    "a model made for dot products": lambda folder: tiny.as_sentence_transformer(
        folder, tiny.write(folder.with_name("bare"), "bert"), similarity_fn_name="dot"
    ),
    "prompts under names of their own": prompted(s2s="rent "),
    'an empty "document" prompt beside "passage"': prompted(
        query="a question ", document="", passage="the "
    ),
    "a model that reads less than your passages hold": sentence_transformer,
    "static vectors (`static`)": lambda folder: Path("static"),
    "SPLADE and other sparse encoders": retyped("sentence_transformers.models.SpladePooling"),
    "ColBERT and other late interaction": retyped("pylate.models.Dense.Dense"),
    "a cross-encoder": cross_encoder,
    "a classifier": written("classifier", num_labels=3),
    "a causal language model without pooling": written("gpt2"),
    "an encoder with a decoder (BART)": written("bart"),
    "pickled weights": pickled,
}  # fmt: skip
# Lines that say nothing at all; the others say what stands in quotation marks.
SILENT = {
    "a SentenceTransformer",
    "attention with a window (ModernBERT, Mistral, Gemma)",
    "T5 saved as an encoder alone",
    "a tokenizer without a token for padding",
    "a model saved with truncate_dim",
    "an asymmetric model (a Router with two models)",
}


def rows() -> dict[str, tuple[str, str]]:
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("### What is read")[1].split("\n## ")[0]
    return {what: (how, lost) for what, how, lost in ROW.findall(table) if what != "what you bring"}


def test_every_line_of_the_table_is_made() -> None:
    assert list(rows()) == list(MAKERS)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_beir(tmp_path_factory.mktemp("beir") / "beir")


@pytest.mark.parametrize("what", list(MAKERS))
def test_a_line_of_the_table_is_what_happens(what: str, tmp_path: Path, documents: Path) -> None:
    how, lost = rows()[what]
    project: Project = project_to_be("lab")
    short = what == "a model that reads less than your passages hold"
    if short:
        import_beir(project, documents)
    else:
        project.create()
    reference = str(MAKERS[what](tmp_path / "model"))
    choices = Choices(name="it", max_length=8 if short else None)
    quoted = re.findall(r"“(.+?)”(?=[,;:]|$| )", lost)
    if how.startswith("refused"):
        with pytest.raises(Refused) as refused:
            add_model(project, reference, choices)
        said = str(refused.value)
    else:
        said = " ".join(add_model(project, reference, choices).notes)
    assert bool(quoted) == (what not in SILENT) and bool(said) == bool(quoted)
    assert [quote for quote in quoted if quote not in said] == []
