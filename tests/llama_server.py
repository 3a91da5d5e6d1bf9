"""A real server of somebody else's: llama.cpp behind an OpenAI-compatible address, serving all-MiniLM-L6-v2 or a chat model.

The packaged weights are exported as a GGUF file, and a process of its own serves them: `python tests/llama_server.py FOLDER MODEL KEY`. The chat model is a
Llama of one layer with random weights, which knows bytes: what it says is nonsense.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODEL = "minilm"
CHAT_MODEL = "babble"
PATIENCE = 60.0


def write_chat_gguf(target: Path) -> Path:
    """Write a Llama of one layer with random weights and a token for each byte."""
    import gguf
    import numpy as np

    dimension, heads, width, context = 32, 2, 64, 4096
    special = ["<unk>", "<s>", "</s>"]
    tokens = special + [f"<0x{byte:02X}>" for byte in range(256)] + ["\u2581"]
    control, byte, normal = gguf.TokenType.CONTROL, gguf.TokenType.BYTE, gguf.TokenType.NORMAL
    writer = gguf.GGUFWriter(str(target), "llama")
    writer.add_name(CHAT_MODEL)
    writer.add_context_length(context)
    writer.add_embedding_length(dimension)
    writer.add_feed_forward_length(width)
    writer.add_block_count(1)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_rope_dimension_count(dimension // heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([gguf.TokenType.UNKNOWN, control, control, *[byte] * 256, normal])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(
        "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    )
    random = np.random.default_rng(0)
    shapes = {
        "token_embd": (len(tokens), dimension), "output": (len(tokens), dimension),
        "blk.0.attn_q": (dimension, dimension), "blk.0.attn_k": (dimension, dimension),
        "blk.0.attn_v": (dimension, dimension), "blk.0.attn_output": (dimension, dimension),
        "blk.0.ffn_gate": (width, dimension), "blk.0.ffn_up": (width, dimension),
        "blk.0.ffn_down": (dimension, width),
    }  # fmt: skip
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.normal(0, 0.3, shape).astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(dimension, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


@contextmanager
def llama_server(folder: Path, key: str = "", model: str = MODEL) -> Iterator[str]:
    """Serve the packaged MiniLM, or the chat model, with llama.cpp; yields the base URL (ending in /v1)."""
    if model == MODEL:
        from search.models.sentence_transformer import load_generic
        from training.export import gguf_file

        gguf_file.write(load_generic(), folder, "fp32")
    with (folder / "llama.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, str(folder), model, key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdin and process.stdout
    try:
        for line in process.stdout:
            if line.startswith("LISTENING "):
                yield line.split()[1] + "/v1"
                return
        raise AssertionError((folder / "llama.log").read_text(errors="replace")[-2_000:])
    finally:
        process.stdin.close()  # It serves until nobody holds its standard input.
        process.wait(PATIENCE)
        process.stdout.close()


def serve(folder: Path, model: str, key: str) -> None:
    """Serve until standard input closes."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    path = folder / "model.gguf"
    if model == CHAT_MODEL:
        write_chat_gguf(path)
        parameters.n_ctx, parameters.n_parallel = 4096, 1
    else:
        parameters.embedding = True
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = 512
        parameters.n_parallel = 1
    parameters.model.path = str(path)
    parameters.model_alias = {model}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.cpuparams.n_threads = 1
    if key:
        parameters.api_keys = [key]
    server = xllamacpp.Server(parameters)
    print("LISTENING", server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), *sys.argv[2:4])
