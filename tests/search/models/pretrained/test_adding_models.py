"""Ready-made models of a project: added, found, chosen as generic, noticed when they change, refused when broken."""

import json
import shutil

import numpy as np
import pytest
import torch

from search.corpus.tokenizer import generic_folder
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.registry import choose_generic, default_models, find_model, is_taken, models
from search.projects.errors import Damaged, Failed, Refused
from search.projects.project import Project

TEXTS = ["who files the summons about velkorin", "Dromirin affects the knee.", "frost"]


def vectors_by_hand(folder, texts, length=64):
    """Mean pooling over transformers' own output, without sentence-transformers."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    model = AutoModel.from_pretrained(str(folder)).eval()
    tokens = tokenizer(texts, padding=True, truncation=True, max_length=length, return_tensors="pt")
    with torch.no_grad():
        states = model(**tokens).last_hidden_state
    mask = tokens["attention_mask"].unsqueeze(-1)
    return ((states * mask).sum(dim=1) / mask.sum(dim=1)).numpy()


def test_a_folder_becomes_a_model_of_the_project(project, tiny_model):
    made = add_model(project, str(tiny_model), Choices(name="tiny"))
    info = made.info
    assert (info.name, info.kind, info.recipe, info.dimension) == ("tiny", "generic", None, 32)
    assert info.as_json() == {
        "name": "tiny", "kind": "generic", "recipe": None, "dim": 32, "created": info.created,
        "default": False,
        "title": "tiny", "format": "checkpoint", "reference": str(tiny_model),
    }  # fmt: skip
    details = project.artifact("models", info.id).details
    assert details["max_length"] == 64
    assert details["prompts"] == {"query": "", "document": "", "source": "none"}
    from sentence_transformers import SentenceTransformer

    wanted = SentenceTransformer(str(tiny_model), device="cpu").encode(TEXTS)
    encoder = load_encoder(project, info)
    np.testing.assert_allclose(encoder.encode_query(TEXTS), wanted, atol=1e-6)
    np.testing.assert_allclose(encoder.encode_document(TEXTS), wanted, atol=1e-6)


def test_a_checkpoint_without_pooling_is_averaged_and_says_so(project, bare):
    made = add_model(project, str(bare))
    assert made.info.name == "bare-bert"
    assert any("their mean is taken" in note for note in made.notes)
    found = load_encoder(project, made.info).encode_document(TEXTS)
    np.testing.assert_allclose(found, vectors_by_hand(bare, TEXTS), atol=1e-5)


def test_a_model_reads_no_further_than_it_is_told(project, copy_of):
    folder = copy_of("short")
    info = add_model(project, str(folder), Choices(max_length=6)).info
    long = "frost dust noise mould fasting vibration overwork"
    found = load_encoder(project, info).encode_document([long])
    wanted = load_encoder(project, info).encode_document(["frost dust noise mould"])
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    with pytest.raises(Refused, match="--max-length is 0"):
        add_model(project, str(folder), Choices(name="zero", max_length=0))


def test_prompts_go_before_queries_and_documents(project, copy_of):
    folder = copy_of("e5-small-tiny")
    made = add_model(project, str(folder))
    assert "“query: ”" in made.notes[0] and "from E5 models" in made.notes[0]
    plain = add_model(project, str(folder), Choices("plain", query_prompt="", document_prompt=""))
    mine = add_model(project, str(folder), Choices("mine", query_prompt="frost "))
    e5, none, own = (load_encoder(project, m.info) for m in (made, plain, mine))
    same = none.encode_document
    np.testing.assert_allclose(
        e5.encode_query(TEXTS), same([f"query: {t}" for t in TEXTS]), atol=1e-6
    )
    np.testing.assert_allclose(
        e5.encode_document(TEXTS), same([f"passage: {t}" for t in TEXTS]), atol=1e-6
    )
    np.testing.assert_allclose(none.encode_query(TEXTS), same(TEXTS), atol=1e-6)
    np.testing.assert_allclose(
        own.encode_query(TEXTS), same([f"frost {t}" for t in TEXTS]), atol=1e-6
    )
    assert np.abs(e5.encode_query(TEXTS) - e5.encode_document(TEXTS)).max() > 1e-3
    assert len({m.info.fingerprint for m in (made, plain, mine)}) == 3, (
        "other prompts, other vectors"
    )


def test_prompts_out_of_the_models_own_settings(project, copy_of):
    folder = copy_of("prompted")
    path = folder / "config_sentence_transformers.json"
    settings = json.loads(path.read_text())
    settings["prompts"] = {"query": "dust ", "passage": "mould "}
    settings["default_prompt_name"] = "passage"
    path.write_text(json.dumps(settings))
    info = add_model(project, str(folder)).info
    assert project.artifact("models", info.id).details["prompts"] == {
        "query": "dust ", "document": "mould ", "source": "the model's own settings",
    }  # fmt: skip
    encoder = load_encoder(project, info)
    assert encoder.prompts == {"query": "dust ", "document": "mould "}
    bare = add_model(project, str(folder), Choices("bare", query_prompt="", document_prompt=""))
    plain = load_encoder(project, bare.info)
    np.testing.assert_allclose(
        encoder.encode_document(["frost"]), plain.encode_document(["mould frost"]), atol=1e-6
    )


def test_the_static_model_is_wordllama(project):
    import wordllama
    from wordllama import WordLlama

    info = add_model(project, "static").info
    assert (info.name, info.dimension, info.reference) == ("static", 256, "wordllama")
    from pathlib import Path

    theirs = WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    texts = [*TEXTS, "मुझे घर का रास्ता बताओ", "word " * 3_000]
    encoder = load_encoder(project, info)
    np.testing.assert_allclose(encoder.encode_document(texts), theirs.embed(texts), atol=1e-6)
    np.testing.assert_allclose(encoder.encode_query(texts), theirs.embed(texts), atol=1e-6)
    assert not encoder.encode_document([""]).any()


def test_the_static_model_takes_no_prompts(project):
    with pytest.raises(Refused, match="takes no prompts"):
        add_model(project, "wordllama", Choices(query_prompt="x"))
    assert [info.name for info in models(project)] == ["generic"]


def test_another_version_of_the_static_model_is_noticed(project, monkeypatch):
    from search.models.pretrained import wordllama

    info = add_model(project, "static").info
    monkeypatch.setattr(wordllama, "content", lambda: "another")
    with pytest.raises(Failed, match="holds another version"):
        load_encoder(project, info)


def test_the_default_is_called_generic_and_each_model_is_listed_once(project, tiny_model):
    add_model(project, str(tiny_model), Choices(name="tiny"))
    add_model(project, "static", Choices(default=True))
    assert [info.name for info in models(project)] == ["generic", "all-MiniLM-L6-v2", "tiny"]
    generic = find_model(project, "generic")
    assert (generic.title, generic.dimension) == ("static", 256)
    assert find_model(project, "static").id == generic.id, "it has its own name, too"
    assert find_model(project, "static").name == "static"
    built_in = find_model(project, "all-MiniLM-L6-v2")
    assert (built_in.id, built_in.dimension) == ("generic", 384)
    assert [info.name for info in default_models(project)] == ["generic"]
    assert choose_generic(project, "tiny").title == "tiny"
    assert [info.name for info in models(project)] == ["generic", "all-MiniLM-L6-v2", "static"]
    assert choose_generic(project, "all-MiniLM-L6-v2").id == "generic"
    assert [info.name for info in models(project)] == ["generic", "tiny", "static"]
    for name in ("generic", "bm25", "all-MiniLM-L6-v2", "tiny", "static"):
        assert is_taken(project, name)
    assert not is_taken(project, "free")
    with pytest.raises(Refused, match=r"models are: generic, tiny, static"):
        choose_generic(project, "nobody")


def test_no_other_model_takes_the_part_of_a_default_that_was_deleted_by_hand(project, tiny_model):
    info = add_model(project, str(tiny_model), Choices(name="tiny", default=True)).info
    shutil.rmtree(project.folder / "models" / info.id)
    generic = find_model(project, "generic")
    assert generic.title == f"{info.id} (damaged)"
    with pytest.raises(Damaged, match="was deleted"):
        load_encoder(project, generic)
    assert choose_generic(project, "all-MiniLM-L6-v2").id == "generic"
    assert find_model(project, "generic").title == "all-MiniLM-L6-v2"


def test_names_are_free_or_refused(project, tiny_model):
    for name in ("generic", "bm25", "all-MiniLM-L6-v2"):
        with pytest.raises(Refused, match="is taken"):
            add_model(project, str(tiny_model), Choices(name=name))
    add_model(project, str(tiny_model), Choices(name="tiny"))
    with pytest.raises(Refused, match="'tiny' is taken"):
        add_model(project, "static", Choices(name="tiny"))
    with pytest.raises(Refused, match="cannot name"):
        add_model(project, "static", Choices(name="a:b"))
    with pytest.raises(Refused, match="it is 'tiny'"):
        add_model(project, str(tiny_model), Choices(name="again"))
    with pytest.raises(Refused, match="Say which model"):
        add_model(project, "  ")
    with pytest.raises(Refused, match="--dimensions is for a model at a server"):
        add_model(project, str(tiny_model), Choices(name="b", server={"dimensions": 4}))


def test_a_changed_folder_is_noticed(project, copy_of):
    folder = copy_of("changing")
    info = add_model(project, str(folder)).info
    (folder / "README.md").write_text("words about it change nothing")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "config.json").write_text("{}")
    assert load_encoder(project, info)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "layer_norm_eps": 1e-6}))
    with pytest.raises(Failed, match="holds another version of the model 'changing'"):
        load_encoder(project, info)
    assert (
        add_model(project, str(folder), Choices(name="anew")).info.fingerprint != info.fingerprint
    )
    shutil.rmtree(folder)
    with pytest.raises(Failed, match="folder of the model 'changing' is gone"):
        load_encoder(project, info)


class Broken:
    """Ways in which a model's folder can be broken, and what is said of each."""

    @staticmethod
    def no_weights(folder):
        (folder / "model.safetensors").unlink()

    @staticmethod
    def cut_short(folder):
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-500])

    @staticmethod
    def not_weights(folder):
        (folder / "model.safetensors").write_bytes(b"these are no weights")

    @staticmethod
    def empty_weights(folder):
        (folder / "model.safetensors").write_bytes(b"")

    @staticmethod
    def config_not_json(folder):
        (folder / "config.json").write_text("{")

    @staticmethod
    def config_is_a_list(folder):
        (folder / "config.json").write_text("[]")

    @staticmethod
    def config_of_another_size(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "hidden_size": 48}))

    @staticmethod
    def config_of_more_layers(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))

    @staticmethod
    def config_of_no_known_kind(folder):
        (folder / "config.json").write_text(json.dumps({"model_type": "made-up"}))

    @staticmethod
    def code_of_its_own(folder):
        config = json.loads((folder / "config.json").read_text())
        config |= {"model_type": "odd", "auto_map": {"AutoModel": "odd.Odd", "AutoConfig": "odd.C"}}
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "odd.py").write_text("import pathlib; pathlib.Path(__file__ + '.ran').touch()")

    @staticmethod
    def no_tokenizer(folder):
        for path in folder.glob("tokenizer*"):
            path.unlink()

    @staticmethod
    def modules_not_json(folder):
        (folder / "modules.json").write_text("nothing")

    @staticmethod
    def modules_of_nothing(folder):
        (folder / "modules.json").write_text('[{"idx": 0}]')

    @staticmethod
    def a_module_of_its_own(folder):
        rows = json.loads((folder / "modules.json").read_text())
        rows.append({"idx": 9, "name": "9", "path": "", "type": "odd.Module"})
        (folder / "modules.json").write_text(json.dumps(rows))

    @staticmethod
    def weights_of_nan(folder):
        from safetensors.torch import load_file, save_file

        weights = load_file(folder / "model.safetensors")
        name = next(n for n in weights if n.endswith("word_embeddings.weight"))
        weights[name][:] = float("nan")
        save_file(weights, folder / "model.safetensors", {"format": "pt"})

    @staticmethod
    def weights_of_another_model(folder):
        from safetensors.torch import save_file

        save_file({"other.weight": torch.ones(3)}, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize("how", [name for name in vars(Broken) if not name.startswith("_")])
def test_a_broken_folder_is_refused_and_nothing_is_changed(project, copy_of, tree, how):
    folder = copy_of("broken")
    getattr(Broken, how)(folder)
    before = tree(project.folder)
    with pytest.raises(Refused) as told:
        add_model(project, str(folder))
    said = str(told.value)
    assert "broken" in said and len(said) < 700 and "\n" not in said
    assert tree(project.folder) == before
    assert not list(folder.glob("*.ran")), "its code was run"


def test_what_is_no_model_at_all_is_refused(project, tmp_path, tree):
    before = tree(project.folder)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("x")
    for reference, said in (
        (tmp_path / "empty", "no .safetensors weights"),
        (tmp_path / "file.txt", "is a file"),
        (tmp_path / "missing", "There is no folder"),
        ("a/b/c", "There is no folder a/b/c"),
        ("../somewhere", "There is no folder"),
        ("two words", "There is no folder"),
    ):
        with pytest.raises(Refused, match=said):
            add_model(project, str(reference), Choices(name="x"))
    assert tree(project.folder) == before


def test_a_project_that_is_not_there(tmp_path):
    with pytest.raises(Refused, match="There is no project"):
        add_model(Project(tmp_path / "nowhere"), "static")
    assert not (tmp_path / "nowhere").exists()


def test_the_official_weights_as_a_folder_give_the_vectors_of_the_built_in(project):
    from search.models.sentence_transformer import load_generic

    info = add_model(project, str(generic_folder()), Choices(name="folder")).info
    found = load_encoder(project, info).encode_document(TEXTS)
    np.testing.assert_array_equal(found, load_generic().encode_document(TEXTS))
