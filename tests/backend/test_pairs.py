"""Two images over training and layer by layer: the same numbers as in the arrays that were written."""

import numpy as np
import pytest

from backend import codec
from backend.db import read_scope
from backend.errors import InvalidInput, NotFound
from backend.schemas import Measure, Quantity
from backend.services import pairs, statistics
from tests.made_runs import make_run


@pytest.mark.usefixtures("database")
def test_pair_course_holds_overlap_and_both_ranks():
    made = make_run(images=9, count=4)
    with read_scope() as session:
        course = pairs.pair_course(session, made.id, Quantity.PATH, 2, 3, 7)
        for n in range(4):
            overlap = codec.from_pairs(made.arrays[Measure.CLOSENESS, 2, n].astype(float))
            assert course.closeness[n] == overlap[3, 7]
            assert course.rank[n] == statistics.ranks_of(overlap)[3, 7]
            assert course.back[n] == statistics.ranks_of(overlap)[7, 3]
    assert (course.recordings.tolist(), course.others) == ([0, 1, 2, 3], 8)


@pytest.mark.usefixtures("home")
def test_pair_layers_hold_every_layer_at_one_recording_and_nan_where_undefined():
    made = make_run(images=6, count=3)
    with read_scope() as session:
        found = pairs.pair_layers(session, made.id, Quantity.PATH, 1, 0, 1)
        assert np.isnan(found.cross_path[0])
        assert found.cross_path[1] == codec.from_pairs(made.arrays[Measure.CROSS_PATH, 2, 1].astype(float))[0, 1]
        assert np.isnan(pairs.pair_layers(session, made.id, Quantity.PATH, 0, 0, 1).cross_path).all()
        other_way = pairs.pair_layers(session, made.id, Quantity.PATH, 1, 1, 0)
        assert (found.rank.tolist(), found.back.tolist()) == (other_way.back.tolist(), other_way.rank.tolist())


@pytest.mark.usefixtures("database")
def test_pair_over_training_holds_every_layer_and_recording_both_ways_round():
    made = make_run(images=6, count=4)
    with read_scope() as session:
        for measure, first in ((Measure.CROSS_PATH, 1), (Measure.CLOSENESS, 0)):
            there, back = (
                pairs.pair_over_training(session, made.id, measure, Quantity.PATH, i, j) for i, j in ((1, 4), (4, 1))
            )
            wanted = [
                [codec.from_pairs(made.arrays[measure, k, t].astype(float))[1, 4] for t in range(first, 4)]
                for k in (1, 2)
            ]
            assert there.values == pytest.approx(np.array(wanted))
            assert back.values == pytest.approx(there.values)
            assert (there.layers.tolist(), there.recordings.tolist()) == ([1, 2], list(range(first, 4)))
        undefined = pairs.pair_over_training(session, made.id, Measure.CROSS_PATH, Quantity.PATH, 0, 1)
        assert np.isnan(undefined.values[0, 0])


@pytest.mark.usefixtures("home")
def test_pair_when_it_is_none_is_refused():
    made = make_run(images=6, count=2)
    with read_scope() as session:
        with pytest.raises(InvalidInput, match="two different images"):
            pairs.pair_course(session, made.id, Quantity.PATH, 1, 2, 2)
        with pytest.raises(NotFound, match="not image 6"):
            pairs.pair_course(session, made.id, Quantity.PATH, 1, 2, 6)
        with pytest.raises(NotFound):
            pairs.pair_layers(session, made.id, Quantity.PATH, 5, 0, 1)
