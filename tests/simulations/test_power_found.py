"""The power that the spread of a column predicts is the share of verdicts over gains that are planted in it."""

import numpy as np
import pytest

from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.power import Power, Spread
from search.evaluation.statistics.significance import ALPHA
from tests.proofs import ROW
from tests.simulations.resampled import SETS, Drawn, draw, generator, real

pytestmark = pytest.mark.slow

EVALUATIONS = 2_000
TITLE = "Is the power that was predicted the share that was found?"
HERE = ("scifact", "hinglish_top")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in HERE else pytest.mark.prove) for n in SETS]
)
def test_power_is_the_share_found(name, record_property):
    """Gains of which one in two, and four in five, should show on 300 queries of the set's own spread."""
    data = real(name).centred().single()
    queries = QueryGroups.single(300)
    spread = Spread.of(data.differences[0], QueryGroups.single(len(data.labels)))
    power = Power.on(queries, spread, "measured")
    least = power.detectable()
    rough = Power.on(queries, None, "rough").detectable()
    drawn = draw(data, 300, EVALUATIONS, generator(name, "power")).first(1)
    cells = {"data set": name, "spread": f"{spread.deviation:.3f}"}
    for gain in (0.7 * least, least):
        planted = Drawn(drawn.sums + gain * drawn.sizes, drawn.sizes)
        found = (planted.p_values() < ALPHA).mean()
        predicted = power.share(gain)
        assert abs(found - predicted) <= 0.05
        cells[f"{'four in five' if gain == least else 'less'}: predicted"] = (
            f"{100 * predicted:.0f} %"
        )
        cells[f"{'four in five' if gain == least else 'less'}: found"] = f"{100 * found:.0f} %"
    cells["gain that shows four times in five"] = f"{least:.3f}"
    cells["roughly, before training"] = f"{rough:.3f}"
    record_property(ROW, (TITLE, cells))
    assert np.isfinite(least)
