"""Probe images as pictures that can be clicked."""

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from frontend.components.facts import Facts


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


def gallery(facts: Facts) -> list[Component]:
    """A link for each probe image, in order of label; empty without any."""
    order = sorted(range(len(facts["labels"])), key=lambda i: (facts["labels"][i], i))
    return [
        dcc.Link(
            [picture(facts["run"], i, 56), html.Span(facts["names"][i], className="caption")],
            href=image_url(facts["run"], i),
            className="tile",
            title=f"probe image {facts['names'][i]}, training image {facts['dataset_indices'][i]}",
        )
        for i in order
    ]
