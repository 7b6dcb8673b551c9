import pytest

from backend import artifacts
from backend.db import session_scope
from backend.errors import NotFound
from backend.schemas import RunSpec
from backend.services import leases, recordings, runs, two_times
from worker.reporter import Reporter
from worker.trainer import Trainer


def trained(**spec):
    """The number of a run that this process has trained."""
    with session_scope() as session:
        run, _ = runs.submit(session, RunSpec(net="mlp", dataset="digits", batch_size=512, probe={"count": 8}, **spec))
    with session_scope() as session:
        lease = leases.claim(session, run.id, "here")
    with Reporter(lease) as reporter:
        Trainer(lease, run.spec, reporter).run()
    return run.id


@pytest.mark.parametrize(("paths", "kept"), [("all", [0, 1, 2]), ("last", [2]), ("none", [])])
def test_paths_are_kept_as_the_spec_says(home, paths, kept):
    run_id = trained(epochs=2, paths=paths)
    assert [t for t in range(3) if artifacts.read_paths(run_id, 1, t, 1) is not None] == kept
    with session_scope() as session:
        assert [recording.t for recording in recordings.list_recordings(session, run_id)] == [0, 1, 2]
        assert len(two_times.mean_over_images(session, run_id, 1).values) == 3
        if 0 not in kept:
            with pytest.raises(NotFound, match=rf"has no paths of layer 1 at recording 0; it keeps paths: {paths}"):
                recordings.packed_paths(session, run_id, 1, 0)
