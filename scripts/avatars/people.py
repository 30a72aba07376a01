"""Who is built: phenotype, colours, hair and clothes. All choices are ours."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Person:
    """One identity; colours are sRGB 0–255."""

    name: str
    title: str
    phenotype: dict[str, float]
    race: dict[str, float]
    details: dict[str, float] = field(default_factory=dict)
    skin: tuple[int, int, int] = (200, 150, 120)
    lips: tuple[int, int, int] = (170, 90, 85)
    iris: tuple[int, int, int] = (90, 60, 30)
    hair: tuple[int, int, int] = (40, 28, 22)
    shirt: tuple[int, int, int] = (60, 110, 130)
    trousers: tuple[int, int, int] = (50, 55, 75)
    shoes: tuple[int, int, int] = (235, 232, 226)
    style: str = "bob"


PEOPLE = {
    "maya": Person(
        name="maya",
        title="Maya, a woman in her twenties",
        phenotype={
            "gender": 1.0,
            "age": 0.65,
            "muscle": 0.5,
            "weight": 0.45,
            "height": 0.42,
            "proportions": 0.25,
            "cupsize": 0.4,
            "firmness": 0.6,
        },
        race={"african": 0.3, "asian": 0.3, "caucasian": 0.4},
        skin=(188, 132, 100),
        lips=(160, 78, 76),
        iris=(98, 60, 32),
        hair=(38, 25, 20),
    ),
    "theo": Person(
        name="theo",
        title="Theo, a man in his forties",
        phenotype={
            "gender": 0.0,
            "age": 0.76,
            "muscle": 0.6,
            "weight": 0.56,
            "height": 0.55,
            "proportions": 0.3,
        },
        race={"african": 0.05, "asian": 0.1, "caucasian": 0.85},
        skin=(222, 174, 148),
        lips=(186, 116, 106),
        iris=(78, 112, 134),
        hair=(96, 70, 48),
        shirt=(196, 92, 62),
        trousers=(72, 74, 78),
        shoes=(84, 58, 42),
        style="short",
    ),
}
