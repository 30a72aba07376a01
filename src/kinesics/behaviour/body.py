"""The body realiser: committed behaviours in, joint rotations out.

Everything is an exact function of time and of what has been committed, so frames do not depend on
how many are asked for at once; what is committed at a moment changes nothing before that moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour import gaze as gazing
from kinesics.behaviour import gestures, rests
from kinesics.behaviour import phases as kendon
from kinesics.behaviour.accompany import HANDS, HEAD, SPINE, TURNS, Accompaniment
from kinesics.behaviour.controls import GAZE_TARGETS, Controls
from kinesics.behaviour.figure import Figure, Wishes
from kinesics.behaviour.gestures import Arm, Laid
from kinesics.behaviour.idle import CHANNELS, Breath, Drift
from kinesics.behaviour.lexicon import form_of
from kinesics.behaviour.posture import LEXEMES, Posture
from kinesics.behaviour.strokes import Stroke, fit_speed, make_stroke, point_stroke
from kinesics.behaviour.trajectory import Track, ease
from kinesics.bodies.joint_limits import soft_clip
from kinesics.errors import DataError, PlanError
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance.gesture import Gesture
from kinesics.performance.plan import Behaviour, Feedback
from kinesics.performance.tiers import Interval, Tier

FPS = 60
_LOG = logging.getLogger(__name__)
_SILENCE = 2.5  # seconds without a syllable after which the hands are lowered
_LIVELY = 0.15  # intensity from which hands stay up between gestures
_ELSEWHERE = ("face", "faceLexeme", "faceFacs", "lips", "blink")
_SIDES = ("left", "right")
_TELLING = 20.0  # degrees by which joint limits may change a stated form without a word
_C = {name: i for i, name in enumerate(CHANNELS)}


@dataclass
class _HeadMove:
    start: float
    end: float
    track: Track


class Body:
    """Realises gestures, pointing, head, gaze and posture on one person.

    Parameters
    ----------
    skeleton
        The 55 canonical joints of the person.
    controls
        Emotion, intensity, handedness, where mutual gaze goes, seed.
    lexicon
        Gestures by lexeme; the package's own by default.

    Examples
    --------
    >>> from kinesics.performance import Behaviour
    >>> body = Body(skeleton, Controls(seed=1))                                 # doctest: +SKIP
    >>> body.add([Behaviour("g1", "gesture", {"stroke": 1.0}, {"lexeme": "WAVE"})], 0.0)  # doctest: +SKIP
    >>> rotations, root = body.frames(0, 120)                                   # doctest: +SKIP
    """

    def __init__(
        self, skeleton: Skeleton, controls: Controls, *, lexicon: Mapping[str, Gesture] | None = None
    ) -> None:
        self.controls = controls
        self.manner = kendon.manner(controls.emotion, controls.intensity)
        self.figure = Figure(skeleton, controls.seed)
        self.drift = Drift(controls.seed)
        self.breath = Breath(controls.seed)
        self.posture = Posture(controls.seed, self.manner.life)
        self.gaze = gazing.Gaze(controls.look_angles, controls.seed)
        self._lexicon = lexicon
        lively = float(np.clip(controls.intensity / 0.5, 0, 1.6))
        self.accompaniment = Accompaniment(
            controls.seed, life=min(self.manner.life * (0.35 + 0.65 * lively), 1.15),
            hands=min(self.manner.size * lively, 1.3),
            leading=_SIDES.index(controls.handedness),
        )  # fmt: skip
        self._spoke, self._up = -np.inf, False
        self._rest, self._rest_count = rests.choose_rest(controls.seed, 0, ""), 0
        self._next_rest = rests.next_change(controls.seed, 0)
        self._rest_states: dict[tuple[str, str, int], tuple[NDArray, NDArray]] = {}
        self.arms = {s: Arm(self.figure.reach[s], self._resting(s)) for s in _SIDES}
        self._heads: list[_HeadMove] = []
        self._speech: list[tuple[float, float]] = []
        self._anchors: dict[str, dict[str, float]] = {}
        self._over: list[Interval] = []
        self._eyes: tuple[int, int, NDArray[np.float64]] | None = None

    @property
    def leading(self) -> str:
        """``"left"`` or ``"right"``."""
        return self.controls.handedness

    def _resting(self, side: str) -> tuple[NDArray, NDArray]:
        key = (side, self._rest, self._rest_count)
        if key not in self._rest_states:
            if len(self._rest_states) > 8:
                self._rest_states.clear()
            self._rest_states[key] = rests.rest_state(
                self._rest, self.figure.reach[side], on_top=side == self.leading, seed=self.controls.seed,
                count=self._rest_count,
            )  # fmt: skip
        return self._rest_states[key]

    def _advance(self, time: float) -> None:
        """Let happen what chance brings before ``time``."""
        self.posture.advance(time)
        while (due := min(self._next_rest, self._spoke + _SILENCE if self._up else np.inf)) < time:
            self._change_rest(due)

    def _change_rest(self, time: float) -> None:
        """Rest otherwise from ``time`` on: hands in front while talking, lower in silence."""
        seed, talking = self.controls.seed, self._spoke + _SILENCE > time
        self._up = talking
        self._rest_count += 1
        self._rest = rests.choose_rest(seed, self._rest_count, self._rest, talking=talking)
        for side, arm in self.arms.items():
            if arm.idle(time):
                arm.settle(time, self._resting(side), 1.15 / self.manner.speed)
        self._next_rest = time + rests.next_change(seed, self._rest_count, talking=talking)

    def hear(self, syllables: Sequence[Interval], now: float) -> None:
        """Take in syllables of the own speech (value: prominence); the body goes along with them."""
        self._advance(now)
        self.accompaniment.hear(syllables, now=now)
        for s in syllables:
            if s.start > self._spoke + 0.35 and s.start - 0.1 > now + 0.75:
                self.breath.inhale(s.start - 0.1, 0.45)
            if self.controls.intensity >= _LIVELY and s.start > self._spoke + _SILENCE:
                self._spoke = s.end
                self._next_rest = max(now, s.start - 0.6)
            self._spoke = max(self._spoke, s.end)

    def add(self, behaviours: Sequence[Behaviour], now: float) -> list[Feedback]:
        """Commit behaviours.

        Parameters
        ----------
        behaviours
            What to do; kinds that belong to the face are passed over in silence.
        now
            The clock, seconds: nothing before it changes, frames from it on may.

        Returns
        -------
        list of Feedback
            One for each behaviour of the body: realised, shifted or dropped (and why), or unknown.
        """
        self._advance(now)
        self._eyes = None
        known: dict[str, Callable[[Behaviour, dict[str, float], float], Feedback]] = {
            "gesture": self._add_gesture, "pointing": self._add_pointing, "head": self._add_head,
            "headDirectionShift": self._add_gaze, "gaze": self._add_gaze, "gazeShift": self._add_gaze,
            "posture": self._add_posture, "postureShift": self._add_posture, "speech": self._add_speech,
        }  # fmt: skip
        for b in behaviours:
            if b.kind == "speech":
                self._anchors.setdefault(b.id, {}).update(
                    {k: s.offset for k, s in b.sync.items() if s.behaviour is None}
                )
        timed = []
        out = []
        for b in behaviours:
            if b.kind in _ELSEWHERE:
                continue
            if b.kind not in known:
                out.append(Feedback(b.id, "unknown", f"the body has no {b.kind!r}"))
                continue
            try:
                sync = self._times(b)
            except PlanError as error:
                out.append(Feedback(b.id, "dropped", str(error)))
                continue
            timed.append((min(sync.values(), default=now), len(timed), b, sync))
        for _, _, b, sync in sorted(timed, key=lambda x: x[:2]):
            try:
                feedback = known[b.kind](b, sync, now)
            except (DataError, PlanError) as error:
                feedback = Feedback(b.id, "unknown" if "unknown" in str(error) else "dropped", str(error))
            if feedback.status != "realised":
                _LOG.info("%s %s: %s", b.id, feedback.status, feedback.reason)
            out.append(feedback)
        return out

    def _times(self, b: Behaviour) -> dict[str, float]:
        out = {}
        for point, sync in b.sync.items():
            base = 0.0
            if sync.behaviour is not None:
                for points in (self._anchors.get(sync.behaviour), self._anchors.get("speech")):
                    key = sync.point if points is self._anchors.get(sync.behaviour) else sync.behaviour
                    if points is not None and key in points:
                        base = points[str(key)]
                        break
                else:
                    raise PlanError(f"{b.id} refers to {sync.behaviour}:{sync.point}, which is not known")
            out[point] = base + sync.offset
        return out

    def _add_speech(self, b: Behaviour, sync: dict[str, float], now: float) -> Feedback:
        start, end = sync.get("start", now), sync.get("end", max(sync.values(), default=now))
        self._speech.append((start, max(end, start)))
        if start - 0.12 > now + 0.35:
            self.breath.inhale(start - 0.12, 0.6)
        return Feedback(b.id, "realised", times={"start": start, "end": end})

    def _sides(self, b: Behaviour, gesture: Gesture) -> list[str]:
        mode = b.attributes.get("mode", "")
        named = {"LEFT_HAND": ["left"], "RIGHT_HAND": ["right"]}
        if mode in named:
            return named[mode]
        if mode == "BOTH_HANDS" or (not mode and gesture.hands == "both"):
            leads = gesture.extra.get("hand", self.leading)
            return [leads, "left" if leads == "right" else "right"]
        if mode:
            raise DataError(f"gesture mode {mode!r}; choose one of: LEFT_HAND, RIGHT_HAND, BOTH_HANDS")
        return [gesture.extra.get("hand", self.leading)]

    def _add_gesture(self, b: Behaviour, sync: dict[str, float], now: float) -> Feedback:
        gesture = form_of(b, self._lexicon)
        sides = self._sides(b, gesture)
        amount = (0.35 + 0.65 * float(np.clip(b.number("amount", 1.0), 0.2, 1.5))) * self.manner.size
        # Arms have an end: what is large already grows less.
        amount = float(soft_clip(amount, 0.25, 1.25, knee=0.4))
        size = b.number("size", 0.0) or None
        _, factor = gestures.asymmetry(self.controls.seed, b.id)
        strokes: dict[str, Stroke] = {}
        # What lies on the other hand waits for it.
        waits = len(sides) > 1 and any(p.on for p in gesture.poses)
        for k, s in sorted(enumerate(sides), reverse=waits):
            lead = strokes.get(sides[0])
            strokes[s] = make_stroke(
                gesture, self.figure.reach[s], amount=amount * (factor if k else 1.0), manner=self.manner,
                leading=k == 0, size=size, like=lead if k else None,
                onto=(strokes[sides[1]], self.figure.reach[sides[1]]) if waits and not k else None,
            )  # fmt: skip
        strokes = {s: strokes[s] for s in sides}
        return self._lay(b, gesture, strokes, sync, amount, now)

    def _add_pointing(self, b: Behaviour, sync: dict[str, float], now: float) -> Feedback:
        angles = gazing.parse_target(b.attributes.get("target", ""), self.controls.look_angles, GAZE_TARGETS)
        direction = gazing.directions(*angles)
        mode = b.attributes.get("mode", "")
        side = {"LEFT_HAND": "left", "RIGHT_HAND": "right"}.get(mode)
        if side is None:
            side = self.leading if abs(angles[0]) < 15 else ("left" if angles[0] > 0 else "right")
        across = angles[0] * (-1 if side == "left" else 1)
        if across > 65:
            return Feedback(b.id, "dropped", f"the {side} hand cannot point {across:.0f}° across the body")
        aim = direction * (1 if side == "left" else np.array([-1, 1, 1]))
        amount = float(np.clip(b.number("amount", 1.0), 0.2, 1.5))
        stroke = point_stroke(aim, self.figure.reach[side], self.manner, amount=amount)
        return self._lay(b, gestures.POINT, {side: stroke}, sync, amount, now)

    def _lay(
        self, b: Behaviour, gesture: Gesture, strokes: dict[str, Stroke], sync: dict[str, float],
        amount: float, now: float,
    ) -> Feedback:  # fmt: skip
        try:
            timing, shift, reason = gestures.schedule(gesture, strokes, self.arms, sync, self.manner, now)
        except KeyError:
            raise PlanError(f"gesture {b.id!r} says nowhere when it is") from None
        if timing is None:
            return Feedback(b.id, "dropped", reason)
        late, _ = gestures.asymmetry(self.controls.seed, b.id)
        behind = 0.0
        for k, (side, stroke) in enumerate(strokes.items()):
            mine = timing.shifted(late) if k and not (stroke.limbs or gesture.exact) else timing
            stroke, times, apex = fit_speed(stroke, mine)
            if stroke.limbs or stroke.exact:
                behind = max(behind, float(times[-1] - mine.stroke_end))
            self.arms[side].lay(
                Laid(b.id, gesture.lexeme, mine, stroke, times, apex, amount, self._resting(side),
                     beat=gesture.category == "beat"), now,
            )  # fmt: skip
        reason = reason if shift > 1e-3 else ""
        if behind > 0.02:
            reason = f"{reason}; " * bool(reason) + f"no arm is that quick: its end comes {behind:.2f} s late"
        status = "shifted" if reason else "realised"
        cut = max(float(np.degrees(s.excess)) for s in strokes.values())
        if cut > _TELLING and (gesture.exact or any(s.limbs for s in strokes.values())):
            reason += "; " * bool(reason) + f"joint limits keep it {cut:.0f}° from what is asked"
        return Feedback(b.id, status, reason, timing.named())

    def _add_head(self, b: Behaviour, sync: dict[str, float], now: float) -> Feedback:
        lexeme = b.attributes.get("lexeme", "NOD").upper()
        amount = float(np.clip(b.number("amount", 0.5), 0, 1.5))
        count = int(np.clip(b.number("repetition", 1), 1, 8))
        natural = {"NOD": 0.25 + 0.42 * count, "SHAKE": 0.3 + 0.5 * count}.get(lexeme, 1.2)
        stroke = sync.get("stroke", sync.get("strokeStart"))
        start = sync.get("start", sync.get("ready", (stroke - 0.22) if stroke is not None else now))
        moved = max(0.0, now - start)
        start = max(start, now)
        end = max(sync.get("end", sync.get("relax", start + natural)), start + 0.24)
        if stroke is not None and stroke < start + 0.08:
            moved = max(moved, start + 0.08 - stroke)
        # A turn to the left is about +Y; a head that tilts to the left shoulder turns about −Z.
        side = -1.0 if b.attributes.get("direction", "").upper() == "RIGHT" else 1.0
        track = gazing.head_movement(
            lexeme, amount * {"TILT": -side, "TURN": side}.get(lexeme, 1.0), count, start, stroke, end
        )
        self._heads.append(_HeadMove(start, end, track))
        times = {"start": start, "end": end}
        if moved > 0.02:
            return Feedback(b.id, "shifted", f"it was asked for {moved:.2f} s too late", times)
        return Feedback(b.id, "realised", times=times)

    def _add_gaze(self, b: Behaviour, sync: dict[str, float], now: float) -> Feedback:
        angles = gazing.parse_target(b.attributes.get("target", ""), self.controls.look_angles, GAZE_TARGETS)
        influence = b.attributes.get(
            "influence", "HEAD" if b.kind == "headDirectionShift" else "EYES"
        ).upper()
        asked = sync.get("start", sync.get("ready", now))
        start = max(asked, now)
        end = sync.get("end", sync.get("relax"))
        if b.kind == "gazeShift" and b.attributes.get("target", "") in ("camera", "home"):
            end = None
        self.gaze.add(start, end, angles, influence)
        if start - asked > 0.02:
            return Feedback(
                b.id, "shifted", f"it was asked for {start - asked:.2f} s too late", {"start": start}
            )
        return Feedback(b.id, "realised", times={"start": start})

    def _add_posture(self, b: Behaviour, sync: dict[str, float], now: float) -> Feedback:
        lexeme = b.attributes.get("lexeme", "NEUTRAL").upper()
        if lexeme == "INHALE":
            full = max(sync.get("end", sync.get("start", now) + 0.5), now + 0.3)
            self.breath.inhale(full, b.number("amount", 0.5))
            return Feedback(b.id, "realised", times={"end": full})
        if lexeme not in LEXEMES:
            raise DataError(f"unknown posture {lexeme!r}; choose one of: {', '.join(LEXEMES)}")
        start = max(sync.get("start", now), now)
        # A shift is over at its end and what it led to stays; a posture lasts until its end.
        lasts = b.kind == "posture"
        self.posture.add(
            lexeme, float(np.clip(b.number("amount", 0.5), 0, 1)), start, sync.get("end"), lasts=lasts
        )
        return Feedback(b.id, "realised", times={"start": start})

    def frames(self, first: int, last: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Frames ``first`` to ``last`` (not included); frame i is at i/60 s.

        Returns
        -------
        rotations
            (n, 55, 4) float32 unit quaternions wxyz, local, relative to the T-pose.
        root
            (n, 3) float32 world position of the hips, metres.
        """
        times = np.arange(first, last) / FPS
        if len(times) == 0:
            return np.zeros((0, 55, 4), np.float32), np.zeros((0, 3), np.float32)
        self._advance(last / FPS)
        rotations, root, eyes, _ = self.figure.pose(self._wishes(times))
        self._eyes = (first, last, eyes)
        return rotations.astype(np.float32), root.astype(np.float32)

    def eyes(self, first: int, last: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Azimuth (to the person's left) and elevation (n,) of the eyes in the head, degrees; lids follow them."""
        if self._eyes is None or self._eyes[:2] != (first, last):
            self.frames(first, last)
        if self._eyes is None or self._eyes[:2] != (first, last):
            return np.zeros(0), np.zeros(0)
        return self._eyes[2][:, 0], self._eyes[2][:, 1]

    def _wishes(self, times: NDArray[np.float64]) -> Wishes:
        m, life = self.manner, self.manner.life
        drift = life * self.drift(times)
        # Who speaks moves more, the more so the livelier they are (Hadar et al. 1983).
        talking = self._talking(times)[:, None]
        lively = 1 + 0.9 * self.controls.intensity * talking
        breath = self.breath(times)
        posture = self.posture(times)
        weight, lean, turn = posture[:, 0], posture[:, 1] + m.lean, posture[:, 2]
        unit = self.figure.unit

        def d(*names: str) -> NDArray[np.float64]:
            return drift[:, [_C[x] for x in names]]

        hands = np.stack([self.arms[s].hand(times) for s in _SIDES])
        step = 1 / FPS
        before = np.stack([self.arms[s].hand(times - step)[:, :3] for s in _SIDES])
        speeds = (hands[..., :3] - before) / step
        joining = self._joining(times, speeds)
        root = unit * d("root_x", "root_z")
        root[:, 0] += unit * (0.040 * weight - 0.0012 * joining[:, 2])
        root[:, 1] -= 0.0022 * unit * lean
        hips = lively * d("hips_pitch", "hips_yaw", "hips_roll")
        hips[:, 0] += 0.2 * lean
        hips[:, 1] += 0.35 * turn + 0.25 * joining[:, 1]
        hips[:, 2] += 2.6 * weight
        going = self.accompaniment(times)
        for k, side in enumerate(_SIDES):
            # Labelled gestures, hanging arms and touching hands leave less room for it.
            free = (
                (1 - 0.5 * self.arms[side].gesturing(times))
                * (1 - 0.85 * hands[k, :, 9])
                * (1 - hands[k, :, 10])
            )
            hands[k, :, :3] += free[:, None] * going[:, HANDS[k]]
            flick = rot.from_rotvec(np.radians(free[:, None] * going[:, TURNS[k]]))
            hands[k, :, 3:7] = rot.multiply(flick, hands[k, :, 3:7])
        hands[0, :, :3] += lively * d("hand_left_x", "hand_left_y", "hand_left_z")
        hands[1, :, :3] += lively * d("hand_right_x", "hand_right_y", "hand_right_z")
        spine = lively * d("spine_pitch", "spine_yaw", "spine_roll")
        spine[:, 0] += 0.8 * lean + m.slump
        spine[:, 1] += 0.65 * turn
        spine[:, 2] -= 3.4 * weight
        spine += joining + going[:, SPINE]
        head = (0.45 + 0.55 * talking) * d("head_pitch", "head_yaw", "head_roll")
        head[:, 0] += 0.4 * joining[:, 0]
        head[:, 1] += 0.2 * joining[:, 1]
        head += going[:, HEAD]
        towards = self.gaze.head(times)
        head[:, 0] += m.head - towards[:, 1] + 0.25 * (lean - m.lean)
        head[:, 1] += towards[:, 0]
        for move in self._heads:
            if move.start < times[-1] and move.end > times[0]:
                head += move.track(times)
        shoulders = (
            np.stack([d("shoulder_left")[:, 0], d("shoulder_right")[:, 0]]) + m.shoulders + 1.3 * breath
        )
        fingers = np.stack([self.arms[s].fingers(times) for s in _SIDES])
        curl = np.stack([d("curl_left"), d("curl_right")])
        fingers[..., [1, 2, 5, 6, 9, 10, 13, 14]] += curl * [1.0, 0.7, 1.1, 0.8, 1.3, 0.9, 1.2, 0.9]
        return Wishes(
            root,
            hips,
            spine,
            head,
            shoulders,
            breath,
            hands,
            speeds,
            fingers,
            self.gaze.directions(times),
            m.tension,
        )

    def _joining(self, times: NDArray[np.float64], speeds: NDArray[np.float64]) -> NDArray[np.float64]:
        """How the trunk takes part in what the hands do, degrees of pitch, yaw and roll (n, 3)."""
        # A little after the hands, so that nothing is foreseen.
        marks = self.figure.marks["left"]
        middle = [marks.shoulder[0], marks.heights["waist"], marks.depth + 0.3 * marks.arm]
        left, right = ((self.arms[s].hand(times - 0.05)[:, :3] - middle) / marks.arm for s in _SIDES)
        out = np.empty((len(times), 3))
        out[:, 0] = 2.2 * (left[:, 2] + right[:, 2]) - 1.4 * (left[:, 1] + right[:, 1])
        out[:, 1] = -8.0 * (left[:, 2] - right[:, 2]) + 7.0 * (left[:, 0] - right[:, 0])
        out[:, 2] = 2.6 * (left[:, 1] - right[:, 1])
        # Strokes are felt in the whole body: it dips with hands that come down.
        out[:, 0] -= 0.8 * (speeds[0, :, 1] + speeds[1, :, 1])
        return out

    def _talking(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) 1 while speaking, 0 while not."""
        out = self.accompaniment.talking(times)
        for start, end in self._speech:
            out = np.maximum(out, ease((times - start) / 0.5) * ease((end + 0.8 - times) / 0.8))
        return out

    def forget(self, before: float) -> None:
        """Drop what no frame from ``before`` seconds on needs."""
        for side, arm in self.arms.items():
            for item in arm.forget(before - 0.2):
                following = [x for x in arm.laid if x.timing.stroke > item.timing.stroke]
                self._over += _phases(item, side, following[0].timing.start if following else None)
        self.posture.forget(before)
        self.gaze.forget(before)
        self.breath.forget(before)
        self.accompaniment.forget(before)
        self._heads = [h for h in self._heads if h.end > before]
        self._speech = [s for s in self._speech if s[1] > before - 2]

    def phases(self) -> Tier:
        """Phases of all gestures so far: labels such as ``stroke WAVE_R``, value the gesture's amplitude."""
        rows = list(self._over)
        for side, arm in self.arms.items():
            for k, item in enumerate(arm.laid):
                rows += _phases(item, side, arm.laid[k + 1].timing.start if k + 1 < len(arm.laid) else None)
        return Tier("gestures", tuple(rows))


def _phases(item: Laid, side: str, until: float | None) -> list[Interval]:
    t = item.timing
    stop = np.inf if until is None else until
    name = f"{item.lexeme}_{side[0].upper()}"
    rows = [
        ("preparation", t.start, t.ready), ("pre-stroke hold", t.ready, t.stroke_start),
        ("stroke", t.stroke_start, t.stroke_end), ("post-stroke hold", t.stroke_end, min(t.relax, stop)),
        ("retraction", t.relax, min(t.end, stop)),
    ]  # fmt: skip
    if until is not None and 0 < until - t.relax < 0.5:
        rows[3:] = [("post-stroke hold", t.stroke_end, until)]
    return [Interval(a, b, f"{phase} {name}", item.amount) for phase, a, b in rows if b > a + 1e-6]
