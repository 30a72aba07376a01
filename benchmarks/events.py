"""Events read from motion and faces, beside what is known of the people of the stage.

Gestures: 24 speakers who trained nothing here, two takes of each; F1 of phases that share half their time
(temporal IoU 0.5) with a true one of the same hand. Heads: 16 listeners who nod, shake and tilt by random plans, and the
speakers. Blinks and brows: the speakers' plans. Self-touch: skin next to skin, vertex by vertex. Who speaks:
conversations of two. Gaze: three people before a camera, with errors as of a gaze estimator.

Controls: everything found is shifted by a second; the phases of another take; for phases also what a rule over
hand speed gives. Noise: landmarks off by 1 and 2 cm with lost hands, angles off by ½ and 1 degree, coefficients by 0.05.

The check on a real speaker (44 s of BEAT2, when it is on this machine) has no labels of gestures: it tells
whether strokes end on stressed syllables, against strokes shifted at random. Nothing was fitted to it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import _event_truth as truth
from benchmarks._event_truth import PHASES, Score, plain
from benchmarks._measure import Figure, skipped
from kinesics import perform
from kinesics.bodies.avatar import load_avatar
from kinesics.formats import kin
from kinesics.hear import espeak
from kinesics.performance import Audio, Camera, Face, Interval, Performance, Scene, Signal
from kinesics.see.events import annotate
from kinesics.see.facial_actions import blinks, facial_actions
from kinesics.see.gesture_phases import GesturePhases, gesture_phases, places_of
from kinesics.see.head_events import head_angles, head_events
from kinesics.see.self_touch import HEAD_PARTS, self_touch
from kinesics.see.together import relate
from kinesics.seeds import rng
from kinesics.stage import conversation, listener, make_speakers

SHARED = Path(os.environ.get("KINESICS_SHARED", Path(__file__).parents[2] / "shared"))
SPEAKERS, TAKES, SEED = 24, 2, 5303
LISTENERS, CONVERSATIONS = 16, 5
_SHIFT = 1.0


def run(runs: int) -> list[Figure]:
    """Everything once: the people are the same every time."""
    del runs
    if not espeak.available():
        return [skipped("events", "speakers need the extra voice")]
    with tempfile.TemporaryDirectory() as folder:
        make_speakers(folder, SPEAKERS, SEED, takes=TAKES, seconds=15, progress=False)
        shows = [kin.read(path) for path in sorted(Path(folder).glob("*/*.kin"))]
    return [
        *_gestures(shows), *_heads(shows), *_faces(shows), *_touches(), *_conversations(), *_gazes(), *_speed(shows), *_real(),
    ]  # fmt: skip


# ---- gestures


def _gestures(shows: list[Performance]) -> list[Figure]:
    found = [plain(list(gesture_phases(s.body))) for s in shows]
    out = _phases("phases", shows, found, whole=True)
    out += _phases("control, 1 s late", shows, [[i.shift(_SHIFT) for i in f] for f in found])
    out += _phases("control, another take's", shows, found[1:] + found[:1])
    constant = [[Interval(0, s.body.duration, f"stroke {k}") for k in "LR"] for s in shows]
    out += _phases("control, always a stroke", shows, constant)
    rule = [truth.speed_rule(places_of(s.body), float(s.body.fps)) for s in shows]
    out += _phases("a rule over hand speed", shows, rule)
    for metres in (0.01, 0.02):
        noisy = []
        for n, s in enumerate(shows):
            finder = GesturePhases(float(s.body.fps))
            places, sure = truth.as_landmarks(places_of(s.body), float(s.body.fps), metres, n)
            noisy.append(plain(finder.push_places(places, sure=sure) + finder.finish()))
        out += _phases(f"landmarks off by {100 * metres:.0f} cm, hands lost", shows, noisy, whole=True)
    return out


def _phases(
    name: str, shows: list[Performance], found: list[list[Interval]], *, whole: bool = False
) -> list[Figure]:
    scores = {p: Score() for p in PHASES}
    right = count = 0
    sure: list[tuple[float, bool]] = []
    unsure = 0.0
    for show, own in zip(shows, found, strict=True):
        true = plain(list(show.tier("gestures")))
        for p in PHASES:
            for side in "LR":
                label = f"{p} {side}"
                scores[p].add([i for i in true if i.label == label], [i for i in own if i.label == label])
        n = round(show.body.duration * 30)
        for side in "LR":
            right += int(np.sum(truth.frames_of(true, side, n) == truth.frames_of(own, side, n)))
            count += n
        known = [i for i in own if not i.label.startswith("unknown")]
        sure += [
            (i.confidence, any(t.label == i.label and truth._iou(i, t) >= 0.5 for t in true)) for i in known
        ]
        unsure += sum(i.duration for i in own if i.label.startswith("unknown"))
    out = [
        Figure(f"{name}: F1 of {p}s", s.f1, "", note=s.note)
        for p, s in scores.items()
        if whole or p == "stroke"
    ]
    note = f"told as unknown {unsure * 30 / max(count, 1):.3f}"
    out.append(Figure(f"{name}: frames right", right / max(count, 1), "", note=note))
    if whole:
        bands = [(0.5, 0.7), (0.7, 0.85), (0.85, 1.01)]
        shares = [[ok for c, ok in sure if a <= c < b] for a, b in bands]
        note = ", ".join(
            f"{a}–{min(b, 1)}: {np.mean(x):.2f} of {len(x)}"
            for (a, b), x in zip(bands, shares, strict=True)
            if x
        )
        out.append(
            Figure(
                f"{name}: found ones that are right",
                float(np.mean([ok for _, ok in sure])),
                "",
                note=f"by confidence {note}",
            )
        )
    return out


# ---- heads


def _heads(shows: list[Performance]) -> list[Figure]:
    silent = [listener(7303, n) for n in range(LISTENERS)]
    out = _nods("listeners", silent)
    out += _nods("control, listeners 1 s late", silent, late=_SHIFT)
    for degrees in (0.5, 1.0):
        out += _nods(f"listeners, angles off by {degrees}°", silent, noise=degrees)
    from kinesics.stage.listeners import head_truth

    told = [s.with_tracks(head_events=head_truth(s.plan)) for s in shows]
    return out + _nods(
        "speakers", told, note="against their plans, which do not tell how heads go with speech; "
    )


def _nods(
    name: str, shows: list[Performance], *, late: float = 0.0, noise: float = 0.0, note: str = ""
) -> list[Figure]:
    scores = {k: Score() for k in ("nod", "shake", "tilt")}
    counts, sizes = [], []
    for n, show in enumerate(shows):
        head = head_angles(show.body)
        if noise:
            off = rng(n, "head noise").normal(0, noise, head.values.shape)
            head = replace(head, values=(head.values + off).astype(np.float32))
        events, times = head_events(head)
        true = [i for i in show.tier("head_events") if (i.value or 0) >= 1.5]
        repeats = {
            round(b.sync["start"].offset, 3): int(b.number("repetition", 1)) for b in show.plan.of("head")
        }
        for kind, score in scores.items():
            own = [i.shift(late) for i in events if i.label.split()[0] == kind]
            score.add([i for i in true if i.label == kind], own)
        for i in true:
            match = [
                (c, e)
                for c in times
                for e in events
                if e.start == c.start and c.label == i.label and truth._iou(c, i) > 0.5
            ]
            if match and round(i.start, 3) in repeats:
                counts.append(match[0][0].value == repeats[round(i.start, 3)])
                sizes.append(abs((match[0][1].value or 0) - (i.value or 0)))
    out = [Figure(f"{name}: F1 of {k}s", s.f1, "", note=note + s.note) for k, s in scores.items()]
    if counts and not late:
        out.append(
            Figure(
                f"{name}: nods and shakes counted right",
                float(np.mean(counts)),
                "",
                note=f"{len(counts)} of them",
            )
        )
    return out


# ---- faces


def _faces(shows: list[Performance]) -> list[Figure]:
    out = []
    for name, face_of in _readings().items():
        score, late, apexes = Score(), Score(), []
        for n, show in enumerate(shows):
            found, tops = blinks(face_of(show.face, n))
            true = [i for i in truth.planned(show, "blink") if i.end < show.face.end]
            score.add(true, [i for i in found if i.label == "blink"], overlap=0.3)
            late.add(true, [i.shift(_SHIFT) for i in found], overlap=0.3)
            for t in true:
                near = [a.start for a in tops if t.start <= a.start <= t.end]
                apexes += [near[0] - t.start] if near else []
        note = f"{score.note}, apex {1000 * np.median(apexes):.0f} ms after the plan's start"
        out.append(Figure(f"blinks, {name}: F1", score.f1, "", note=note))
        if name == "as performed":
            out.append(Figure("blinks, control, 1 s late: F1", late.f1, "", note=late.note))
    clean = [facial_actions(s.face) for s in shows]
    for name, face_of in list(_readings().items())[1:]:
        scores = {k: Score() for k in clean[0]}
        for n, show in enumerate(shows):
            for kind, tier in facial_actions(face_of(show.face, n)).items():
                scores[kind].add(list(clean[n][kind]), [i for i in tier if i.label == kind])
        for kind in ("smile", "frown", "brow_raise", "brow_lower"):
            s = scores[kind]
            out.append(
                Figure(
                    f"{kind}, {name}: F1",
                    s.f1,
                    "",
                    note=f"against the coefficients without the error; {s.note}",
                )
            )
    brows = Score()
    calm = [(s, c) for s, c in zip(shows, clean, strict=True) if s.tier("emotion").labels == ("neutral",)]
    for show, found in calm:
        asked = [i for i in truth.planned(show, "faceLexeme", "RAISE_BROWS") if (i.value or 0) >= 0.35]
        brows.add(asked, list(found["brow_raise"]), overlap=0.3)
    out.append(Figure("brow_raise, neutral speakers, against their plans: F1", brows.f1, "", note=brows.note))
    return out


def _readings() -> Mapping[str, Callable[[Face, int], Face]]:
    def read(face: Face, seed: int) -> Face:
        face = face.resample(30)
        off = rng(seed, "face noise").normal(0, 0.05, face.values.shape)
        return replace(face, values=np.clip(0.85 * face.values + 0.03 + off, 0, 1).astype(np.float32))

    return {
        "as performed": lambda face, _: face,
        "30 fps, 0.85 as large, 0.03 too high, off by 0.05": read,
    }


# ---- self-touch


def _touches() -> list[Figure]:
    scores = {k: Score() for k in ("head", "torso", "hands")}
    late = Score()
    for n in range(4):
        name = ("maya", "theo")[n % 2]
        show = perform(plan=truth.toucher(7400 + n), avatar=name, seed=n, progress=False)
        found = self_touch(show.body)
        for (side, part), true in truth.touches_of(show.body, load_avatar(name)).items():
            parts = HEAD_PARTS if part == "head" else (part,)
            labels = {"hands"} if part == "hands" else {f"{p} {side[0].upper()}" for p in parts}
            own = [Interval(i.start, i.end, part) for i in found if i.label in labels]
            scores[part].add(true, own)
            late.add(true, [i.shift(_SHIFT) for i in own])
    out = [Figure(f"self-touch, {k}: F1", s.f1, "", note=s.note) for k, s in scores.items()]
    return [*out, Figure("self-touch, control, 1 s late: F1", late.f1, "", note=late.note)]


# ---- together


def _conversations() -> list[Figure]:
    scenes = [conversation(8303, n) for n in range(CONVERSATIONS)]
    out = []
    for name, change in {
        "two faces and the sound": lambda s, n: s,
        "the listener's mouth moves, too": lambda s, n: _chewing(s, scenes[(n + 1) % len(scenes)]),
        "coefficients off by 0.05": lambda s, n: _noisy(s, n),
        "no sound": lambda s, n: replace(s, shared={}),
        "control, the mouth moves, too, and the sound is of another": lambda s, n: replace(
            _chewing(s, scenes[(n + 1) % len(scenes)]), shared=scenes[(n + 2) % len(scenes)].shared
        ),
    }.items():
        both = found = true = right = alone = turns = 0
        for n, scene in enumerate(scenes):
            mute = {k: Performance({"face": p.face}) for k, p in scene.people.items()}
            done = relate(change(replace(scene, people=mute), n))
            count = round(scene.duration * 30)
            masks = {k: _mask(p.tier("speaking"), count) for k, p in done.people.items()}
            truths = {k: _mask(p.tier("speaking"), count) for k, p in scene.people.items()}
            for k in masks:
                both += int((masks[k] & truths[k]).sum())
                found += int(masks[k].sum())
                true += int(truths[k].sum())
            one = np.logical_xor(*truths.values())
            right += int(np.logical_and.reduce([masks[k] == truths[k] for k in masks])[one].sum())
            alone += int(one.sum())
            turns += len(done.shared["turns"])
        note = f"precision {both / max(found, 1):.2f}, recall {both / true:.2f}; both people right where one speaks: {right / alone:.2f}; {turns} turns of {6 * len(scenes)}"
        out.append(Figure(f"who speaks, {name}: F1 of frames", 2 * both / (found + true), "", note=note))
    return out


def _mask(tier, count: int) -> np.ndarray:
    out = np.zeros(count, bool)
    for i in tier:
        if i.label == "speaking":
            out[max(0, round(i.start * 30)) : round(i.end * 30)] = True
    return out


def _chewing(scene: Scene, other: Scene) -> Scene:
    """While somebody listens, their mouth moves as it did in another conversation."""
    people = {}
    for (name, show), donor in zip(scene.people.items(), list(other.people.values())[::-1], strict=True):
        face, count = show.face, min(len(show.face), len(donor.face))
        columns = [i for i, n in enumerate(face.names) if n.startswith(("jaw", "mouth"))]
        values = face.values.copy()
        opening = np.abs(np.gradient(values[:, face.names.index("jawOpen")]))
        busy = np.convolve(opening, np.ones(48), mode="same")[:count] > 0.05
        rows = np.flatnonzero(~busy)
        values[np.ix_(rows, columns)] = donor.face.values[np.ix_(rows, columns)]
        people[name] = show.with_tracks(face=replace(face, values=values))
    return replace(scene, people=people)


def _noisy(scene: Scene, seed: int) -> Scene:
    people = {}
    for name, show in scene.people.items():
        off = rng(seed, "mouth noise", name).normal(0, 0.05, show.face.values.shape)
        values = np.clip(show.face.values + off, 0, 1).astype(np.float32)
        people[name] = show.with_tracks(face=replace(show.face, values=values))
    return replace(scene, people=people)


def _gazes() -> list[Figure]:
    out = []
    for name, error, heads in (
        ("gaze off by 5°", 5.0, False),
        ("gaze off by 8°", 8.0, False),
        ("heads alone, which turn two thirds of the way, off by 5°", 5.0, True),
    ):
        looks, mutual, late = Score(), Score(), Score()
        right = count = 0
        for seed in range(4):
            tracks, true, focal = truth.onlookers(seed, error=error, share=0.67 if heads else 1.0)
            units = ("degrees", "degrees")
            people = {
                n: Performance({
                    "face_box": Signal(t["box"], ("x", "y", "width", "height"), ("px",) * 4, 30),
                    "head" if heads else "gaze": Signal(t["gaze"], ("yaw", "pitch"), units, 30),
                })
                for n, t in tracks.items()
            }  # fmt: skip
            camera = Camera(np.zeros(3), np.array([1.0, 0, 0, 0]), focal, 1280, 720)
            done = relate(Scene(people), camera=camera)
            for n, rows in true.items():
                own = [i for i in done.people[n].tier("looks_at") if i.label != "unknown"]
                for label in {i.label for i in rows}:
                    looks.add([i for i in rows if i.label == label], [i for i in own if i.label == label])
                    late.add(
                        [i for i in rows if i.label == label],
                        [i.shift(_SHIFT) for i in own if i.label == label],
                    )
                frames = np.arange(60 * 30) / 30 + 1e-6
                a, b = (
                    [next((i.label for i in x if i.start <= t < i.end), "") for t in frames]
                    for x in (rows, own)
                )
                right += sum(x == y for x, y in zip(a, b, strict=True))
                count += len(frames)
            for n, rows in true.items():
                shared = [
                    Interval(max(i.start, j.start), min(i.end, j.end), i.label)
                    for i in rows if i.label != "camera"
                    for j in true[i.label] if j.label == n and min(i.end, j.end) - max(i.start, j.start) >= 0.2
                ]  # fmt: skip
                mutual.add(shared, [i for i in done.people[n].tier("mutual_gaze") if i.label != "unknown"])
        out.append(
            Figure(
                f"looks_at, {name}: F1", looks.f1, "", note=f"{looks.note}; frames right {right / count:.2f}"
            )
        )
        out.append(Figure(f"mutual_gaze, {name}: F1", mutual.f1, "", note=mutual.note))
        if not out[2:]:
            out.append(Figure("looks_at, control, 1 s late: F1", late.f1, "", note=late.note))
    return out


# ---- how fast, and real people


def _speed(shows: list[Performance]) -> list[Figure]:
    annotate(shows[0])
    began = time.process_time()
    for show in shows:
        annotate(show)
    seconds = sum(s.body.duration for s in shows)
    return [
        Figure(
            "all events of one person, body and face at 60 fps, by processor time",
            seconds / (time.process_time() - began),
            "× real time",
            note=f"{seconds:.0f} s of performances",
        )
    ]


def _real() -> list[Figure]:
    folder = SHARED / "data" / "nc-beat2_scott"
    if not folder.is_dir():
        return [skipped("a real speaker", "the BEAT2 sample is not on this machine")]
    from benchmarks.naturalness import smplx_take
    from kinesics.hear import hear

    body = smplx_take(folder / "2_scott_0_1_1_f0-1320.npz", load_avatar("theo").skeleton)
    heard = hear(Audio.load(folder / "2_scott_0_1_1_f0-1320.wav"), progress=False)
    syllables = heard.tier("syllables")
    strong = np.quantile([i.value or 0 for i in syllables], 0.75)
    stressed = np.array([i.middle for i in syllables if (i.value or 0) >= strong])
    tier = gesture_phases(body)
    ends = np.array([i.end for i in tier if i.label.startswith("stroke")])

    def hits(shift: float) -> float:
        at = (ends + shift) % body.duration
        return float(np.mean(np.abs(at[:, None] - stressed).min(axis=1) < 0.15))

    chance = [hits(float(x)) for x in rng(0, "chance").uniform(2, body.duration - 2, 1000)]
    per_hand = len(ends) / 2 / body.duration * 60
    speeds = _speeds_by_phase(body, tier)
    return [
        Figure(
            "BEAT2, one speaker: strokes that end within 0.15 s of a stressed syllable",
            hits(0.0),
            "",
            note=f"{len(ends)} strokes; strokes shifted at random {np.mean(chance):.2f}, as many or more in {np.mean(np.array(chance) >= hits(0.0)):.3f} of 1000 shifts",
        ),
        Figure("BEAT2: strokes a minute and hand", per_hand, ""),
        Figure(
            "BEAT2: speed of the wrist in strokes",
            speeds["stroke"],
            "m/s",
            note=", ".join(f"{k} {v:.2f}" for k, v in speeds.items()),
        ),
    ]


def _speeds_by_phase(body, tier) -> dict[str, float]:
    from kinesics.see.gesture_phases import PLACES, SIDES

    places, fps = places_of(body), float(body.fps)
    out: dict[str, list[float]] = {n: [] for n in ("rest", *PHASES)}
    for side in SIDES:
        wrist = places[:, PLACES.index(f"{side}Hand")] - places[:, PLACES.index("hips")]
        speed = np.linalg.norm(np.gradient(wrist, 1 / fps, axis=0), axis=1)
        labels = truth.frames_of(plain(list(tier)), side[0].upper(), round(body.duration * 30))
        at = np.minimum((np.arange(len(labels)) / 30 * fps).astype(int), len(speed) - 1)
        for k, name in enumerate(out):
            out[name] += speed[at[labels == k]].tolist()
    return {k: float(np.mean(v)) if v else 0.0 for k, v in out.items()}
