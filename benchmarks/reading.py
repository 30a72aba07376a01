"""Perform, film, read back: how well a face is read whose truth is known.

Speakers of the stage whom the reader's network never saw perform emotional speech before a camera that stands to one side (640 × 360, 25
pictures a second, seeded light and backdrop). The detectors of ``kinesics fetch landmarks`` find the landmarks, the reader reads them with the
clip's own neutral; everything is compared with what was performed. The best constant is the median of all truth. Correlations are over all clips
together and, "within", of each clip by itself (median over clips). A blink is found if a blink of the truth
overlaps it. Landmarks of real people differ from those of painted ones: these figures are not those of real videos.
"""

from __future__ import annotations

import time

import numpy as np

SPEAKERS, SEED, FPS = 18, 2024, 25
EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "anger")


def clips():
    """(points, score, looks), truth (face, head and gaze) and pictures in which no face was found, of each speaker's clip."""
    from kinesics.bodies.arkit import ARKIT
    from kinesics.bodies.retarget import retarget
    from kinesics.render import view_of
    from kinesics.render.ahead import ahead
    from kinesics.see.detectors import Detector
    from kinesics.see.face_shape import LOOKS
    from kinesics.see.landmarks import FaceMesh, face_region
    from kinesics.stage.acting import act
    from kinesics.stage.face_pictures import Pose, truth
    from kinesics.stage.pixels import Studio, draw_set
    from kinesics.stage.speakers import speaker
    from kinesics.stage.speech import script

    detect, mesh = Detector("face"), FaceMesh()
    for n in range(SPEAKERS):
        who, emotion = speaker(SEED, n), EMOTIONS[n % len(EMOTIONS)]
        show = act(who, script(SEED, "reading", n, emotion=emotion, words=18), emotion=emotion, level=2)
        person, stage = who.identity, draw_set(SEED, n, turn=9.0)
        camera = view_of(person, "bust", width=640, height=360, turn=stage.turn)
        studio = Studio(person, stage, view=camera)
        times = np.arange(int(show.body.duration * FPS)) / FPS
        body, face = retarget(show.body).on(person.skeleton).at(times), show.face.select(ARKIT).at(times)

        def take(t, studio=studio, body=body, face=face, person=person, camera=camera):
            frame = studio.shoot(body.rotations[t], body.root[t], face.values[t])
            return frame.rgb, truth(
                person, camera, Pose(body.rotations[t], face.values[t], True), frame.vertices
            )[1:]

        region, rows, true = None, [], []
        for image, one in ahead(take, range(len(times))):
            if region is None:
                found = detect(image)
                if not len(found):  # as a tracker, it looks again in the next picture
                    continue
                region = face_region(found.boxes[0], found.points[0])
            seen = mesh(image, region)
            region = seen.region if seen.score > 0.5 else None
            rows.append((seen.points, seen.score, *(cut(image, seen.points) for cut in LOOKS.values())))
            true.append(one)
        points, score, *looks = (np.array(v) for v in zip(*rows, strict=True))
        yield (
            (points, score, dict(zip(LOOKS, looks, strict=True))),
            [np.array(v) for v in zip(*true, strict=True)],
            len(times) - len(rows),
        )


def run(runs: int = 1) -> list[dict[str, object]]:
    """Rows of results."""
    from kinesics.bodies.arkit import ARKIT
    from kinesics.performance import Face
    from kinesics.see.face_network import FaceReader
    from kinesics.see.facial_actions import blinks

    reader, pairs, seconds, hits, found, there, lost = FaceReader(), [], 0.0, 0, 0, 0, 0
    for (points, score, looks), (face, head, gaze), unseen in clips():
        lost += unseen
        began = time.perf_counter()
        read = reader.read(points, looks, fps=FPS, score=score)
        seconds += time.perf_counter() - began
        pairs.append((face, read.face.values, head, read.head.values, gaze, read.gaze.values[:, ::-1]))
        true = [b for b in blinks(Face(face, ARKIT, FPS))[0] if b.label == "blink"]
        own = [b for b in blinks(read.face)[0] if b.label == "blink"]
        hits += sum(any(a.start < b.end and b.start < a.end for b in own) for a in true)
        there, found = there + len(true), found + len(own)
    face, got, head, head_got, gaze, gaze_got = (np.concatenate(v) for v in zip(*pairs, strict=True))
    constant = np.abs(face - np.median(face, axis=0)).mean()
    moving = np.argsort(-face.std(axis=0))[:20]
    over_all = [np.corrcoef(face[:, i], got[:, i])[0, 1] for i in moving]
    within = [
        np.corrcoef(p[0][:, i], p[1][:, i])[0, 1] for p in pairs for i in np.argsort(-p[0].std(axis=0))[:20]
    ]
    jaw = ARKIT.index("jawOpen")
    frames = len(face)
    head_off, gaze_off = np.abs(head_got - head), np.abs(gaze_got - gaze)
    rows = [
        (
            "error of the ARKit 52, as a share of the best constant's",
            np.abs(got - face).mean() / constant,
            "",
            "≤ 0.5",
        ),
        ("correlation, median of the 20 that move most", np.median(over_all), "r", "≥ 0.8"),
        ("the same within a clip", np.nanmedian(within), "r", ""),
        ("jawOpen", np.corrcoef(face[:, jaw], got[:, jaw])[0, 1], "r", "≥ 0.9"),
        ("head pose, mean error of pitch, yaw and roll", head_off.mean(), "degrees", "≤ 3"),
        ("gaze, mean error of pitch and yaw", gaze_off.mean(), "degrees", "≤ 5"),
        ("blinks", 2 * hits / max(there + found, 1), "F1", "≥ 0.95"),
        ("reading with landmarks given", frames / seconds, "pictures a second", ""),
    ]
    note = f"{SPEAKERS} speakers, {frames} pictures, {there} blinks; no face found in {lost} more"
    return [
        {"what": w, "value": float(v), "unit": u, "wanted": g, "note": note, "runs": 1} for w, v, u, g in rows
    ]
