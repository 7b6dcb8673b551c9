"""Probe images as pictures."""

import dash_mantine_components as dmc
from dash.development.base_component import Component


def picture_url(run_id: int, image: int) -> str:
    return f"/api/v1/runs/{run_id}/images/{image}.png"


def image_url(run_id: int, image: int) -> str:
    return f"/runs/{run_id}/images/{image}"


def picture(run_id: int, image: int, size: int, alt: str = "") -> Component:
    """A probe image, its pixels kept square and sharp; fetched when it comes near the window."""
    return dmc.Image(
        src=picture_url(run_id, image),
        alt=alt,
        w=size,
        h=size,
        radius=0,
        className="pixels",
        attributes={"root": {"loading": "lazy"}},
    )
