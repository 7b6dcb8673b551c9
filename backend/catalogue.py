"""Which nets and datasets a run may name, and whether a spec fits them.

Besides the installed datasets, every folder or zip under `PATHSCOPE_DATA` that holds pictures in `train/<class>/` and
`test/<class>/`, or in `<class>/`, is offered as `imagefolder:<its name>`. Only names that this listing holds are ever
opened, so a request cannot reach another path.
"""

import logging
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from pydantic import BaseModel, Field

from backend import archives
from backend.errors import FieldError, InvalidInput
from backend.image_layout import class_of, layout_of
from backend.plugins import DatasetEntry, InputShape, dataset_entries, net_entries
from backend.schemas import RunSpec
from backend.settings import settings

log = logging.getLogger(__name__)

IMAGE_FOLDER = "imagefolder:"
TORCHVISION = "torchvision:"
SAMPLED_PICTURES = 16
FITTED_PIXELS = 224
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
UNREADABLE = (OSError, SyntaxError, ValueError, RuntimeError, *BOMBS)
"""What Pillow raises for a picture that is damaged, or so large that it would fill the memory."""
GREY_MODES = {"1", "L"}


class NetOut(BaseModel):
    name: str
    title: str
    description: str


class DatasetOut(BaseModel):
    """A dataset that a run may name; counts are None where they are known only after the download."""

    name: str
    title: str
    description: str
    train_images: int | None
    test_images: int | None
    classes: int | None
    input_shape: tuple[int, int, int] | None = Field(description="channels, height, width; null where not known yet")


class Catalogue(BaseModel):
    nets: list[NetOut]
    datasets: list[DatasetOut]
    defaults: dict[str, Any] = Field(description="every field of RunSpec that has a default, with its default")


class FolderListing(NamedTuple):
    train_images: int
    test_images: int
    classes: int
    input_shape: InputShape | None


def image_folder(name: str) -> Path | None:
    """The folder or zip that `imagefolder:<name>` stands for, or None where the catalogue does not list it."""
    return image_folders().get(name.removeprefix(IMAGE_FOLDER)) if name.startswith(IMAGE_FOLDER) else None


def image_folders() -> dict[str, Path]:
    """Every folder and zip in the data folder that has the right inside, by name."""
    folder = settings().data_folder
    if not folder.is_dir():
        return {}
    others = {name.partition("/")[0] for entry in dataset_entries().values() for name in entry.folders}
    candidates = [path for path in sorted(folder.iterdir()) if path.is_dir() or path.suffix == ".zip"]
    return {path.name: path for path in candidates if path.name not in others and _listing(path) is not None}


def _listing(path: Path) -> FolderListing | None:
    inner = path / "train" if (path / "train").is_dir() else path
    return _list(path, inner.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _list(path: Path, _changed: int) -> FolderListing | None:
    """Count what is inside; None where no picture is in the right place, or none in one of train/ and test/."""
    train, test, split = layout_of(_zip_members(path) if path.is_file() else _folder_members(path))
    if not train or (split and not test):
        return None
    return FolderListing(len(train), len(test), len(set(map(class_of, train))), _input_shape(path, train + test))


def _input_shape(path: Path, pictures: Sequence[str]) -> InputShape | None:
    """What the pictures become, judged by some from all over the folder; None where one cannot be read."""
    every = max(len(pictures) // SAMPLED_PICTURES, 1)
    found = set()
    with archives.opened(path) if path.is_file() else nullcontext() as archive:
        for picture in pictures[::every]:
            try:
                file = BytesIO(archives.content(archive, picture)) if archive else path / picture
                with Image.open(file) as image:
                    found.add((image.mode in GREY_MODES, image.size))
            except (*UNREADABLE, zipfile.BadZipFile) as error:
                log.warning("%s holds a picture that cannot be read, %s: %s", path, picture, error)
                return None
    width, height = found.copy().pop()[1] if len({size for _, size in found}) == 1 else (FITTED_PIXELS, FITTED_PIXELS)
    return 1 if all(grey for grey, _ in found) else 3, height, width


def _zip_members(path: Path) -> Iterable[str]:
    try:
        with archives.opened(path) as archive:
            return archive.namelist()
    except (archives.UnsafeArchive, zipfile.BadZipFile, OSError) as error:
        log.warning("%s is not offered: %s", path, error)
        return []


def _folder_members(path: Path) -> Iterable[str]:
    return [found.relative_to(path).as_posix() for depth in ("*/*", "*/*/*") for found in path.glob(depth)]


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
            input_shape=entry.input_shape,
        )
        for entry in dataset_entries().values()
        if _is_there(entry)
    }
    for name, path in image_folders().items():
        listing = _listing(path)
        if listing is not None:
            found[IMAGE_FOLDER + name] = DatasetOut(
                name=IMAGE_FOLDER + name,
                title=name,
                description=_described(listing),
                **listing._asdict(),
            )
    return found


def _is_there(entry: DatasetEntry) -> bool:
    return all((settings().data_folder / folder).is_dir() for folder in entry.folders)


def _described(listing: FolderListing) -> str:
    test = "no test pictures" if not listing.test_images else f"{listing.test_images:,} test pictures"
    return f"{listing.train_images:,} training pictures, {test}, in {listing.classes} classes"


def catalogue() -> Catalogue:
    nets = [
        NetOut(name=entry.name, title=entry.title, description=entry.description) for entry in net_entries().values()
    ]
    example = RunSpec(net="alexnet", dataset="digits").model_dump(mode="json", exclude={"net", "dataset"})
    return Catalogue(nets=nets, datasets=list(datasets().values()), defaults=example)


def check(spec: RunSpec) -> None:
    """Raise InvalidInput naming each field whose value the installed nets and datasets do not allow."""
    errors: list[FieldError] = []
    net = net_entries().get(spec.net)
    if net is None:
        errors.append(FieldError("net", spec.net, _no_such_net(spec.net)))
    offered = datasets()
    dataset = offered.get(spec.dataset)
    if dataset is None:
        errors.append(FieldError("dataset", spec.dataset, _no_such_dataset(spec.dataset, offered)))
    elif dataset.train_images is not None:
        errors += _check_probe(spec, dataset.train_images)
    if net and dataset and dataset.input_shape and min(dataset.input_shape[1:]) < net.least_pixels:
        _, height, width = dataset.input_shape
        message = (
            f"{net.name} takes images from {net.least_pixels} pixels; those of {spec.dataset} are {width}×{height}"
        )
        errors.append(FieldError("net", spec.net, message))
    if errors:
        raise InvalidInput(errors)


def _no_such_net(name: str) -> str:
    installed = net_entries()
    if not name.startswith(TORCHVISION):
        own = sorted(net for net in installed if not net.startswith(TORCHVISION))
        return f"no such net; installed are {', '.join(own)}, and many nets of torchvision, e.g. {TORCHVISION}resnet50"
    offered = ", ".join(net.removeprefix(TORCHVISION) for net in sorted(installed) if net.startswith(TORCHVISION))
    return f"torchvision has no such net, or not all its non-linearities are ReLUs; offered are {offered}"


def _no_such_dataset(name: str, offered: Iterable[str]) -> str:
    entry = dataset_entries().get(name)
    if entry is not None:
        return f"the data folder holds no {' and '.join(entry.folders)}; see the README for where to put {entry.title}"
    return f"no such dataset; offered are {', '.join(sorted(offered))}"


def _check_probe(spec: RunSpec, train_images: int) -> list[FieldError]:
    if spec.probe.indices is not None:
        outside = [index for index in spec.probe.indices if index >= train_images]
        message = f"{spec.dataset} has training images 0 to {train_images - 1}; outside are {outside[:5]}"
        return [FieldError("probe.indices", outside[:5], message)] if outside else []
    message = f"{spec.dataset} has {train_images} training images; ask for at most that many"
    return [FieldError("probe.count", spec.probe.count, message)] if spec.probe.count > train_images else []
