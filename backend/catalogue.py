"""Which nets and datasets a run may name, and whether a spec fits them.

Besides the installed datasets, every folder or zip under `PATHSCOPE_DATA` that holds `train/<class>/` and
`test/<class>/` is offered as `imagefolder:<its name>`. Only names that this listing holds are ever opened, so a request
cannot reach another path.
"""

import zipfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from backend.errors import FieldError, InvalidInput
from backend.plugins import dataset_entries, net_entries
from backend.schemas import Catalogue, DatasetOut, NetOut, RunSpec
from backend.settings import settings

IMAGE_FOLDER = "imagefolder:"
IMAGE_ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"}


class FolderListing(NamedTuple):
    train_images: int
    test_images: int
    classes: int


def image_folder(name: str) -> Path | None:
    """The folder or zip that `imagefolder:<name>` stands for, or None where the catalogue does not list it."""
    return image_folders().get(name.removeprefix(IMAGE_FOLDER)) if name.startswith(IMAGE_FOLDER) else None


def image_folders() -> dict[str, Path]:
    """Every folder and zip in the data folder that has the right inside, by name."""
    folder = settings().data_folder
    if not folder.is_dir():
        return {}
    candidates = [path for path in sorted(folder.iterdir()) if path.is_dir() or path.suffix == ".zip"]
    return {path.name: path for path in candidates if _listing(path) is not None}


def _listing(path: Path) -> FolderListing | None:
    inner = path / "train" if path.is_dir() else path
    return _list(path, inner.stat().st_mtime_ns) if inner.exists() else None


@lru_cache(maxsize=256)
def _list(path: Path, _changed: int) -> FolderListing | None:
    """Count what is inside; None where train/<class>/ or test/<class>/ holds no picture."""
    members = _zip_members(path) if path.is_file() else _folder_members(path)
    pictures = [
        parts for parts in members if len(parts) == 3 and PurePosixPath(parts[2]).suffix.lower() in IMAGE_ENDINGS
    ]
    train, test = ([parts for parts in pictures if parts[0] == split] for split in ("train", "test"))
    if not train or not test:
        return None
    return FolderListing(len(train), len(test), len({parts[1] for parts in train}))


def _zip_members(path: Path) -> Iterable[tuple[str, ...]]:
    try:
        with zipfile.ZipFile(path) as archive:
            return [PurePosixPath(name).parts for name in archive.namelist()]
    except zipfile.BadZipFile:
        return []


def _folder_members(path: Path) -> Iterable[tuple[str, ...]]:
    return [found.relative_to(path).parts for split in ("train", "test") for found in path.glob(f"{split}/*/*")]


def datasets() -> dict[str, DatasetOut]:
    """Everything a run may name as its dataset, the operator's folders among them."""
    found = {
        entry.name: DatasetOut(
            name=entry.name,
            title=entry.title,
            description=entry.description,
            train_images=entry.train_images,
            test_images=entry.test_images,
            classes=entry.classes,
        )
        for entry in dataset_entries().values()
    }
    for name, path in image_folders().items():
        listing = _listing(path)
        if listing is not None:
            found[IMAGE_FOLDER + name] = DatasetOut(
                name=IMAGE_FOLDER + name,
                title=name,
                description=f"{listing.train_images:,} training pictures in {listing.classes} classes",
                **listing._asdict(),
            )
    return found


def catalogue() -> Catalogue:
    nets = [
        NetOut(name=entry.name, title=entry.title, description=entry.description) for entry in net_entries().values()
    ]
    example = RunSpec(net="alexnet", dataset="digits").model_dump(mode="json", exclude={"net", "dataset"})
    return Catalogue(nets=nets, datasets=list(datasets().values()), defaults=example)


def check(spec: RunSpec) -> None:
    """Raise InvalidInput naming each field whose value the installed nets and datasets do not allow."""
    errors: list[FieldError] = []
    if spec.net not in net_entries():
        errors.append(FieldError("net", spec.net, f"no such net; installed are {', '.join(sorted(net_entries()))}"))
    offered = datasets()
    dataset = offered.get(spec.dataset)
    if dataset is None:
        errors.append(FieldError("dataset", spec.dataset, f"no such dataset; offered are {', '.join(sorted(offered))}"))
    elif dataset.train_images is not None:
        errors += _check_probe(spec, dataset.train_images)
    if errors:
        raise InvalidInput(errors)


def _check_probe(spec: RunSpec, train_images: int) -> list[FieldError]:
    if spec.probe.indices is not None:
        outside = [index for index in spec.probe.indices if index >= train_images]
        message = f"{spec.dataset} has training images 0 to {train_images - 1}; outside are {outside[:5]}"
        return [FieldError("probe.indices", outside[:5], message)] if outside else []
    message = f"{spec.dataset} has {train_images} training images; ask for at most that many"
    return [FieldError("probe.count", spec.probe.count, message)] if spec.probe.count > train_images else []
