"""The longest text that a transformer really reads: what its tokenizer promises, its positions may not hold.

A RoBERTa has 514 positions and reads 512 word pieces, and a tokenizer without a limit says nothing at all; the first long
document ends the work then. So the longest text is read once, when a model is added.
"""

from typing import TYPE_CHECKING, Any

from search.projects.errors import Refused

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_TABLES = ("position", "wpe")  # What learned positions are called in transformers.
_SHORT = 1_024  # So long a text is read to see whether it can be, whatever the positions are.
_BOUNDLESS = 10**9


def longest_of(model: Any) -> int | None:
    """The longest text that a model says it reads, in its own word pieces; None when there is no bound."""
    length = model.max_seq_length
    return None if length is None or length > _BOUNDLESS else int(length)


def longest_read(model: "SentenceTransformer") -> int | None:
    """The same of any model: of an asymmetric one, the longest text that one of its transformers reads."""
    lengths = [length for reader in _readers(model) if (length := longest_of(reader)) is not None]
    return max(lengths, default=None)


def set_longest(model: "SentenceTransformer", length: int) -> None:
    """Have a model read no more of a text than so many word pieces."""
    readers = _readers(model)
    for reader in readers:
        own = longest_of(reader)
        reader.max_seq_length = length if len(readers) == 1 or own is None else min(own, length)


def fit_longest(model: "SentenceTransformer", asked: int | None) -> int | None:
    """See that a model reads texts as long as it says; it is shortened to what it reads.

    Of an asymmetric model, so is each of its transformers.

    :param asked: the longest text that a person asked for; None for what the model says.
    :returns: how many word pieces the model promised, where it reads fewer; else None.
    :raises Refused: when it reads fewer than were asked for, or no text at all, or texts of any length.
    """
    readers = _readers(model)
    if not readers and asked is not None:
        raise Refused("It reads texts of any length, so --max-length has nothing to shorten.")
    promised = [_fit(reader, model.device, asked) for reader in readers]
    return next((length for length in promised if length is not None), None)


def _readers(model: "SentenceTransformer") -> list[Any]:
    """The transformers that texts go into first: one, or one of each way of a Router."""
    first: Any = model[0]
    ways = first.sub_modules.values() if type(first).__name__ == "Router" else [[first]]
    return [way[0] for way in ways if type(way[0]).__name__ == "Transformer"]


def _fit(reader: Any, device: Any, asked: int | None) -> int | None:
    """The same of one transformer."""
    said = longest_of(reader) if asked is None else asked
    rows = _rows_of_positions(reader)
    most = rows if said is None else said
    if most is None:
        return None
    if most > _SHORT and rows is None:
        if asked is not None:
            _within_rotary(reader, asked)
            reader.max_seq_length = asked
        return None
    reads = _reads(reader, device, most)
    if reads is None:
        raise Refused(
            "It cannot read a text of a single word piece: its files do not belong together."
        )
    if asked is not None and reads < asked:
        raise Refused(
            f"--max-length is {asked:,}, but the model has positions for {reads:,} word pieces. Give at most that."
        )
    reader.max_seq_length = reads
    return said if said is not None and reads < said else None


def _within_rotary(reader: Any, asked: int) -> None:
    """Refuse more than the settings of a model without learned positions allow."""
    most = getattr(reader.config, "max_position_embeddings", None)
    if isinstance(most, int) and 0 < most < asked:
        raise Refused(
            f"--max-length is {asked:,}, but the model was made for at most {most:,} word pieces. Give at most that."
        )


def _rows_of_positions(reader: Any) -> int | None:
    """How many rows a table of learned positions has; None where positions are computed."""
    import torch

    rows = [
        module.num_embeddings
        for name, module in reader.named_modules()
        if isinstance(module, torch.nn.Embedding)
        and any(word in name.rsplit(".", maxsplit=1)[-1] for word in _TABLES)
    ]
    return min(rows) if rows else None


def _reads(reader: Any, device: Any, most: int) -> int | None:
    """The most word pieces, up to `most`, that the model reads; None for not even one.

    It is tried on the processor: a graphics card does not recover from an index that is out of bounds.
    """
    reader.to("cpu")
    try:
        if _can_read(reader, most):
            return most
        good, bad = 0, most
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if _can_read(reader, middle) else (good, middle)
        return good or None
    finally:
        reader.to(device)


def _can_read(reader: Any, length: int) -> bool:
    """Whether a text of exactly so many word pieces goes through."""
    import torch

    features = reader.preprocess(["a question"])
    shape = features["input_ids"].shape
    made: dict[str, Any] = {}
    for name, value in features.items():
        if isinstance(value, torch.Tensor) and value.shape == shape:
            middle = value[:, shape[1] // 2 : shape[1] // 2 + 1]
            parts = [value[:, :1], middle.expand(1, max(length - 2, 0)), value[:, -1:]]
            value = torch.cat(parts, dim=1)[:, :length].contiguous()
        made[name] = value
    try:
        with torch.inference_mode():
            reader.eval()
            reader(made)
    except (IndexError, RuntimeError, ValueError):
        return False
    return True
