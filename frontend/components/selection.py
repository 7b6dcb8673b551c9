"""What is selected on a page, as its address says it: `?layer=4&quantity=path&partner=17&t=12&sort=label`.

Every part may be missing: no `t` follows the newest recording, no partner takes the nearest image, no layer the middle
one. `assets/selection.js` reads and writes the same address in the browser.
"""

from typing import Literal, NamedTuple, get_args
from urllib.parse import parse_qsl, urlencode

from backend.schemas import Quantity

Sort = Literal["label", "value"]


class Selection(NamedTuple):
    """What an address selects; None where it leaves the choice to the page."""

    layer: int | None = None
    quantity: Quantity = Quantity.PATH
    partner: int | None = None
    t: int | None = None
    sort: Sort = "label"


def parse(search: str) -> Selection:
    """The selection in a query string; parts that make no sense count as missing."""
    return parse_items(dict(parse_qsl(search.removeprefix("?"))))


def parse_items(found: dict[str, str]) -> Selection:
    """The selection in the items of a query string."""
    quantity, sort = found.get("quantity"), found.get("sort")
    return Selection(
        layer=_whole(found.get("layer"), 1),
        quantity=Quantity(quantity) if quantity in list(Quantity) else Quantity.PATH,
        partner=_whole(found.get("partner"), 0),
        t=_whole(found.get("t"), 0),
        sort="value" if sort == "value" else get_args(Sort)[0],
    )


def search_of(selection: Selection) -> str:
    """The query string that selects this, defaults left out; empty or starting with "?"."""
    default = Selection()
    chosen = {name: value for name, value in selection._asdict().items() if value != getattr(default, name)}
    return f"?{urlencode(chosen)}" if chosen else ""


def middle_layer(layers: int) -> int:
    """The layer that is shown before one is chosen."""
    return (layers + 1) // 2


def _whole(text: str | None, least: int) -> int | None:
    number = int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None
    return number if number is not None and number >= least else None
