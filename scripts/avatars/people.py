"""Who is built: phenotype, colours, hair and clothes. All choices are ours."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Person:
    """One identity; colours are sRGB 0–255."""

    name: str
    title: str
    voice: str  # espeak-ng variant that suits the person
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
    hair_body: tuple[float, float] = (3.0, 8.0)  # mm of hair on the sides and on top
    cap_shade: float = 0.8
    parting: float = 14.0  # mm to the left of the middle
    grey: float = 0.0
    brow_width: float = 2.6  # half height, mm on the base head
    brow_lift: float = 0.0
    brow_density: float = 1.0
    brow_shade: float = 0.9
    blush: float = 0.3
    freckles: float = 0.0
    stubble: float = 0.0
    eye_makeup: float = 0.0
    shadow: tuple[int, int, int] = (110, 70, 60)
    hairline: float = 0.0  # mm higher than usual
    sleeve: float = 0.35  # share of the forearm that is covered; negative ends above the elbow
    neckline: tuple[float, float, float] = (0.076, 0.030, 0.5)  # half width, drop, slope of the neck hole
    collar: bool = False
    stripes: tuple[int, int, int] | None = None
    leg_width: tuple[float, float] = (0.072, 0.078)  # radius at hem and knee, metres
    faded: float = 0.0
    soles: tuple[int, int, int] = (240, 238, 232)
    laces: tuple[int, int, int] = (245, 243, 238)


PEOPLE = {
    "maya": Person(
        name="maya",
        title="Maya, a woman in her twenties",
        voice="+f3",
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
        race={"african": 0.25, "asian": 0.3, "caucasian": 0.45},
        details={
            "mouth/mouth-angles-up": 0.35,
            "eyes/l-eye-scale-incr": 0.35,
            "eyes/r-eye-scale-incr": 0.35,
            "nose/nose-scale-horiz-decr": 0.3,
            "chin/chin-width-decr": 0.2,
        },
        skin=(188, 132, 100),
        lips=(160, 78, 76),
        iris=(98, 60, 32),
        hair=(70, 45, 32),
        blush=0.34,
        brow_width=2.0,
        sleeve=-0.42,
        neckline=(0.082, 0.040, 0.72),
        shirt=(226, 220, 208),
        stripes=(46, 62, 104),
        trousers=(72, 84, 104),
        faded=0.28,
        eye_makeup=0.3,
        hair_body=(2.0, 3.5),
        cap_shade=0.6,
    ),
    "theo": Person(
        name="theo",
        title="Theo, a man in his forties",
        voice="+m3",
        phenotype={
            "gender": 0.0,
            "age": 0.76,
            "muscle": 0.6,
            "weight": 0.56,
            "height": 0.55,
            "proportions": 0.3,
        },
        race={"african": 0.05, "asian": 0.1, "caucasian": 0.85},
        details={"mouth/mouth-angles-up": 0.45},
        skin=(212, 160, 132),
        lips=(186, 116, 106),
        iris=(58, 74, 80),
        hair=(96, 70, 48),
        shirt=(92, 122, 118),
        trousers=(70, 68, 66),
        shoes=(84, 58, 42),
        style="short",
        brow_width=3.4,
        brow_lift=-2.0,
        brow_density=1.25,
        blush=0.38,
        stubble=0.5,
        grey=0.12,
        hair_body=(3.5, 7.0),
        hairline=3.0,
        sleeve=0.93,
        neckline=(0.071, 0.018, 0.5),
        collar=True,
        soles=(46, 36, 30),
        laces=(58, 40, 30),
        leg_width=(0.084, 0.088),
    ),
}
