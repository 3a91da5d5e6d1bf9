from search.text.sampling import evenly_spaced


def test_few_items_are_all_taken():
    assert evenly_spaced(0, 3) == []
    assert evenly_spaced(1, 3) == [0]
    assert evenly_spaced(3, 3) == [0, 1, 2]


def test_of_many_items_as_many_as_wanted_are_taken_from_end_to_end():
    assert evenly_spaced(10, 4) == [0, 3, 6, 9]
    assert evenly_spaced(100, 1) == [0]
    chosen = evenly_spaced(20_001, 20_000)
    assert len(set(chosen)) == 20_000
    assert (chosen[0], chosen[-1]) == (0, 20_000)
