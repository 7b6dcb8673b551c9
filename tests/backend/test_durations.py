import pytest

from backend.db import read_scope
from backend.schemas import RunSpec
from backend.services.durations import expected
from tests.made_runs import make_run


def expected_of(**spec):
    with read_scope() as session:
        return expected(
            session, RunSpec.model_validate({"net": "mlp", "dataset": "digits", "quantities": ["path"]} | spec)
        )


@pytest.mark.usefixtures("database")
def test_expected_seconds_follow_from_the_epochs_of_runs_like_it():
    assert expected_of(epochs=10) is None
    make_run(count=4)
    make_run(count=3)
    # Made runs take 2 s for each epoch.
    assert expected_of(epochs=10) == (20.0, 2)


@pytest.mark.parametrize(
    "spec", [{"batch_size": 32}, {"quantities": ["path", "activation"]}, {"probe": {"count": 16}}, {"net": "alexnet"}]
)
def test_runs_that_are_not_like_it_tell_nothing(home, spec):
    make_run()
    assert expected_of(**spec) is None
