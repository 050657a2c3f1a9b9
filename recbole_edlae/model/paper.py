r"""
Papers
################################################
What a model's class says of the paper behind it.
"""

from typing import NamedTuple


class Paper(NamedTuple):
    r"""A paper to cite."""

    title: str
    authors: str
    venue: str
    year: int
    link: str


STECK_2020 = Paper(
    title="Autoencoders that don't overfit towards the Identity",
    authors="Harald Steck",
    venue="NeurIPS",
    year=2020,
    link="https://proceedings.neurips.cc/paper/2020/hash/e33d974aae13e4d877477d51d8bafdc4-Abstract.html",
)
