import io
import zipfile

from app_help import TINY, labels, open_page, plain, press, shown, verdict_of

from search.models.registry import find_model
from search.projects.project import Project
from search.retrieval.indexing.build import index_model
from training.export.export import FORMATS
from training.train import train
from ui.models import _zipped


def test_the_models_with_the_newest_first(evaluated: Project) -> None:
    at = open_page("models", TINY)
    text = shown(at)
    assert text.index("**words-2**") < text.index("**words**") < text.index("called generic")
    assert "Word2Vec · from scratch, on the documents alone · 100 dimensions" in text
    assert verdict_of(evaluated, "words") in text
    assert verdict_of(evaluated, "words-2") in text
    assert "python cli.py export 'Tiny' 'words-2' my-model" in [c.value for c in at.code]


def test_a_model_that_was_not_measured(trained: Project) -> None:
    assert shown(open_page("models", TINY)).count("Not measured yet: see the proof.") == 2


def test_two_equal_models_share_an_index_and_each_has_its_bin(data: Project) -> None:
    for name in ("one", "other"):
        train(data, "word2vec", name, {"epochs": 1})
        index_model(data, name)
    said = shown(open_page("models", TINY))
    assert said.count("Search index:") == 2 and "This page failed" not in said


def test_without_a_custom_model(data: Project) -> None:
    at = open_page("models", TINY)
    assert "No custom model yet" in shown(at)
    press(at, "to-train")
    assert at.title[0].value == "Which model should you make?"


def test_export_prepares_a_zip(trained: Project) -> None:
    info = find_model(trained, "words")
    at = open_page("models", TINY)
    press(at, f"export-{info.id}")
    (download,) = at.get("download_button")
    assert download.label == "Download zip"
    assert f"export-{info.id}" not in [button.key for button in at.button]
    assert "held against the model on" in shown(at)
    form = at.selectbox(key=f"form-{info.id}")
    assert form.options == [
        *(FORMATS[name].title for name in FORMATS),
        "Its index, for FAISS",
        "Its vectors, as Parquet",
    ]
    form.select("word2vec").run()
    assert at.selectbox(key=f"precision-{info.id}").options == ["full (32 bits)"]
    press(at, f"export-{info.id}")
    assert "the mean of the rows of its words" in shown(at)


def test_the_zip_is_a_standard_folder_without_pickle(trained: Project) -> None:
    content, (agreed,) = _zipped(trained, find_model(trained, "words"))
    assert agreed.startswith("Loaded again and held against the model")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert "words/modules.json" in names
    assert "words/config_sentence_transformers.json" in names
    assert any(name.endswith(".safetensors") for name in names)
    assert not [n for n in names if n.endswith((".bin", ".pt", ".pkl", ".pickle", ".pth", ".ckpt"))]
    assert not [n for n in names if "manifest" in n or ".." in n or n.startswith("/")]


def test_a_damaged_model_is_a_message(trained: Project) -> None:
    info = find_model(trained, "words")
    (trained.folder / "models" / info.id / "word_vectors.safetensors").write_bytes(b"no")
    at = open_page("models", TINY)
    press(at, f"export-{info.id}")
    assert "is damaged" in plain(at.error[0].value)
    assert not at.get("download_button")


def test_a_damaged_manifest_is_a_message(trained: Project) -> None:
    info = find_model(trained, "words")
    (trained.folder / "models" / info.id / "manifest.json").write_text("{")
    for page in ("models", "train", "compare", "evaluate", "corpus"):
        at = open_page(page, TINY)
        if page != "corpus":
            assert any("is damaged" in plain(e.value) for e in at.warning), (page, labels(at))


def test_a_model_is_renamed_and_deleted_after_it_was_said_what_goes_along(trained: Project) -> None:
    words = next(m for m in trained.manifests("models") if m.details["name"] == "words")
    at = press(open_page("models", TINY), f"rename-{words.id}")
    at.text_input(key=f"name-{words.id}").set_value("letters")
    at = press(at, f"sure-rename-{words.id}")
    assert "**letters**" in shown(at)
    at = press(at, f"delete-{words.id}")
    assert "1 index was made from it and goes with it" in shown(at)
    assert "Evaluations that measured it stay readable" in shown(at)
    press(at, f"sure-delete-{words.id}")
    assert [m.details["name"] for m in trained.manifests("models")] == ["words-2"]
    assert len(trained.manifests("indexes")) == 1
