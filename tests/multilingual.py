"""A model of many languages, as small as tests want it: SentencePiece-like pieces that know whole words of Hindi."""

import shutil
from pathlib import Path

HINDI = (
    "मधुमेह एक ऐसी बीमारी है जिसमें शरीर में शर्करा की मात्रा बहुत बढ़ जाती है और इलाज ज़रूरी होता है।",
    "मधुमेह के रोगी को रोज़ाना टहलना चाहिए और मीठा कम खाना चाहिए, ऐसा डॉक्टर कहते हैं।",
    "इंसुलिन शरीर में शर्करा को नियंत्रित करता है और मधुमेह के रोगी को इसकी ज़रूरत पड़ सकती है।",
)
ENGLISH = "the a of to and in is was for it that on with as be at by this tenant rent lease is due"


def write_multilingual(folder: Path, like: Path, window: int = 48) -> Path:
    """Write the layers of a tiny model (`like`) with pieces of Hindi and English, which reads `window` of them."""
    from tokenizers import Tokenizer, pre_tokenizers, processors
    from tokenizers.models import Unigram
    from transformers import PreTrainedTokenizerFast

    shutil.copytree(like, folder)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    words = list(
        dict.fromkeys(" ".join([*HINDI, ENGLISH]).replace(",", " ").replace("।", " ").split())
    )
    letters = list(dict.fromkeys("".join([*words, "abcdefghijklmnopqrstuvwxyz,।"])))
    vocabulary = [(name, 0.0) for name in special]
    vocabulary += [(f"▁{word}", -1.0) for word in words]
    vocabulary += [("▁", -3.0), *((letter, -8.0) for letter in letters)]
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>",
        pad_token="<pad>", unk_token="<unk>", model_max_length=window,
    ).save_pretrained(str(folder))  # fmt: skip
    settings = folder / "sentence_bert_config.json"
    settings.write_text(settings.read_text("utf-8").replace("64", str(window)), encoding="utf-8")
    return folder
