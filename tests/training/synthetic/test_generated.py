"""Questions by a T5 of random weights, kept by a round trip through the search."""

import pytest

from search.corpus.corpus import current_corpus
from search.models.pretrained.add import Choices, add_model
from search.models.registry import choose_generic
from search.projects.errors import Refused
from search.projects.project import Project, project_to_be
from training.synthetic import generated as room
from training.synthetic.make import SyntheticRequest, make_synthetic_pairs


@pytest.fixture(scope="module")
def tiny_t5(tmp_path_factory, request):
    """A T5 of one layer with random weights, and the tiny tokenizer."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = request.getfixturevalue("tiny_model")
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tiny-t5")
    made = AutoTokenizer.from_pretrained(str(tokenizer))
    made.save_pretrained(str(folder))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        config = T5Config(
            vocab_size=len(made),
            d_model=16,
            d_kv=8,
            d_ff=16,
            num_layers=1,
            num_decoder_layers=1,
            num_heads=2,
            pad_token_id=made.pad_token_id,
            decoder_start_token_id=made.pad_token_id,
            eos_token_id=made.sep_token_id,
        )
        T5ForConditionalGeneration(config).save_pretrained(str(folder), safe_serialization=True)
    return folder


@pytest.fixture
def project(import_tiny, tiny_model) -> Project:
    made = project_to_be("Tiny")
    import_tiny(made)
    for manifest in made.manifests("pairs"):
        made.remove(manifest)
    add_model(made, str(tiny_model), Choices(name="tiny"))
    choose_generic(made, "tiny")
    return made


def test_what_a_model_writes_is_the_same_each_time_and_kept_where_it_comes_back(project, tiny_t5):
    wanted = SyntheticRequest(kinds=("title",), generator=str(tiny_t5), most=12)
    one, two = (make_synthetic_pairs(project, wanted) for _ in range(2))
    kind = one.synthetic.kinds[-1]
    assert kind.kind.name == "generated"
    assert kind.count + kind.common == 12
    assert [p.query for p in kind.pairs] == [p.query for p in two.synthetic.kinds[-1].pairs]
    assert "wrote 12 questions" in one.notes[0]


def test_only_questions_that_find_their_passage_again_are_kept(project, monkeypatch, tiny_t5):
    corpus = current_corpus(project)[1]

    def written(tokenizer, model, texts, progress):
        # The first half asks for its own passage, the other half for another one.
        half = len(texts) // 2
        return texts[:half] + texts[:half]

    monkeypatch.setattr(room, "_written", written)
    kind, note = room.generated(project, corpus, str(tiny_t5), 40, lambda *_: None)
    assert {p.document for p in kind.pairs} >= {f"d{n}" for n in range(20)}
    for pair in kind.pairs:
        if pair.query == pair.response:
            assert pair.mined == "generated"
    strangers = [p for p in kind.pairs if p.query != p.response]
    assert (
        len(strangers) <= 6
    )  # Two others than its own are among three found: some come back by chance.
    assert kind.count == len(kind.pairs) == 20 + len(strangers)
    assert f"{kind.count} were kept" in note


def test_a_model_that_cannot_write_is_refused(project, tiny_model, tmp_path):
    with pytest.raises(Refused, match="cannot write questions: it must be a T5 model"):
        make_synthetic_pairs(project, SyntheticRequest(kinds=("title",), generator=str(tiny_model)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refused, match="safetensors"):
        make_synthetic_pairs(
            project, SyntheticRequest(kinds=("title",), generator=str(tmp_path / "empty"))
        )
