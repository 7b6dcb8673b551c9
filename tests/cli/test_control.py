"""What the command line does to a run, against a real server without a worker."""

from tests.cli.conftest import Command
from tests.made_runs import make_run


def test_pause_extend_and_delete_say_what_became_of_the_run_or_what_is_possible(
    pathscope: Command, server: str
) -> None:
    completed = make_run(images=2, count=2, epochs=4).id
    assert pathscope("submit", "--net", "mlp", "--dataset", "digits").returncode == 0
    waiting = completed + 1
    expected = [
        (("extend", completed, 4), 2, "invalid input\n  epochs: the run has 4 epochs already; ask for more (found 4)"),
        (("extend", waiting, 50), 1, f"run {waiting} is queued, so extend is not possible; possible is: pause, cancel"),
        (
            ("pause", completed),
            1,
            f"run {completed} is completed, so pause is not possible; possible is: extend, delete",
        ),
        (("delete", 99), 1, "there is no run 99"),
        (("pause", waiting), 0, f"Run {waiting} is paused.\n"),
        (("delete", completed), 0, f"Run {completed} is deleted.\n"),
        (("delete", completed), 1, f"there is no run {completed}"),
    ]
    for arguments, code, said in expected:
        result = pathscope(*map(str, arguments))
        assert (result.returncode, result.stdout if code == 0 else result.stderr) == (
            code,
            said if code == 0 else f"pathscope: {said}\n",
        )
