"""A model as one graph from tokens to the vector: transformer, pooling, adapter and length in one file of weights.

Beside the graph stand its tokenizer, which cuts and pads as the model does, and `encoding.json`: the prompts, the graph of
each side, what it takes and gives. Nothing else is needed to use it, and nothing of sentence-transformers.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from indexes.vector_index import Vectors
from search.models.encoding.backends.openvino import INPUTS, Unconvertible, check_convertible
from search.models.encoding.batching import batched
from search.models.prompts import Role, prompt_of
from search.projects.errors import Refused
from search.projects.files import write_json

if TYPE_CHECKING:
    import torch

SETTINGS = "encoding.json"
TOKENIZER = "tokenizer.json"
OUTPUT = "sentence_embedding"
_EXAMPLES = ["one text", "another text that is a little longer"]
_PIECES, _ROWS = 2_048, 32
Run = Callable[[Mapping[str, Any]], Vectors]
"""Takes the inputs of a graph by name, each of shape (texts, pieces); gives vectors, shape (texts, dimension)."""


def check_one_graph(model: Any) -> None:
    """See that all of a model fits into one graph for each side.

    :raises Refused: when it does not, with the format that holds it.
    """
    try:
        if not _is_static(model):
            check_convertible(model)
    except Unconvertible as reason:
        raise Refused(
            f"This model does not fit into one graph: {reason}. Export it as a sentence-transformers folder."
        ) from None
    apart = any(not getattr(module, "include_prompt", True) for module in model)
    if apart and any(prompt_of(model, role) for role in get_args(Role)):
        raise Refused(
            "This model leaves its prompt out of the mean over a text's tokens, which no graph of tokens can. Export it "
            "as a sentence-transformers folder."
        )
    if _tokenizer(model) is None:
        raise Refused(
            "The tokenizer of this model has no tokenizer.json to go by. Export it as a sentence-transformers folder."
        )


def sides(model: Any) -> dict[str, Role]:
    """The graphs that a model needs, by the name of their files: one, or one a side where only one side has an adapter."""
    if any(type(module).__name__ == "Router" for module in model):
        return {"query": "query", "document": "document"}
    return {"model": "document"}


def by_side(files: Mapping[str, str]) -> dict[str, str]:
    """The file of each side's graph, where one may serve both."""
    return {side: files.get(side) or files["model"] for side in ("query", "document")}


def graph_of(model: Any, role: Role) -> "tuple[torch.nn.Module, dict[str, torch.Tensor]]":
    """One module from tokens to vectors of length 1, and an example of its inputs by name."""
    import torch

    first, *rest = list(model)
    static = _is_static(model)
    behind: list[Any] = []
    for module in rest:
        routed = type(module).__name__ == "Router"
        behind += list(module.sub_modules[role]) if routed else [module]
    names, given = _example(model)
    cut = model.truncate_dim

    class Whole(torch.nn.Module):
        """Takes the inputs one by one."""

        def __init__(self) -> None:
            super().__init__()
            self.first = first.embedding if static else first.model
            self.behind = torch.nn.ModuleList(behind)

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            features: dict[str, Any] = dict(zip(names, inputs, strict=True))
            if static:
                mask = features["attention_mask"].unsqueeze(-1).to(self.first.weight.dtype)
                rows = torch.nn.functional.embedding(features["input_ids"], self.first.weight)
                features[OUTPUT] = (rows * mask).sum(1) / mask.sum(1).clamp(min=1.0)
            else:
                hidden = self.first(**features, return_dict=True).last_hidden_state
                features[first.module_output_name] = hidden
            for module in self.behind:
                features = module(features)
            vectors: torch.Tensor = torch.nn.functional.normalize(features[OUTPUT][:, :cut], dim=1)
            return vectors

    return Whole().eval(), given


def write_reading(model: Any, target: Path, files: Mapping[str, str], **said: Any) -> None:
    """Write the tokenizer and the settings beside the graphs.

    :param files: the file of the graph of each side.
    :param said: what else stands in the settings.
    """
    tokenizer, special = _tokenizer(model)
    tokenizer.save(str(target / TOKENIZER))
    settings = {
        **said,
        "graphs": dict(files),
        "inputs": _example(model)[0],
        "output": OUTPUT,
        "dimension": model.get_embedding_dimension(),
        "prompts": {role: prompt_of(model, role) or "" for role in get_args(Role)},
        "add_special_tokens": special,
        "longest_text": tokenizer.truncation and tokenizer.truncation["max_length"],
        "length_of_vectors": 1,
    }
    write_json(target / SETTINGS, settings)


class GraphEncoder:
    """An exported graph as an encoder, by what stands in its folder alone.

    :param opened: gives what runs the graph in a file.

    >>> from tempfile import TemporaryDirectory
    >>> from search.models.word_tokenizers import Words
    >>> with TemporaryDirectory() as name:
    ...     tokenizer, _ = Words().tokenizer(["rent", "due"])
    ...     tokenizer.enable_padding()
    ...     tokenizer.save(str(Path(name) / TOKENIZER))
    ...     write_json(Path(name) / SETTINGS, {"graphs": {"query": "q", "document": "d"}, "inputs": ["input_ids"],
    ...         "prompts": {"query": "due ", "document": ""}, "add_special_tokens": False, "longest_text": None})
    ...     encoder = GraphEncoder(Path(name), lambda file: lambda inputs: inputs["input_ids"].astype(np.float32))
    >>> encoder.encode_query(["rent"]).tolist()
    [[2.0, 1.0]]
    """

    def __init__(self, folder: Path, opened: Callable[[Path], Run]) -> None:
        from tokenizers import Tokenizer

        self._settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        graphs: dict[str, str] = self._settings["graphs"]
        by_file = {name: opened(folder / name) for name in set(graphs.values())}
        self._graphs = {side: by_file[name] for side, name in graphs.items()}

    def encode_query(self, inputs: Any) -> Vectors:
        """See `Encoder.encode_query`."""
        return self._vectors(list(inputs), "query")

    def encode_document(self, inputs: Any) -> Vectors:
        """See `Encoder.encode_document`."""
        return self._vectors(list(inputs), "document")

    def _vectors(self, texts: list[str], role: Role) -> Vectors:
        whole = [self._settings["prompts"][role] + text for text in texts]
        rows: dict[int, Vectors] = {}
        for batch in batched(whole, _PIECES, self._settings["longest_text"] or _PIECES, _ROWS):
            encoded = self._tokenizer.encode_batch(
                [whole[position] for position in batch],
                add_special_tokens=self._settings["add_special_tokens"],
            )
            # A text without a token is a row of padding, which no tokenizer makes of it.
            longest = max(1, *(len(one.ids) for one in encoded))
            inputs = {
                name: np.array([_padded(one, name, longest) for one in encoded], dtype=np.int64)
                for name in self._settings["inputs"]
            }
            rows.update(zip(batch, self._graphs[role](inputs), strict=True))
        return np.stack([rows[position] for position in range(len(texts))])


_PARTS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}


def _padded(encoded: Any, name: str, longest: int) -> list[int]:
    numbers: list[int] = getattr(encoded, _PARTS[name])
    return [*numbers, *[0] * (longest - len(numbers))]


def _is_static(model: Any) -> bool:
    return type(model[0]).__name__ == "StaticEmbedding"


def _example(model: Any) -> "tuple[list[str], dict[str, torch.Tensor]]":
    """The inputs of a model's graph by name, and an example of each."""
    import torch

    if _is_static(model):
        pieces = torch.ones((2, 4), dtype=torch.int64)
        given = {"input_ids": pieces, "attention_mask": pieces.clone()}
    else:
        example = model.preprocess(_EXAMPLES)
        given = {name: example[name] for name in INPUTS if name in example}
    return list(given), given


def _tokenizer(model: Any) -> Any:
    """A copy of a model's tokenizer that cuts and pads as the model does, and whether it puts marks round a text."""
    from tokenizers import Tokenizer

    static = _is_static(model)
    own = model[0].tokenizer if static else getattr(model[0].tokenizer, "backend_tokenizer", None)
    if own is None:
        return None
    made = Tokenizer.from_str(own.to_str())
    made.no_truncation()
    if static:
        made.enable_padding()
        return made, False
    words = model[0].tokenizer
    if model.max_seq_length:
        made.enable_truncation(int(model.max_seq_length), direction=words.truncation_side)
    made.enable_padding(
        direction=words.padding_side,
        pad_id=words.pad_token_id,
        pad_type_id=words.pad_token_type_id,
        pad_token=words.pad_token,
    )
    return made, True


def usage(imports: str, opened: str, called: str) -> str:
    """What a card says of how a graph is used; a test runs it.

    :param opened: opens `file`; `called` calls `graphs[side]` with `inputs`.
    """
    return f"""```python
import json
from pathlib import Path
import numpy as np
{imports}
from tokenizers import Tokenizer

folder = "path/to/this/folder"
settings = json.loads(Path(folder, "{SETTINGS}").read_text(encoding="utf-8"))
tokenizer = Tokenizer.from_file(folder + "/{TOKENIZER}")
graphs = {{side: {opened} for side, file in settings["graphs"].items()}}

def encode(texts, side):  # "query" or "document"
    whole = [settings["prompts"][side] + text for text in texts]
    tokens = tokenizer.encode_batch(whole, add_special_tokens=settings["add_special_tokens"])
    known = {{
        "input_ids": [one.ids for one in tokens],
        "attention_mask": [one.attention_mask for one in tokens],
        "token_type_ids": [one.type_ids for one in tokens],
    }}
    inputs = {{name: np.array(known[name], dtype=np.int64) for name in settings["inputs"]}}
    return {called}

print(encode(["a question"], "query") @ encode(["a document"], "document").T)
```"""
