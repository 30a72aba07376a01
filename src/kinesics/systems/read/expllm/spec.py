"""ExpLLM: facial expressions with a chain of thought that names the action units it rests on.

Paper: Lan, Xue, Qi et al., "ExpLLM: Towards Chain of Thought for Facial Expression Recognition", IEEE Transactions on Multimedia 2025
(arXiv 2409.02828).

**In.** ``face`` (ARKit 52), or ``action_units`` where there is none; ``paper`` sees ``video`` and ``face_box`` of a person who was read besides. **Out.** Tiers ``expression`` (one of the eight emotions or
``unknown``, its confidence, its intensity as value) and ``reasons`` (for each expression three parts: key observations, emotional
interpretation, conclusion), and ``affect`` (valence and arousal from −1 to 1, at the rate of what was read).

**Way.** A face is a few rows of features, put in place of placeholders in the token stream of a causal language model. The model is
asked for the label, and then, with the label that it gave in context, for the reasons. What it writes is a plan
(:mod:`kinesics.systems.read._plans`): units that are seen, how strongly and on which side, which speak for the label and which do
not, and the conclusion; the plan is told in English (:mod:`kinesics.systems.read._prose`). Only units that were measured as
active can be written. A second of the face is seen by how weak, how strong and how usual each unit is in it: speech
moves the mouth all the time and rests in between, an expression stays. Labels over time are those of the most likely path,
in which each change costs something.

**Stages.** ``label``: the label, valence, arousal, intensity. ``reasons``: label and plan together, at a lower rate.

**Faithful**: the order of training (the label first; mixing both from the start costs accuracy), the description after the
predicted label, sizes of ``paper`` (DINOv2 ViT-L/14 and Vicuna-7B, both with LoRA of rank 8 and alpha 16, two layers between them, 256 tokens),
AdamW, three parts of text.
How sure a label is was set on people of the stage who had been read from pictures: one temperature (Guo et al. 2017).
**Differs**: ``tiny`` sees action units, not pictures, and has a language model of three layers that begins at random; no published
weights are loaded, so ``paper`` begins at random, too, and its vocabulary has our tokens in its first rows; reasons are plans,
where the paper learns GPT-4o's prose; labels are eight and unknown, over time; valence and arousal are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies import action_units as units
from kinesics.errors import DataError, choose
from kinesics.performance import Face, Interval, Performance, Signal, Tier
from kinesics.ports.language import LanguageModel
from kinesics.progress import progress as bar
from kinesics.seeds import rng
from kinesics.systems import _face_features as features
from kinesics.systems._system import Capability, Config, Networks, System, Training
from kinesics.systems.read import _expressions as over_time
from kinesics.systems.read import _plans as plans
from kinesics.systems.read import _prose, _reasoning
from kinesics.systems.read._pictures import pictures, seen_at

EMOTIONS = features.EMOTIONS
FPS = 25
PER_UNIT = 7
"""Numbers of a unit: weakest, usual and strongest in the window, left and right, and whether it was looked for."""
SPAN = 1.0
"""Seconds that are seen at once."""
VIEWS = ("arkit", "feafa", "facs")
"""What may have measured a face: all units with sides, FEAFA's 24, or the 17 of OpenFace without sides."""
_OPENFACE = tuple(f"AU{n:02d}" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 26, 45))
_OF_OPENFACE = [units.UNITS.index({"AU23": "AU24", "AU45": "AU43"}.get(u, u)) for u in _OPENFACE]


@dataclass(frozen=True)
class ExpLLMConfig(Config):
    """Sizes.

    Parameters
    ----------
    eyes
        ``"units"`` or ``"picture"``.
    width, layers, heads, hidden, vocabulary
        Of the language model.
    whole
        Width of the two layers that see all units at once.
    side, patch, eye_width, eye_layers, eye_heads, eye_hidden
        Of the vision transformer, where there is one.
    rank, alpha
        Of the low-rank adapters; rank 0: everything is trained.
    dropout
        Of the language model.
    noise
        How wrongly units are measured while it learns.
    smoothing
        How much of each label is spread over the others.
    temperature
        What scores of labels are divided by once it has learnt, so that it is as sure as it is right
        (:mod:`kinesics.lab.calibrating`).
    """

    eyes: str = "units"
    width: int = 64
    layers: int = 3
    heads: int = 4
    hidden: int = 160
    vocabulary: int = len(plans.TOKENS)
    whole: int = 128
    side: int = 224
    patch: int = 14
    eye_width: int = 1024
    eye_layers: int = 24
    eye_heads: int = 16
    eye_hidden: int = 4096
    rank: int = 0
    alpha: float = 16.0
    dropout: float = 0.05
    noise: float = 0.3
    smoothing: float = 0.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise DataError(f"temperature {self.temperature}; expected more than 0")
        choose("eyes", self.eyes, ("units", "picture"))

    @property
    def rows(self) -> int:
        """Rows of features that a face is."""
        return 1 + len(units.UNITS) if self.eyes == "units" else (self.side // self.patch) ** 2

    @classmethod
    def tiny(cls) -> ExpLLMConfig:
        """Action units and three layers."""
        return cls()

    @classmethod
    def paper(cls) -> ExpLLMConfig:
        """The published sizes."""
        return cls(
            eyes="picture",
            width=4096,
            layers=32,
            heads=32,
            hidden=11008,
            vocabulary=32000,
            rank=8,
            dropout=0.0,
        )


class ExpLLM(System):
    """See the module's text."""

    name = "expllm"
    title = "ExpLLM: Towards Chain of Thought for Facial Expression Recognition (TMM 2025)"
    stages = ("label", "reasons")
    config_type = ExpLLMConfig
    config: ExpLLMConfig
    capability = Capability(
        task="read",
        needs=(),
        gives=("expression", "reasons", "affect"),
        basis="arkit",
        fps=Fraction(FPS),
        look_ahead=SPAN,
        languages=("en",),
        licence="Apache-2.0; trained on the stage",
        uses=("face", "action_units", "phones"),
    )

    def training(self, stage: str) -> Training:
        """Minutes on two cores."""
        choose("stage", stage, self.stages)
        if self.config.rank:  # as published: 5e-4, weight decay .05, 3 % warm-up
            return Training(60_000, 128, 5e-4, weight_decay=0.05, warm_up=1800, precision="bf16")
        if stage == "label":
            return Training(
                1000, 64, 3e-3, weight_decay=0.01, warm_up=50, drops=((0.6, 0.3), (0.85, 0.3)), average=0.98
            )
        return Training(
            2700, 32, 2e-3, weight_decay=0.01, warm_up=50, drops=((0.6, 0.3), (0.85, 0.3)), average=0.98
        )

    def examples(self, performance: Performance) -> Iterator[dict[str, NDArray]]:
        """Seconds and moments of a face, each as one of :data:`VIEWS` has it.

        Yields ``units`` (24, 7), ``label`` (), ``affect`` (3,: valence, arousal, intensity), ``plan`` (48,). From the tier ``emotion``, the track
        ``felt`` (what of the face is expression; the weakest of each window by default) and ``meta["affect"]``. Of a moment all that moves is
        told: nobody sees from a photograph whether lips speak or lids blink. Where pictures are seen, ``picture`` (3, 224, 224) stands for
        ``units``, of moments alone, from the tracks ``video`` and ``face_box``.
        """
        if "emotion" not in performance:
            raise DataError(
                f"expllm learns from the track 'emotion'; this performance has: {', '.join(performance)}"
            )
        face = features.arkit(performance.face, FPS)
        felt = features.arkit(performance.get("felt"), FPS) if "felt" in performance else None
        size, start = round(SPAN * FPS), performance.face.start
        stream = rng(0, "expllm", performance.meta.get("number", 0), len(face))
        pictured = self.config.eyes == "picture"
        made, times = [], []
        for first in range(0, len(face) - size + 1, size):
            middle = start + (first + size / 2) / FPS
            told = [i for i in performance.tier("emotion") if i.start <= middle < i.end]
            for moment in (True,) if pictured else (False, True):
                place = first + int(stream.integers(size))
                rows = face[place : place + 1] if moment else face[first : first + size]
                true = rows if moment else None if felt is None else felt[first : first + size]
                speech = not moment and _speaks(
                    performance, start + first / FPS, start + (first + size) / FPS
                )
                view = VIEWS[0 if pictured else int(stream.choice(3, p=(0.5, 0.3, 0.2)))]
                made.append(_example(rows, true, told, speech, performance.meta.get("affect"), view))
                times.append(start + place / FPS)
        if not pictured:
            yield from made
            return
        seen = np.flatnonzero(seen_at(performance, times))
        for k, picture in zip(
            seen, pictures(performance, np.array(times)[seen], self.config.side), strict=True
        ):
            yield {**{n: v for n, v in made[k].items() if n != "units"}, "picture": picture}

    def read(
        self,
        performance: Performance,
        networks: Networks,
        *,
        language: LanguageModel | None = None,
        least: float = 0.5,
        seed: int = 0,
        progress: bool = False,
    ) -> Performance:
        """Read the expression of a face, and why.

        Parameters
        ----------
        performance
            With ``face``, or ``action_units`` (0 to 1, FACS names; where it has a confidence, what is not seen is not read). Where
            pictures are seen, with ``video`` and ``face_box``, too: units then only tell what may be named.
        networks
            From :func:`kinesics.systems.load_system`, or of a network in training (``kinesics.lab.networks``).
        language
            A language model that words the reasons instead: it is given the measured units and the label, and what it says of units that
            are not active is dropped and told in ``meta["expllm"]["dropped"]``. It never sees the face.
        least
            Probability below which a label is ``unknown``.
        seed
            Of the words that reasons are put in.
        progress
            Show a bar over the reasons.

        Returns
        -------
        Performance
            The same, with ``expression``, ``reasons`` and ``affect``.

        Raises
        ------
        DataError
            If there is nothing to read.
        """
        if not 0 <= least <= 1:
            raise DataError(f"least {least}; expected 0 to 1")
        track, measured, sure = _measured(performance)
        seen = over_time.windows(measured.values, measured.known, FPS, SPAN)
        if self.config.eyes == "picture":
            moments = np.minimum(track.start + (np.arange(len(seen)) + 0.5) * over_time.HOP, track.end)
            sure = sure * seen_at(performance, moments)
            shares, affect = self.labels(pictures(performance, moments, self.config.side), networks)
        else:
            shares, affect = self.labels(seen, networks)
        spans = over_time.steady(shares, sure, least=least)
        told = [s for s in spans if s.label != over_time.UNKNOWN]
        whole = [seen[s.first : s.last].mean(axis=0) for s in told]
        looks = None
        if self.config.eyes == "picture" and told:
            middles = [track.start + (s.first + s.last) / 2 * over_time.HOP for s in told]
            looks = list(pictures(performance, middles, self.config.side))
        why = (
            dict(
                zip(
                    told,
                    self.plans(np.stack(whole), [s.label for s in told], networks, looks=looks),
                    strict=True,
                )
            )
            if told
            else {}
        )
        expression, reasons, dropped = [], [], []
        for span in bar(spans, "reading reasons") if progress else spans:
            start = track.start + span.first * over_time.HOP
            end = min(track.start + span.last * over_time.HOP, track.end)
            value = None
            if span in why:
                value = round(float(affect[span.first : span.last, 2].mean()), 4)
                text = _prose.told(why[span], rng(seed, "reasons", span.first))
                if language is not None:
                    said = _reasoning.ask(language, whole[told.index(span)], span.label, why[span])
                    text, dropped = said.text or text, [*dropped, *said.dropped]
                reasons.append(Interval(start, end, text, confidence=span.confidence))
            expression.append(Interval(start, end, span.label, value, span.confidence))
        made = {
            "expression": Tier("expression", tuple(expression)),
            "reasons": Tier("reasons", tuple(reasons)),
            "affect": over_time.spread(affect[:, :2], shares.max(axis=1) * sure, track),
        }
        how: dict[str, Any] = {
            "least": least,
            "read from": "face" if "face" in performance else "action_units",
        }
        if language is not None:
            how |= {"language": language.name, "unparsed": language.failed, "dropped": dropped}
        return Performance({**performance.tracks, **made}, {**performance.meta, self.name: how})

    def labels(
        self, seen: Iterable[NDArray], networks: Networks
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What faces express.

        Parameters
        ----------
        seen
            N of (24, 7), see :func:`kinesics.systems.read._expressions.windows`, or of (3, side, side) pictures.
        networks
            See :meth:`read`.

        Returns
        -------
        shares, affect
            (N, 8) probabilities of the emotions; (N, 3) valence, arousal and intensity.
        """
        shares, affect = [], []
        faces, most = iter(seen), 256 if self.config.eyes == "units" else 16
        while some := list(islice(faces, most)):
            part = np.stack(some).astype(np.float32)
            made = networks["next"](units=part, ids=np.tile(self._asked(), (len(part), 1)))
            scores = (
                made["scores"][:, plans.FIRST_LABEL : plans.FIRST_LABEL + len(EMOTIONS)].astype(np.float64)
                / self.config.temperature
            )
            share = np.exp(scores - scores.max(axis=1, keepdims=True))
            shares.append(share / share.sum(axis=1, keepdims=True))
            affect.append(made["affect"])
        return np.concatenate(shares).astype(np.float32), np.concatenate(affect)

    def plans(
        self,
        faces: NDArray,
        labels: Sequence[str],
        networks: Networks,
        *,
        looks: Sequence[NDArray] | None = None,
    ) -> list[plans.Plan]:
        """The reasons for labels as plans: the likeliest tokens that the grammar and the measured units allow, one after the other.

        Parameters
        ----------
        faces
            (N, 24, 7) of :func:`kinesics.systems.read._expressions.windows`.
        labels
            N, what they express.
        networks
            See :meth:`read`.
        looks
            N pictures, where the network sees these; ``faces`` then only tell what may be named.
        """
        faces = np.asarray(faces, np.float32)
        seen = faces if looks is None else np.stack(looks)
        writers = [plans.Grammar(n, _reasoning.active(f)) for n, f in zip(labels, faces, strict=True)]
        start = [[*self._asked(), plans.NUMBER[n], plans.ASK_REASONS] for n in labels]
        ids = np.array(start, np.int64).reshape(len(faces), -1)
        while going := [i for i, writer in enumerate(writers) if not writer.done]:
            made = networks["next"](units=seen[going], ids=ids[going])
            allowed = np.stack([writers[i].allowed() for i in going])
            best = np.where(allowed, made["scores"][:, : len(plans.TOKENS)], -np.inf).argmax(axis=1)
            ids = np.pad(ids, ((0, 0), (0, 1)), constant_values=plans.PAD)
            ids[going, -1] = best
            for i, token in zip(going, best, strict=True):
                writers[i].take(int(token))
        return [writer.plan() for writer in writers]

    def _asked(self) -> NDArray[np.int64]:
        return np.array([plans.FACE] * self.config.rows + [plans.ASK_LABEL], np.int64)


def _measured(performance: Performance) -> tuple[Face | Signal, units.Measured, NDArray[np.float64]]:
    """What is read, its units at :data:`FPS`, and how sure they are at each window."""
    if "face" in performance:
        track: Face | Signal = performance.face
        measured = units.from_arkit(features.arkit(track, FPS))
    elif "action_units" in performance:
        track = performance.get("action_units")
        measured = units.from_facs(track.resample(FPS).values, track.names)
    else:
        raise DataError(
            f"expllm needs the track 'face' or 'action_units'; this performance has: {', '.join(performance)}"
        )
    if not len(measured):
        raise DataError("the face is empty; there is nothing to read")
    count = over_time.count(len(measured), FPS)
    signal = performance.get("action_units")
    if signal is None or signal.confidence is None or not len(signal):
        return track, measured, np.ones(count)
    times = track.start + (np.arange(count) + 0.5) * over_time.HOP
    return track, measured, np.interp(times, signal.times, signal.confidence.mean(axis=1))


def _speaks(performance: Performance, start: float, end: float) -> bool:
    if "phones" not in performance:
        return False
    return sum(i.duration for i in performance.tier("phones").slice(start, end)) > 0.3 * (end - start)


def _example(
    face: NDArray, felt: NDArray | None, told: list[Interval], speech: bool, affect: Any, view: str
) -> dict[str, NDArray]:
    own = units.from_arkit(face)
    measured = {
        "arkit": lambda: own,
        "feafa": lambda: units.from_feafa(units.feafa_of_arkit(face)),
        "facs": lambda: units.from_facs(units.unsided(own.values)[:, _OF_OPENFACE], _OPENFACE),
    }[view]()
    seen = over_time.summary(measured.values[None], measured.known)[0]
    true = (
        np.percentile(own.values, 20, axis=0) if felt is None else units.from_arkit(felt).values.mean(axis=0)
    )
    strength, lean = units.strengths(true.astype(np.float32))
    told = sorted(told, key=lambda i: -(1.0 if i.value is None else i.value))
    label = told[0].label if told else "neutral"
    intensity = (1.0 if told[0].value is None else told[0].value) if told else 0.0
    valence, arousal = affect if affect is not None else (0.0, 0.0)
    known = [u for u, k in zip(units.UNITS, seen[:, -1] > 0, strict=True) if k]
    plan = plans.made(
        strength, lean if view != "facs" else np.zeros_like(lean), label=label, intensity=intensity,
        blend=told[1].label if len(told) > 1 else "", speech=speech, known=known,
    )  # fmt: skip
    return {
        "units": seen,
        "label": np.int64(EMOTIONS.index(label)),
        "affect": np.array([valence, arousal, intensity], np.float32),
        "plan": plans.padded(plan),
    }


SYSTEM = ExpLLM
