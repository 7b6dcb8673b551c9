"""Runs the benchmarks, writes one JSON under benchmarks/results, and prints pass or miss for each goal."""

import argparse
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import machine

RESULTS = Path(__file__).parent / "results"
CPU = ("kernels", "recording", "loop", "growth", "functions")
GPU = ("gpu", "resnet")


def main() -> None:
    arguments = parsed()
    results = {"machine": machine.description()}
    print(json.dumps(results["machine"], indent=1))
    for name in arguments.only or (GPU if arguments.gpu else [*CPU, *GPU]):
        print(f"\n{name} …", flush=True)
        bench: Callable[..., dict[str, Any]] = import_module(f"benchmarks.{name}").bench
        results[name] = bench(**sizes(name, arguments))
        show(results[name])
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{results['machine']['date'].replace(':', '')}.json"
    path.write_text(json.dumps(results, indent=1))
    print(f"\nwritten to {path}")


def sizes(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    if name == "dashboard":
        return {"databases": arguments.databases}
    if name in GPU:
        return {"rehearsal": arguments.rehearse}
    return {"images": arguments.images, "turns": arguments.turns} if name == "recording" else {}


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[*CPU, *GPU, "load", "dashboard"], help="run these alone")
    parser.add_argument("--gpu", action="store_true", help="run what needs a GPU alone")
    parser.add_argument("--rehearse", action="store_true", help="gpu, resnet: each line once, tiny, on the CPU as well")
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgres"], help="dashboard: on these alone")
    parser.add_argument("--images", type=int, default=10_000, help="recording: training images per epoch (50000: all)")
    parser.add_argument("--turns", type=int, default=2, help="recording: how often each run is made")
    return parser.parse_args()


def show(result: dict[str, Any]) -> None:
    for name, value in result.items():
        if name == "rows":
            print(*(f"  {row}" for row in value), sep="\n")
        elif name != "checks":
            print(f"  {name}: {value}")
    for goal, met in result["checks"].items():
        print(f"  {'pass' if met else 'MISS'}: {goal}")


if __name__ == "__main__":
    main()
