"""SIGKILL, at random moments, of everything that Pathscope is made of."""

import random
import time
from typing import NamedTuple

from tests.faults.laboratory import kill
from tests.faults.world import COMPLETED, RECOVERY_SECONDS, RUNNING, Done, World, check, recovered

VICTIMS = ("trainer", "worker child", "worker main", "server")
AT_ONCE = 2
"""So many runs, each on a worker of its own: one goes on while the other is missed."""
MOST_HITS = 2
"""A run is given up when it has lost a third attempt."""
SECONDS_BETWEEN = (1.0, 10.0)


class Hit(NamedTuple):
    """An attempt that was ended, and when."""

    victim: str
    run_id: int
    attempt: int
    at: float


class Killer:
    """Keeps runs in training and kills until there is no victim left."""

    def __init__(self, world: World, victims: list[str]) -> None:
        self.world, self.laboratory = world, world.laboratory
        self.chance: random.Random = world.chance
        self.victims = victims
        self.seconds: dict[str, list[float]] = {victim: [] for victim in VICTIMS}
        self.hits: dict[int, int] = {}
        self.recordings: dict[int, int] = {}
        self.open: list[Hit] = []
        self.next = self._moment()

    def go_on(self) -> bool:
        """Look at the runs, and kill where it is time; False when nobody is left to kill and every run has ended."""
        self._see_who_goes_on()
        living = self._living()
        while self.victims and len(living) < AT_ONCE:
            living.append(self.laboratory.submit())
            self.hits[living[-1]] = 0
        if self.victims and time.monotonic() > self.next:
            self._hit(living)
            # Where nobody could be hit as well, lest a trainer be killed as soon as there is one.
            self.next = self._moment()
        return bool(self.victims or self.open or living)

    def _living(self) -> list[int]:
        """The runs that have not ended; those that have are checked, once."""
        unchecked = [run_id for run_id in self.hits if run_id not in self.recordings]
        living = [run_id for run_id in unchecked if not self.laboratory.run(run_id).status.finished]
        for run_id in set(unchecked) - set(living):
            self.recordings[run_id] = check(self.world, run_id)
            print(f"  run {run_id} is as it should be after {self.hits[run_id]} hits", flush=True)
        return living

    def _moment(self) -> float:
        return time.monotonic() + self.chance.uniform(*SECONDS_BETWEEN)

    def _see_who_goes_on(self) -> None:
        for hit in list(self.open):
            run = self.laboratory.run(hit.run_id)
            if run.attempt > hit.attempt or run.status is COMPLETED:
                self.open.remove(hit)
                if run.attempt > hit.attempt:
                    self.seconds[hit.victim].append(time.monotonic() - hit.at)
                    print(
                        f"  run {hit.run_id} goes on {self.seconds[hit.victim][-1]:.1f} s after the {hit.victim}'s end"
                    )
                else:
                    # It had written its end already: that was no hit.
                    self.victims.append(hit.victim)
            else:
                waited = time.monotonic() - hit.at
                assert waited < RECOVERY_SECONDS, f"run {hit.run_id} does not go on after SIGKILL of the {hit.victim}"

    def _hit(self, living: list[int]) -> None:
        """Kill the next victim, where there is one that may be hit now."""
        victim = self.victims[-1]
        if victim == "server":
            self.victims.pop()
            self.seconds[victim].append(self._kill_server())
            return
        missed = {hit.run_id for hit in self.open}
        targets = [run_id for run_id in living if run_id not in missed and self.hits[run_id] < MOST_HITS]
        self.chance.shuffle(targets)
        any(self._kill(run_id, victim) for run_id in targets)

    def _kill(self, run_id: int, victim: str) -> bool:
        tree, run = self.laboratory.tree_now(run_id), self.laboratory.run(run_id)
        if tree is None or run.status is not RUNNING:
            return False
        at = time.monotonic()
        if not kill({"trainer": tree.trainer, "worker child": tree.child, "worker main": tree.main}[victim]):
            return False
        if victim == "worker main":
            self.laboratory.restart_worker(tree.main)
        self.victims.pop()
        self.hits[run_id] += 1
        self.open.append(Hit(victim, run_id, run.attempt, at))
        return True

    def _kill_server(self) -> float:
        at = time.monotonic()
        self.laboratory.kill_api()
        self.laboratory.start_api()
        return time.monotonic() - at


def kills(world: World) -> list[Done]:
    """SIGKILL of trainer, worker child, worker main and server, at random moments of several runs."""
    victims = [VICTIMS[n % len(VICTIMS)] for n in range(world.kills)]
    world.chance.shuffle(victims)
    killer = Killer(world, victims)
    for n in range(AT_ONCE):
        world.laboratory.start_worker(f"{n + 1}")
    while killer.go_on():
        time.sleep(0.1)
    done = [
        Done(
            f"SIGKILL of {victim}",
            len(taken),
            0,
            0,
            taken,
            "until the server answers" if victim == "server" else "until the run goes on",
        )
        for victim, taken in killer.seconds.items()
    ]
    times = sum(one.times for one in done)
    return [*done, Done("SIGKILL, all together", times, len(killer.hits), sum(killer.recordings.values()), [], "")]


def everything_at_once(world: World) -> list[Done]:
    """SIGKILL of server and worker together: nobody is left to give the run back."""
    laboratory = world.laboratory
    laboratory.start_worker()
    run_id = laboratory.submit()
    world.some_recording(run_id)
    tree, attempt = laboratory.tree(run_id), laboratory.run(run_id).attempt
    began = time.monotonic()
    for pid in (tree.main, tree.child, tree.trainer):
        kill(pid)
    laboratory.kill_api()
    laboratory.restart_worker(tree.main)
    laboratory.start_api()
    seconds = recovered(world, run_id, attempt, began)
    return [Done("SIGKILL of all at once", 1, 1, check(world, run_id), [seconds], "until the run goes on")]
