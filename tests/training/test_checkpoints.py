"""How far a training came: kept whole, found again by the same training only."""

import numpy as np

from training.checkpoints import Checkpointer

OF = {"recipe": "adapter", "settings": {"seed": 42}, "data": {"corpus": "a"}}


def test_what_was_saved_is_loaded_again(tmp_path):
    kept = Checkpointer(tmp_path / "checkpoints", OF)
    assert kept.load("last") is None
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3).T  # Not contiguous.
    kept.save("last", {"matrix": matrix}, {"epoch": 3, "scores": [0.5, 0.25]})
    kept.save("last", {"matrix": matrix + 1}, {"epoch": 4, "scores": [0.5, 0.75]})
    found = Checkpointer(tmp_path / "checkpoints", OF).load("last")
    assert found is not None
    np.testing.assert_array_equal(found.tensors["matrix"], matrix + 1)
    assert found.state == {"epoch": 4, "scores": [0.5, 0.75]}
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["last.safetensors"]


def test_another_training_does_not_take_it_for_its_own(tmp_path):
    Checkpointer(tmp_path, OF).save("last", {"a": np.zeros(1)}, {})
    assert Checkpointer(tmp_path, {**OF, "data": {"corpus": "b"}}).load("last") is None
    assert Checkpointer(tmp_path, OF).about(part="two").load("last") is None
    assert Checkpointer(tmp_path, OF).load("last") is not None


def test_a_damaged_one_is_none_and_a_cleared_folder_is_gone(tmp_path):
    kept = Checkpointer(tmp_path / "c", OF)
    kept.save("last", {"a": np.arange(100.0)}, {"epoch": 1})
    path = tmp_path / "c" / "last.safetensors"
    whole = path.read_bytes()
    for cut in (0, 7, 40, len(whole) - 8):
        path.write_bytes(whole[:cut])
        assert kept.load("last") is None
    path.write_bytes(whole)
    assert kept.load("last") is not None
    kept.clear()
    assert not (tmp_path / "c").exists()
    kept.clear()


def test_without_a_folder_nothing_is_kept():
    kept = Checkpointer(None, OF)
    kept.save("last", {"a": np.zeros(1)}, {})
    assert kept.load("last") is None
    kept.clear()
