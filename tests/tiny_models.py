"""Models of every kind that people bring, tiny and with random weights, made offline and the same each time."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORDS = [
    "a",
    "question",
    "the",
    "answer",
    "to",
    "it",
    "in",
    "document",
    "who",
    "files",
    "summons",
    "about",
    "frost",
    "dust",
    "noise",
    "mould",
    "knee",
    "hand",
    "aspirin",
    "lowers",
    "fever",
    "adults",
    "and",
    "insulin",
    "is",
    "kept",
    "fridge",
    "tenant",
    "pays",
    "rent",
    "landlord",
    "court",
    "within",
    "days",
]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SIZE = 32


def tokenizer(max_length: int | None = None, padding: bool = True) -> Any:
    """A tokenizer of whole words and letters; without `max_length` it says nothing of how long a text may be."""
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece
    from transformers import PreTrainedTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,?!'-"
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *WORDS]
    vocabulary = {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}
    made = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=ends
    )
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    if padding:
        names["pad_token"] = "[PAD]"
    if max_length is not None:
        names["model_max_length"] = max_length
    return PreTrainedTokenizerFast(tokenizer_object=made, **names)


def write(folder: Path, kind: str, dtype: str = "float32", **more: Any) -> Path:
    """Write a checkpoint as transformers saves it; `kind` is a name of `KINDS`."""
    import torch

    words = tokenizer(more.pop("max_length", 64), more.pop("padding", True))
    before = torch.get_rng_state()
    torch.manual_seed(7)
    model = KINDS[kind](len(words), more).to(getattr(torch, dtype))
    torch.set_rng_state(before)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(str(folder), safe_serialization=True)
    words.save_pretrained(str(folder))
    return folder


def _sizes(vocabulary: int, more: dict[str, Any]) -> dict[str, Any]:
    sizes = {
        "vocab_size": vocabulary, "hidden_size": SIZE, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 48, "max_position_embeddings": 128, "pad_token_id": 0, "initializer_range": 0.6,
    }  # fmt: skip
    return sizes | more


def _bert(head: str) -> Callable[[int, dict[str, Any]], Any]:
    def make(vocabulary: int, more: dict[str, Any]) -> Any:
        import transformers

        config = transformers.BertConfig(**_sizes(vocabulary, more))
        return getattr(transformers, f"Bert{head}")(config)

    return make


def _roberta(vocabulary: int, more: dict[str, Any]) -> Any:
    from transformers import RobertaConfig, RobertaModel

    return RobertaModel(RobertaConfig(**_sizes(vocabulary, more)))


def _modernbert(vocabulary: int, more: dict[str, Any]) -> Any:
    from transformers import ModernBertConfig, ModernBertModel

    sizes = _sizes(vocabulary, {"local_attention": 8, "num_hidden_layers": 3, **more})
    ends = {"bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
    return ModernBertModel(ModernBertConfig(**sizes, **ends))


def _t5(name: str) -> Callable[[int, dict[str, Any]], Any]:
    def make(vocabulary: int, more: dict[str, Any]) -> Any:
        import transformers

        config = transformers.T5Config(
            vocab_size=vocabulary, d_model=SIZE, d_kv=16, d_ff=48, num_layers=2, num_heads=2, pad_token_id=0,
            eos_token_id=3, decoder_start_token_id=0, initializer_factor=3.0, **more,
        )  # fmt: skip
        return getattr(transformers, name)(config)

    return make


def _bart(vocabulary: int, more: dict[str, Any]) -> Any:
    from transformers import BartConfig, BartModel

    return BartModel(
        BartConfig(
            vocab_size=vocabulary, d_model=SIZE, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=128,
            pad_token_id=0, bos_token_id=2, eos_token_id=3, decoder_start_token_id=2, **more,
        )
    )  # fmt: skip


def _gpt2(name: str) -> Callable[[int, dict[str, Any]], Any]:
    def make(vocabulary: int, more: dict[str, Any]) -> Any:
        import transformers

        config = transformers.GPT2Config(
            vocab_size=vocabulary, n_embd=SIZE, n_layer=2, n_head=2, n_positions=128, bos_token_id=2, eos_token_id=3,
            initializer_range=0.6, **more,
        )  # fmt: skip
        return getattr(transformers, name)(config)

    return make


KINDS: dict[str, Callable[[int, dict[str, Any]], Any]] = {
    "bert": _bert("Model"),
    "masked": _bert("ForMaskedLM"),
    "classifier": _bert("ForSequenceClassification"),
    "tagger": _bert("ForTokenClassification"),
    "answers": _bert("ForQuestionAnswering"),
    "roberta": _roberta,
    "modernbert": _modernbert,
    "t5-encoder": _t5("T5EncoderModel"),
    "t5": _t5("T5ForConditionalGeneration"),
    "bart": _bart,
    "gpt2": _gpt2("GPT2LMHeadModel"),
    "gpt2-without-head": _gpt2("GPT2Model"),
}


def as_sentence_transformer(
    folder: Path, bare: Path, pooling: str = "mean", behind: tuple[str, ...] = (), **settings: Any
) -> Path:
    """Write a checkpoint of transformers as a SentenceTransformer: pooling, perhaps Normalize, and settings."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    first = Transformer(str(bare), max_seq_length=64, model_kwargs={"dtype": "auto"})
    modules = [
        first,
        Pooling(SIZE, pooling),
        *(Normalize() for name in behind if name == "normalize"),
    ]
    made = SentenceTransformer(modules=modules, device="cpu", **settings)
    made.save(str(folder), create_model_card=False, safe_serialization=True)
    return folder


def change_settings(folder: Path, name: str, **values: Any) -> Path:
    """Change a JSON file of a model's folder; None takes a value away."""
    path = folder / name
    content = json.loads(path.read_text()) if path.exists() else {}
    content = {key: value for key, value in {**content, **values}.items() if value is not None}
    path.write_text(json.dumps(content))
    return folder


def write_lora(folder: Path, base: Path, task: str = "FEATURE_EXTRACTION", named: str = "") -> Path:
    """Write what PEFT saves of LoRA matrices on a checkpoint; `named` is what it calls that."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModel

    torch.manual_seed(3)
    kind = AutoModel.from_pretrained(str(base))
    modules = ["query", "value", "dense"]
    tuned = get_peft_model(
        kind, LoraConfig(r=4, lora_alpha=16, target_modules=modules, task_type="FEATURE_EXTRACTION")
    )
    for name, weights in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.5)
    tuned.save_pretrained(str(folder))
    for path in base.glob("*token*"):
        shutil.copy(path, folder / path.name)
    change_settings(
        folder, "adapter_config.json", task_type=task, base_model_name_or_path=named or str(base)
    )
    return folder


def write_router(folder: Path, bare: Path) -> Path:
    """Write an asymmetric model: queries through a static table, documents through a transformer."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Router, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding

    torch.manual_seed(5)
    words = tokenizer().backend_tokenizer
    words.no_padding()
    static = StaticEmbedding(words, embedding_dim=SIZE)
    documents = [Transformer(str(bare), max_seq_length=64), Pooling(SIZE, "mean")]
    router = Router.for_query_document([static], documents)
    made = SentenceTransformer(modules=[router], device="cpu")
    made.save(str(folder), create_model_card=False, safe_serialization=True)
    return folder
