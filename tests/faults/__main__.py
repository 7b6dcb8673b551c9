"""`python -m tests.faults`: all scenarios, or those named, one by one; a table, a JSON file, and 1 on a failure."""

import argparse
import json
import os
import platform
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import forget_settings, migrate
from tests.faults import servers
from tests.faults.laboratory import Laboratory, values_of
from tests.faults.scenarios import SCENARIOS, SHORT
from tests.faults.world import World, check

RESULTS = Path("build/faults.json")


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _leave)
    names = arguments.only or (list(SHORT) if arguments.short else list(SCENARIOS))
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}; once more: python -m tests.faults --seed {seed}", flush=True)
    failed = []
    with (
        tempfile.TemporaryDirectory(prefix="pathscope-faults-") as folder,
        _world(Path(folder), arguments.kills or (4 if arguments.short else 20)) as world,
    ):
        for name in names:
            # Each scenario has moments of its own, whichever ran before.
            found = _play(name, world._replace(chance=random.Random(f"{seed} {name}")))
            _remember(arguments.out, name, seed, found)
            failed += [name] if "failure" in found else []
    print(f"failed: {', '.join(failed)}" if failed else "every run ended as it should, with nothing lost or doubled")
    return 1 if failed else 0


def _leave(*_: object) -> None:
    """Servers and processes are ended on the way out, which a second signal does not interrupt."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="of the random moments; printed where it is left out")
    parser.add_argument("--short", action="store_true", help=f"fewer kills, and only {', '.join(SHORT)}")
    parser.add_argument("--kills", type=int, help="of the scenario kills: 20, or 4 with --short")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"JSON file that results are added to; {RESULTS}")
    return parser.parse_args()


@contextmanager
def _world(folder: Path, kills: int) -> Iterator[World]:
    """Servers, a migrated database, and the values of a run that nobody disturbed."""
    with servers.running(folder) as (database, broker):
        home = folder / "home"
        home.mkdir()
        for name in [name for name in os.environ if name.startswith("PATHSCOPE_")]:
            del os.environ[name]
        os.environ |= {
            "PATHSCOPE_HOME": str(home),
            "PATHSCOPE_DATABASE_URL": database.url,
            "PATHSCOPE_BROKER_URL": broker.url,
        }
        forget_settings()
        migrate()
        laboratory = Laboratory(home)
        try:
            laboratory.start_api()
            laboratory.start_worker()
            run_id = laboratory.submit()
            laboratory.wait_for_recording(run_id, 19, seconds=300)
            undisturbed = values_of(run_id)
            world = World(laboratory, database, broker, undisturbed, random.Random(0), kills)
            check(world, run_id)
            laboratory.stop_workers()
            yield world
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            laboratory.close()
            forget_settings()


def _play(name: str, world: World) -> dict[str, Any]:
    began = time.monotonic()
    print(f"\n{name}: {SCENARIOS[name].__doc__}", flush=True)
    found: dict[str, Any] = {"load_before": round(os.getloadavg()[0], 1)}
    try:
        done = SCENARIOS[name](world)
        found["done"] = [one._asdict() for one in done]
        for one in done:
            worst = f"{max(one.seconds):6.1f} s at most {one.meaning}" if one.seconds else ""
            runs = f"{one.runs:3} runs {one.recordings:4} recordings" if one.runs else " " * 24
            print(f"  {one.fault:54} {one.times:3} times {runs} {worst}", flush=True)
    except Exception as error:
        traceback.print_exc()
        found["failure"] = f"{type(error).__name__}: {error}"
        _show_logs(world.laboratory.home)
    finally:
        world.laboratory.stop_workers()
    left = world.laboratory.trainers()
    if left:
        found["failure"] = f"trainers {left} are left"
    found["load_after"] = round(os.getloadavg()[0], 1)
    found["took_seconds"] = round(time.monotonic() - began, 1)
    outcome = "FAILED" if "failure" in found else "ok"
    print(f"  {outcome} after {found['took_seconds']} s, load {found['load_after']}", flush=True)
    return found


def _show_logs(home: Path) -> None:
    for log in sorted(home.glob("*.log")):
        print(f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-40:]), flush=True)


def _remember(out: Path, name: str, seed: int, found: dict[str, Any]) -> None:
    known = (
        json.loads(out.read_text()) if out.exists() else {"machine": f"{platform.machine()}, {os.cpu_count()} cores"}
    )
    known.setdefault("scenarios", {})[name] = {"seed": seed} | found
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
