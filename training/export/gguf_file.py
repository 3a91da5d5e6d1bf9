"""A plain transformer as one file of llama.cpp (GGUF): BERT with its word pieces, pooled by mean or first token.

What llama.cpp has no part for is refused, prompts included: it puts none before a text. A Dense behind a transformer that ends in a normalisation layer cannot be folded
into its weights: the last layer divides by a length that depends on the text. Names and metadata are those of llama.cpp's own
convert_hf_to_gguf.py; positions behind the model's longest text are left out, so that no server reads further than it.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import numpy as np

from indexes.vector_index import Vectors
from search.models.prompts import Role, prompt_of
from search.projects.errors import Refused
from training.export.formats import ExportFormat, Precision
from training.export.graph import TOKENIZER, write_reading
from training.export.llama_child import LlamaChild

_FILE = "model.gguf"
_POOLINGS = ("mean", "cls")
_ELSEWHERE = "Export it as a sentence-transformers folder, or as one graph (onnx, openvino)."
_PACKED = 32  # Numbers that share a scale in Q8_0.
_NEVER_PACKED = ("token_types", "position_embd")


def write(model: Any, target: Path, precision: Precision) -> list[str]:
    """Write a SentenceTransformer as a GGUF.

    :raises Refused: for what llama.cpp cannot compute, with what can.
    """
    pooling = _check(model)
    import gguf

    transformer, words = model[0].model, model[0].tokenizer
    config = transformer.config
    longest = int(model.max_seq_length or config.max_position_embeddings)
    writer = gguf.GGUFWriter(str(target / _FILE), "bert")
    writer.add_name("bespoke")
    writer.add_context_length(longest)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_layer_norm_eps(config.layer_norm_eps)
    writer.add_causal_attention(False)
    writer.add_pooling_type(getattr(gguf.PoolingType, pooling.upper()))
    writer.add_file_type(
        {
            "fp32": gguf.LlamaFileType.ALL_F32,
            "fp16": gguf.LlamaFileType.MOSTLY_F16,
            "int8": gguf.LlamaFileType.MOSTLY_Q8_0,
        }[precision]
    )
    _add_words(writer, words, config)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config.num_hidden_layers)
    for name, tensor in transformer.state_dict().items():
        if name.endswith("position_ids") or name.startswith("pooler."):
            continue
        known = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if known is None:
            raise Refused(f"llama.cpp's BERT has no weights {name!r}. {_ELSEWHERE}")
        numbers = tensor.detach().cpu().float().numpy()
        if known.startswith("position_embd"):
            numbers = numbers[:longest]
        _add_weights(writer, known, numbers, precision)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    write_reading(model, target, {}, format="gguf", precision=precision)
    return [f"llama.cpp cuts no text: send at most {longest} tokens."]


def _check(model: Any) -> str:
    """See that a model is one that llama.cpp computes, and how it pools.

    :raises Refused: when it is not, with what holds it.
    """
    first, *rest = list(model)
    config: Any = getattr(getattr(first, "model", None), "config", None)
    kind = getattr(config, "model_type", type(first).__name__)
    if type(first).__name__ != "Transformer" or kind != "bert":
        raise Refused(f"GGUF is written of BERT models only, and this is {kind}. {_ELSEWHERE}")
    if not str(config.hidden_act).startswith("gelu"):
        raise Refused(
            f"llama.cpp's BERT has gelu between its layers, this one {config.hidden_act}. {_ELSEWHERE}"
        )
    if not rest or type(rest[0]).__name__ != "Pooling" or rest[0].pooling_mode not in _POOLINGS:
        raise Refused(
            f"llama.cpp pools by mean or by the first token, and this model does neither. {_ELSEWHERE}"
        )
    behind = [
        part
        for module in rest[1:]
        for part in (
            [inner for way in module.sub_modules.values() for inner in way]
            if type(module).__name__ == "Router"
            else [module]
        )
    ]
    strange = [m for m in behind if type(m).__name__ != "Normalize" and not _turns_nothing(m)]
    if strange:
        raise Refused(
            f"This model has a {type(strange[0]).__name__} behind its transformer (an adapter is one), which GGUF has no "
            f"place for and which cannot be folded into weights before a normalisation layer. {_ELSEWHERE} "
            "Bespoke's own `serve` keeps it, too."
        )
    if model.truncate_dim is not None:
        raise Refused(
            f"This model keeps the first {model.truncate_dim} numbers of a vector; llama.cpp gives all. {_ELSEWHERE}"
        )
    reads = json.loads(first.tokenizer.backend_tokenizer.to_str())
    normalizer = reads["normalizer"] or {}
    plain = (
        reads["model"]["type"] == "WordPiece"
        and reads["model"]["continuing_subword_prefix"] == "##"
        and normalizer.get("type") == "BertNormalizer"
        and normalizer["lowercase"]
        and normalizer["strip_accents"] is not False
    )
    if not plain:
        raise Refused(
            f"llama.cpp reads BERT's word pieces in small letters and without accents; this model's tokenizer reads otherwise. {_ELSEWHERE}"
        )
    wanted = {role: prompt for role in get_args(Role) if (prompt := prompt_of(model, role))}
    if wanted:
        said = " and ".join(f"{prompt!r} before a {role}" for role, prompt in wanted.items())
        raise Refused(
            f"This model was trained with {said}, for which GGUF has no place: llama.cpp would leave it out without a word. "
            f"{_ELSEWHERE} Bespoke's own `serve` puts it there, too."
        )
    return str(rest[0].pooling_mode)


def _turns_nothing(module: Any) -> bool:
    """Whether a Dense gives what it is given: an adapter that nothing beat its start with."""
    if type(module).__name__ != "Dense" or type(module.activation_function).__name__ != "Identity":
        return False
    weight = module.linear.weight.detach().cpu().numpy()
    square = weight.shape[0] == weight.shape[1]
    return square and module.linear.bias is None and np.array_equal(weight, np.eye(len(weight)))


def _add_words(writer: Any, words: Any, config: Any) -> None:
    """The vocabulary. llama.cpp marks where a word begins, instead of where it goes on."""
    import gguf

    by_number = {number: piece for piece, number in words.get_vocab().items()}
    special = set(words.all_special_tokens)
    pieces = [by_number.get(number, f"[unused{number}]") for number in range(config.vocab_size)]
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("bert")
    writer.add_token_type_count(config.type_vocab_size)
    writer.add_token_list([_spelt(piece, piece in special) for piece in pieces])
    writer.add_token_types([control if piece in special else normal for piece in pieces])
    writer.add_bos_token_id(words.cls_token_id)
    writer.add_sep_token_id(words.sep_token_id)
    writer.add_eos_token_id(words.sep_token_id)
    writer.add_unk_token_id(words.unk_token_id)
    writer.add_pad_token_id(words.pad_token_id)
    writer.add_mask_token_id(words.mask_token_id)


def _spelt(piece: str, special: bool) -> str:
    if special or (piece.startswith("[") and piece.endswith("]")):
        return piece
    return piece[2:] if piece.startswith("##") else "\u2581" + piece


def _add_weights(writer: Any, name: str, numbers: Vectors, precision: Precision) -> None:
    import gguf

    if precision == "fp32" or numbers.ndim != 2 or name.startswith(_NEVER_PACKED):
        writer.add_tensor(name, np.ascontiguousarray(numbers))
    elif precision == "int8" and numbers.shape[1] % _PACKED == 0:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(numbers, kind), raw_dtype=kind)
    else:
        writer.add_tensor(name, numbers.astype(np.float16))


@contextmanager
def opened(folder: Path, _model: Any = None) -> Iterator["LlamaEncoder"]:
    """What `write` wrote, computed by llama.cpp in a process of its own."""
    settings = json.loads((folder / "encoding.json").read_text(encoding="utf-8"))
    with LlamaChild(folder / _FILE, settings["longest_text"]) as child:
        yield LlamaEncoder(folder / TOKENIZER, child)


class LlamaEncoder:
    """llama.cpp as an encoder: texts are cut here, for it cuts none.

    >>> LlamaEncoder.__name__
    'LlamaEncoder'
    """

    def __init__(self, tokenizer: Path, child: LlamaChild) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._child = child

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_query`."""
        return self._vectors(inputs)

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_document`."""
        return self._vectors(inputs)

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        return self._child.vectors([self._cut(text) for text in texts])

    def _cut(self, text: str) -> str:
        encoded = self._tokenizer.encode(text)
        return text[: max(end for _, end in encoded.offsets)] if encoded.overflowing else text


USAGE = """Whoever serves it must not let it read further than it does, and pools as the file says:

```sh
llama-server -m path/to/this/folder/model.gguf --embedding
```

llama.cpp cuts no text: `encoding.json` says how many tokens one may have (`longest_text`)."""
FORMAT = ExportFormat(
    "GGUF, for llama.cpp", ("fp32", "fp16", "int8"), ("gguf", "xllamacpp"), write, opened, USAGE
)
