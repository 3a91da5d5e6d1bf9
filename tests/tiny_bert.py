"""The tiny models that every test shares: BERTs with random weights whose tokenizer knows the words of given texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def write_classifier(folder: Path, labels: int, texts: Sequence[str]) -> None:
    """Write a BERT of one small layer with a head of so many classes."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    tokenizer = _tokenizer(texts, pairs=True)
    tokenizer.save_pretrained(str(folder))
    random_state = torch.get_rng_state()
    torch.manual_seed(11)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
        pad_token_id=tokenizer.pad_token_id,
        num_labels=labels,
        initializer_range=0.6,
    )
    BertForSequenceClassification(config).save_pretrained(str(folder), safe_serialization=True)
    torch.set_rng_state(random_state)


def write_model(transformer: Path, target: Path, texts: Sequence[str]) -> None:
    """Write a SentenceTransformer of two small layers."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import BertConfig, BertModel

    tokenizer = _tokenizer(texts)
    tokenizer.save_pretrained(str(transformer))
    random_state = torch.get_rng_state()
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        pad_token_id=tokenizer.pad_token_id,
    )
    BertModel(config).save_pretrained(str(transformer), safe_serialization=True)
    torch.set_rng_state(random_state)
    model = SentenceTransformer(
        modules=[
            Transformer(str(transformer), max_seq_length=64),
            Pooling(32, "mean"),
            Normalize(),
        ],
        device="cpu",
    )
    model.save(str(target), create_model_card=False, safe_serialization=True)
    assert any(target.rglob("*.safetensors")), "the tiny model must hold safetensors weights"


def _tokenizer(texts: Sequence[str], pairs: bool = False) -> "PreTrainedTokenizerFast":
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = sorted(set(" ".join(texts).lower().replace(".", " ").split()))
    letters = list("abcdefghijklmnopqrstuvwxyz0123456789.,?!'-")
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1" if pairs else "[CLS] $A [SEP] $B [SEP]",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )
