"""The top of the image page: the picture, what it shows, and the chosen partner."""

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from backend.schemas import RunOut
from frontend.components.facts import Facts
from frontend.components.gallery import picture


def image_head(run: RunOut, facts: Facts, i: int) -> Component:
    return html.Div(
        [
            html.Div(picture(run.id, i, 112, f"probe image {i}") if facts["labels"] else None, id="image-picture"),
            html.Div(
                [
                    dmc.Title(f"Probe image {i}", order=1, size="h2", id="image-title"),
                    dmc.Text(image_words(facts, i), c="dimmed", id="image-words"),
                ]
            ),
            html.Div(
                [
                    html.Div(className="partner-picture", id="partner-picture"),
                    html.Div(
                        [
                            dmc.Select(
                                id="partner",
                                label="Partner",
                                data=partner_options(facts, i),
                                value=None,
                                searchable=True,
                                clearable=False,
                                allowDeselect=False,
                                limit=200,
                                placeholder="the nearest image",
                                nothingFoundMessage="No such image",
                                w=200,
                            ),
                            dmc.Button("Open as image", id="open-partner", variant="subtle", size="compact-sm", mt=4),
                            dmc.Button("Open the pair", id="open-pair", variant="subtle", size="compact-sm", mt=4),
                        ]
                    ),
                ],
                className="partner-card",
            ),
        ],
        className="image-head",
    )


def image_words(facts: Facts, i: int) -> str:
    """Class, label and place in the training set; what is known of them."""
    if not facts["labels"]:
        return "Its picture and label are known once the data is loaded."
    name = facts["names"][i].split(" · ", 1)[1].removeprefix("class ")
    return f"class {name} (label {facts['labels'][i]}) · training image {facts['dataset_indices'][i]}"


def partner_options(facts: Facts, i: int) -> list[dict[str, str]]:
    """Every other probe image."""
    return [{"value": str(other), "label": name} for other, name in enumerate(facts["names"]) if other != i]
