"""Make pictures of people who do not exist, find their landmarks, and train the networks that read faces from landmarks.

    kinesics fetch landmarks
    python scripts/train_face_reader.py --work FOLDER [--people 400] [--pictures 80] [--seed 52] [--jobs 2]

Writes ``src/kinesics/see/data/face_reader.onnx`` and ``.json`` (seed, hash of the pictures' landmarks, code version, errors on people kept out). Needs
the extras ``lab``, ``voice`` and ``video``. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
from pathlib import Path

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.see.face_shape import LOOKS

OUT = Path(__file__).parents[1] / "src" / "kinesics" / "see" / "data"
TAKES = 72
"""Performed takes whose moments everybody's face goes through."""


def takes(folder: Path, seed: int, speakers: range):
    """Performances of some speakers, kept in a folder."""
    from kinesics.formats import kin
    from kinesics.stage.acting import act
    from kinesics.stage.speakers import CONDITIONS, speaker
    from kinesics.stage.speech import script

    out = []
    for n in speakers:
        path = folder / f"take{n:03d}.kin"
        if not path.exists():
            emotion, level = CONDITIONS[(7 * n) % len(CONDITIONS)]
            text = script(seed, "reader", n, emotion=emotion, words=18)
            kin.write(act(speaker(seed, n), text, emotion=emotion, level=level), path)
        out.append(kin.read(path))
    return out


def pictures(job: tuple[Path, int, int, int]) -> None:
    """Landmarks, patches and truth of one person, kept as ``person###.npz``."""
    folder, seed, number, count = job
    path = folder / f"person{number:03d}.npz"
    if path.exists():
        return
    from kinesics.files import replacing
    from kinesics.see.landmarks import FaceMesh, _around, _turn
    from kinesics.seeds import rng
    from kinesics.stage.face_pictures import acted_poses, drawn_poses, shoot
    from kinesics.stage.identities import identity

    random = rng(seed, "reader", number)
    acted = 3 * count // 4
    poses = acted_poses(takes(folder, seed, range(TAKES)), acted, seed, number)
    poses += drawn_poses(count - acted, seed, number)
    poses = [poses[i] for i in random.permutation(count)]
    mesh, rows = FaceMesh(threads=1), []
    for picture in shoot(identity(seed, number), poses, seed, number, sets=8):
        # Where the tracker would look: around the points of the picture before, not quite these.
        around = _around(picture.mesh[:468], _turn(picture.mesh[33], picture.mesh[263], 0.0), 1.5)
        region = type(around)(
            around.x + around.size * random.normal(0, 0.02), around.y + around.size * random.normal(0, 0.02),
            around.size * float(np.exp(random.normal(0, 0.04))), around.turn + random.normal(0, 0.04),
        )  # fmt: skip
        found = mesh(picture.rgb, region)
        looks = (cut(picture.rgb, found.points) for cut in LOOKS.values())
        rows.append(
            (found.points, found.score, *looks, picture.face, picture.head, picture.gaze, picture.acted)
        )
    names = ("points", "score", *LOOKS, "face", "head", "gaze", "acted")
    with replacing(path) as file:
        np.savez(file, **{n: np.array(v) for n, v in zip(names, zip(*rows, strict=True), strict=True)})


def load(folder: Path, people: int):
    """Everybody's arrays, one row per picture, and a hash of what the detectors found."""
    digest, parts = hashlib.blake2b(digest_size=16), []
    for n in range(people):
        with np.load(folder / f"person{n:03d}.npz") as stored:
            part = {k: stored[k] for k in stored.files}
        for name in ("points", *LOOKS, "face"):
            digest.update(part[name].tobytes())
        part["person"] = np.full(len(part["points"]), n)
        parts.append(part)
    data = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    # Faces that the edge of the picture cuts in two are no use: the patch is black there.
    keep = (data["score"] > 0.5) & ((data["patch"] == 0).mean(axis=(1, 2)) < 0.15)
    return {k: v[keep] for k, v in data.items()}, digest.hexdigest()


def mirrored() -> np.ndarray:
    """(478,) which point is each one's mirror."""
    from kinesics.bodies.avatar import load_avatar
    from kinesics.bodies.mediapipe import on_head

    place = on_head(load_avatar("maya").vertices)
    from scipy.optimize import linear_sum_assignment

    pair = np.arange(478)
    apart = np.square((place[:468] * [-1, 1, 1])[:, None] - place[None, :468]).sum(axis=2)
    pair[:468] = linear_sum_assignment(apart)[1]
    pair[468:] = np.r_[np.arange(473, 478), np.arange(468, 473)]
    return pair


def other_side() -> np.ndarray:
    """(52,) which coefficient is each one's mirror."""
    swap = {"Left": "Right", "Right": "Left"}
    return np.array(
        [ARKIT.index(n[: -len(e)] + swap[e]) if (e := next((x for x in swap if n.endswith(x)), "")) else i
         for i, n in enumerate(ARKIT)]
    )  # fmt: skip


def prepare(data, seed: int):
    """What the network sees and should say, every picture and its mirror; and the template."""
    from kinesics.bodies.avatar import load_avatar
    from kinesics.bodies.mediapipe import on_head
    from kinesics.see.face_shape import angles, lay

    start = np.mean([on_head(load_avatar(n).vertices) for n in ("maya", "theo")], axis=0)
    start = start - start.mean(axis=0)
    template = (start / np.linalg.norm(start[33] - start[263])).astype(np.float32)
    calm = np.abs(data["face"]).sum(axis=1) < 1.2
    for _ in range(3):  # the template is the mean of what the detectors find on calm faces
        laid = lay(data["points"][calm], template)
        mean = laid.points.mean(axis=0)
        pair = mirrored()
        template = 0.5 * (mean + mean[pair] * np.array([-1, 1, 1], np.float32))
        template = (template / np.linalg.norm(template[33] - template[263])).astype(np.float32)
    laid = lay(data["points"], template)
    out = {
        "points": laid.points, "turn": angles(laid.turns), **{k: data[k] for k in LOOKS},
        "face": data["face"], "head": data["head"], "gaze": data["gaze"], "person": data["person"], "acted": data["acted"],
    }  # fmt: skip
    flip = {
        "points": laid.points[:, pair] * np.array([-1, 1, 1], np.float32),
        "turn": out["turn"] * np.array([1, -1, -1], np.float32), **{k: out[k][:, :, ::-1] for k in LOOKS},
        "face": out["face"][:, other_side()], "head": out["head"] * np.array([1, -1, -1], np.float32),
        "gaze": out["gaze"] * np.array([1, -1], np.float32), "person": out["person"] + 1000, "acted": out["acted"],
    }  # fmt: skip
    return {k: np.concatenate([out[k], flip[k]]) for k in out}, template


def neutrals(data, random, draws: int) -> dict[int, dict[str, np.ndarray]]:
    """Some guesses of everybody's neutral, ``draws`` of points and looks, as clips would give them: of few moments or of many."""
    from kinesics.see.face_network import CALM, EXPRESSIVE

    out = {}
    for person in np.unique(data["person"]):
        own = np.flatnonzero((data["person"] == person) & data["acted"])
        face = data["face"][own][:, list(EXPRESSIVE)]
        rows = []
        for _ in range(draws):
            some = random.choice(
                len(own), int(random.integers(min(12, len(own) - 1), len(own))), replace=False
            )
            active = face[some].sum(axis=1) * np.exp(random.normal(0, 0.15, len(some)))
            weight = np.exp(-(active - active.min()) / CALM)
            weight /= weight.sum()
            rows.append({k: np.tensordot(weight, data[k][own[some]], 1) for k in ("points", *LOOKS)})
        out[int(person)] = {k: np.array([r[k] for r in rows], np.float32) for k in rows[0]}
    return out


def built_otherwise(now, calm, random):
    """Looks and points of people who are built otherwise than those of the stage: parts lie higher, lower or farther apart.

    What is so when the person is calm is so now, too. Brows are put some 3 mm (1 SD; ours) higher or lower than their eyes' distance tells, a third of
    what raising them does: where the person's neutral is not known, nobody can tell these apart.
    """
    import torch

    count = len(now["eyes"])

    def drawn(spread):
        return torch.from_numpy(random.normal(0, spread, (count, 1)).astype(np.float32))

    raised = drawn(2.2).clip(-5, 5)
    for name in LOOKS:
        row = torch.arange(48.0)[None]
        row = 24 + (row - 24) * (0.05 * drawn(1.0)).exp() + drawn(0.8)
        if name == "eyes":  # rows 22 to 30: between the brows and the lids
            row = row + raised * ((30 - row) / 8).clip(0, 1)
        row = row.clip(0, 46.99)
        low = row.floor()
        share, low = (row - low)[:, :, None], low.long()
        for looks in (now, calm):
            wide = looks[name].shape[2]
            one, two = (looks[name].gather(1, (low + k)[:, :, None].expand(-1, -1, wide)) for k in (0, 1))
            looks[name] = torch.lerp(one, two, share)
    # Rows that are sampled lower down show brows that lie higher; landmarks follow brows by some half.
    way = torch.zeros(count, 478, 3)
    way[:, list(BROWS), 1] = (
        raised * torch.from_numpy(random.uniform(0.3, 0.9, (count, 1)).astype(np.float32)) / 67
    )
    now["points"], calm["points"] = now["points"] + way, calm["points"] + way


def otherwise(patch, blank, random):
    """Patches and those of the neutral as another camera might give them: light, contrast, sharpness, place and noise; hands hide some of the first."""
    import torch

    count = len(patch)

    def drawn(spread):
        return torch.from_numpy(random.normal(0, spread, (count, 1, 1)).astype(np.float32))

    bend = drawn(0.2).exp()
    patch, blank = (255 * (p.clip(0, 255) / 255) ** bend for p in (patch, blank))
    # Light falls from a side that is not the neutral's, too.
    slope = (
        drawn(8.0) * torch.linspace(-1, 1, patch.shape[2])
        + drawn(8.0) * torch.linspace(-1, 1, patch.shape[1])[:, None]
    )
    gain, lift = drawn(0.25), drawn(12.0)
    out, blank = patch * gain.exp() + lift + slope, blank * gain.exp() + lift
    soft = 0.25 * sum(torch.roll(out, way, axis) for way in (-1, 1) for axis in (1, 2))
    out = torch.lerp(out, soft, torch.from_numpy(random.random((count, 1, 1)).astype(np.float32)))
    out = torch.roll(out, tuple(random.integers(-1, 2, 2).tolist()), (1, 2))
    covered = np.flatnonzero(random.random(count) < COVERED)
    if len(covered):
        way = random.uniform(0, 2 * np.pi, (len(covered), 1, 1))
        y, x = (np.linspace(-1, 1, n) for n in patch.shape[1:])
        off = np.cos(way) * x[None, None] + np.sin(way) * y[None, :, None] - random.uniform(0, 1, way.shape)
        over = torch.from_numpy(np.clip(8 * off + 0.5, 0, 1).astype(np.float32))
        tone = out[covered].mean((1, 2), keepdim=True) + 30 * drawn(1.0)[covered]
        out[covered] = torch.lerp(out[covered], tone.expand_as(over), over)
    return out + 4 * torch.randn_like(out), blank


def behind_glasses(eyes, calm, random):
    """Eyes of which some look through the rims of glasses, which are there when the person is calm, too."""
    import torch

    worn = np.flatnonzero(random.random(len(eyes)) < GLASSES)
    if not len(worn):
        return eyes, calm

    def drawn(low, high):
        return torch.from_numpy(random.uniform(low, high, (len(worn), 1, 1)).astype(np.float32))

    down, across = torch.meshgrid(torch.arange(48.0), torch.arange(96.0), indexing="ij")
    apart, wide, high, level = drawn(20, 24), drawn(14, 20), drawn(10, 16), drawn(28, 36)
    thick, tone, power = drawn(0.05, 0.16), drawn(0, 255), drawn(2, 4)
    bridge = ((down - level + 3).abs() < 1.2) & ((across - 47.5).abs() < apart - wide)
    for pictures, slip in ((eyes, random.normal(0, 0.7)), (calm, 0.0)):
        away = (
            (((across - 47.5).abs() - apart).abs() / wide) ** power
            + ((down - level - slip).abs() / high) ** power
        ) ** (1 / power)
        rim = torch.sigmoid((thick - (away - 1).abs()) / 0.02)
        pictures[worn] = torch.lerp(pictures[worn], tone.expand(-1, 48, 96), torch.maximum(rim, 0.9 * bridge))
    return eyes, calm


def reader(mean, spread):
    """The network; ``mean`` and ``spread`` are those of the chosen points, laid out."""
    import torch
    from torch import nn

    def even(patch):
        middle = patch.mean((1, 2), keepdim=True)
        return (patch - middle) / ((patch - middle).square().mean((1, 2), keepdim=True) + 25.0).sqrt()

    def looking(widths, out, times=1):
        layers = []
        for one, next_ in zip((2, *widths[:-1]), widths, strict=True):
            layers += [nn.Conv2d(one, next_, 3, 2, 1), nn.GELU()]
        side = 48 >> len(widths)
        return nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(times * widths[-1] * side * side, out), nn.GELU()
        )

    class Reader(nn.Module):
        """Points and looks, and all of these as they are when the person is calm, to 52 coefficients, pose and gaze."""

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("chosen", torch.tensor(CHOSEN))
            self.register_buffer("mean", mean)
            self.register_buffer("spread", spread)
            self.looks = nn.ModuleDict(
                {"patch": looking((12, 24, 32), 48), "mouth": looking((16, 32, 48, 64), 96),
                 "eyes": looking((16, 32, 48, 64), 128, 2)}
            )  # fmt: skip
            width = 2 * len(mean) + 3 + 48 + 96 + 128
            self.first, self.second = nn.Linear(width, 256), nn.Linear(256, 192)
            rest = [i for i in range(57) if i not in AIMED]
            self.straight, self.last = nn.Linear(width, len(rest)), nn.Linear(192, len(rest))
            # Eyes of stage people are painted, and what their pixels tell of where they look leads astray on real ones.
            self.aimed = nn.Sequential(
                nn.Linear(2 * len(mean) + 3, 160), nn.GELU(), nn.Dropout(0.15), nn.Linear(160, len(AIMED))
            )
            self.register_buffer("order", torch.argsort(torch.tensor([*rest, *AIMED])))
            self.drop = nn.Dropout(0.15)
            nn.init.zeros_(self.straight.weight)

        def forward(self, seen, calm, turn):
            x, b = (v["points"].index_select(1, self.chosen).flatten(1) for v in (seen, calm))
            with torch.autocast("cpu", torch.bfloat16, enabled=self.training):  # twice as fast
                looked = [
                    net(torch.stack([even(seen[k]), even(calm[k])], 1)) for k, net in self.looks.items()
                ]
            if self.training:  # hands, glasses and shadows hide what is looked at
                looked = [v.float() * (torch.rand(len(v), 1) > HIDDEN) / (1 - HIDDEN) for v in looked]
            way = (x - b) / (0.6 * self.spread)
            both = torch.cat([(x - self.mean) / self.spread, way, turn / 30, *looked], 1)
            hidden = nn.functional.gelu(self.first(self.drop(both)))
            hidden = nn.functional.gelu(self.second(self.drop(hidden)))
            aimed = self.aimed(self.drop(both[:, : self.aimed[0].in_features]))
            out = torch.cat([self.last(hidden) + self.straight(both), aimed], 1).index_select(1, self.order)
            return out[:, :52], out[:, 52:55] * 30 + turn, out[:, 55:] * 30

    return Reader()


def train(data, template: np.ndarray, seed: int, epochs: int, held: int):
    """The network, the mean patches, and its readings of the people of number ``held`` and above, whom it does not see."""
    import torch
    from torch import nn

    from kinesics.seeds import rng

    torch.manual_seed(seed)
    random = rng(seed, "reader", "training")
    seen = (data["person"] % 1000) < held
    stored = {k: torch.from_numpy(np.ascontiguousarray(data[k])) for k in ("points", *LOOKS)}
    turn = torch.from_numpy(data["turn"])
    aim = torch.from_numpy(
        np.concatenate([data["face"], data["head"] / 30, data["gaze"] / 30], axis=1)
    ).float()
    own = stored["points"][seen][:, list(CHOSEN)].flatten(1)
    net = reader(own.mean(0), own.std(0) + 2e-3)
    mean_net = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    )
    steps = epochs * (int(seen.sum()) // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=0.05)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1.5e-3, total_steps=steps + 1)
    heavy = torch.ones(52)
    heavy[SPOKEN] = 2
    guesses = neutrals(data, random, 12)
    plain = {"points": torch.from_numpy(template)} | {k: stored[k][seen].float().mean(0) for k in LOOKS}

    def neutral(rows, draw):
        """The neutrals of some rows."""
        picked = [(guesses[int(p)], k) for p, k in zip(data["person"][rows], draw, strict=True)]
        return {name: torch.from_numpy(np.stack([g[name][k] for g, k in picked])) for name in plain}

    own, done = np.flatnonzero(seen), 0
    while done < steps:
        order = random.permutation(own)
        for i in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[i : i + BATCH]
            calm, now = (
                neutral(rows, random.integers(12, size=BATCH)),
                {k: v[rows] for k, v in stored.items()},
            )
            # Somebody else's face does the same: more people than there are.
            lent = torch.from_numpy(random.random(BATCH) < LENT)[:, None, None]
            other = torch.roll(calm["points"], 1, 0)
            now["points"] = torch.where(lent, now["points"] - calm["points"] + other, now["points"])
            calm["points"] = torch.where(lent, other, calm["points"])
            now |= {k: now[k].float() for k in LOOKS}
            built_otherwise(now, calm, random)
            now["points"] = now["points"] + 0.002 * torch.randn(BATCH, 478, 3)
            unknown = torch.from_numpy(random.random(BATCH) < UNKNOWN)
            for k, nobody in plain.items():
                calm[k][unknown] = nobody
            for k in LOOKS:
                now[k], calm[k] = otherwise(now[k], calm[k], random)
            now["eyes"], calm["eyes"] = behind_glasses(now["eyes"], calm["eyes"], random)
            face, head, gaze = net(now, calm, turn[rows])
            want = aim[rows]
            # Poses that nobody performs widen what can be read, but faces are mostly performed.
            weight = torch.from_numpy(np.where(data["acted"][rows], 1.0, 0.7).astype(np.float32))[:, None]
            weight = weight * heavy
            # Nearly the absolute error: most coefficients are at rest most of the time.
            loss = (
                2
                * (
                    weight * nn.functional.smooth_l1_loss(face, want[:, :52], beta=0.02, reduction="none")
                ).mean()
            )
            loss = loss + nn.functional.smooth_l1_loss(head / 30, want[:, 52:55], beta=0.05)
            loss = loss + nn.functional.smooth_l1_loss(gaze / 30, want[:, 55:], beta=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            plan.step()
            mean_net.update_parameters(net)
            done += 1
        if done // (steps // 8 + 1) != (done - len(order) // BATCH) // (steps // 8 + 1):
            print(f"step {done} of {steps}: loss {loss.item():.4f}", flush=True)
    net = mean_net.module.eval()
    test = np.flatnonzero(~seen & (data["person"] < 1000))
    with torch.no_grad():
        # As on a first pass, when nothing is known of the person.
        calm = {k: v.expand(len(test), *v.shape) for k, v in plain.items()}
        now = {k: v[test].float() for k, v in stored.items()}
        face, head, gaze = (v.numpy() for v in net(now, calm, turn[test]))
    return (
        net,
        {k: v.numpy() for k, v in plain.items()},
        {"face": face.clip(0, 1), "head": head, "gaze": gaze},
        test,
    )


COVERED = 0.1
"""Share of the looks of which a hand hides a part."""
AIMED = (*(i for i, n in enumerate(ARKIT) if n.startswith("eyeLook")), 55, 56)
"""Columns of 52 coefficients, head and gaze that tell where eyes look."""
SPOKEN = [ARKIT.index(n) for n in ("jawOpen", "mouthClose")]
"""Coefficients that count twice."""
HIDDEN = 0.08
"""Share of the looks that are not there."""
GLASSES = 0.15
"""Share of the faces that wear glasses."""
UNKNOWN = 0.5
"""Share of the pictures whose person's neutral is not told."""
LENT = 0.3
"""Share of the pictures whose movement is put on somebody else's neutral."""
BATCH = 128
LIPS = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375, 78, 191, 80, 81, 82, 13, 312, 311,
    310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324,
)  # fmt: skip
EYES = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 263, 249, 390, 373, 374, 380, 381, 382, 362,
    466, 388, 387, 386, 385, 384, 398, *range(468, 478), 27, 257, 23, 253,
)  # fmt: skip
BROWS = (
    70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285,
)  # fmt: skip
FOREHEAD = 9, 8, 151, 108, 337, 69, 299
CHEEKS = (
    50, 280, 205, 425, 187, 411, 207, 427, 36, 266, 101, 330, 117, 346, 118, 347, 119, 348, 216, 436, 212, 432, 206, 426, 203, 423,
    192, 416, 147, 376, 213, 433,
)  # fmt: skip
NOSE_AND_JAW = (
    1, 2, 4, 5, 6, 168, 48, 278, 98, 327, 64, 294, 129, 358, 49, 279, 152, 148, 377, 176, 400, 149, 378, 150, 379, 136, 365, 172,
    397, 58, 288, 18, 200, 199, 175, 43, 273, 202, 422, 234, 454, 10,
)  # fmt: skip
CHOSEN = tuple(sorted({*LIPS, *EYES, *BROWS, *FOREHEAD, *CHEEKS, *NOSE_AND_JAW}))
"""Points that the network looks at; the others move with these."""


def export(net, template: np.ndarray, plain: dict[str, np.ndarray], card: dict) -> None:
    """The ONNX file, whose coefficients are clipped to 0-1, and its card."""
    import torch

    from kinesics.files import replacing

    class Clipped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, turn, *given):
            half = len(given) // 2
            seen = dict(zip(plain, given[:half], strict=True))
            calm = {k: v.expand_as(seen[k]) for k, v in zip(plain, given[half:], strict=True)}
            face, head, gaze = self.net(seen, calm, turn)
            return face.clamp(0, 1), head, gaze

    OUT.mkdir(exist_ok=True)
    shapes = ((2, 3), *((2, *v.shape) for v in plain.values()), *((1, *v.shape) for v in plain.values()))
    names = ["turn", *plain, *(f"{k}_neutral" for k in plain)]
    torch.onnx.export(
        Clipped().eval(), tuple(torch.zeros(*s) for s in shapes), OUT / "face_reader.onnx", input_names=names,
        output_names=["face", "head", "gaze"], opset_version=17, dynamo=False,
        dynamic_axes={n: {0: "time"} for n in ("turn", *plain, "face", "head", "gaze")},
    )  # fmt: skip
    card |= {k: np.round(plain[k]).astype(int).tolist() for k in LOOKS}
    card["template"] = np.round(template, 5).tolist()
    with replacing(OUT / "face_reader.json") as file:
        file.write((json.dumps(card) + "\n").encode())


def main() -> None:
    """Pictures, then training, then the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--pictures", type=int, default=80)
    parser.add_argument("--seed", type=int, default=52)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--only", choices=("pictures", "training"))
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    takes(given.work, given.seed, range(TAKES))
    jobs = [(given.work, given.seed, n, given.pictures) for n in range(given.people)]
    if given.only != "training":
        with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
            for done, _ in enumerate(pool.imap_unordered(pictures, jobs)):
                print(f"{done + 1} of {len(jobs)} people", flush=True)
    if given.only == "pictures":
        return
    import kinesics
    from kinesics.see.face_network import reliability

    raw, digest = load(given.work, given.people)
    data, template = prepare(raw, given.seed)
    held = given.people - max(given.people // 12, 1)
    net, plain, read, test = train(data, template, given.seed, given.epochs, held)
    for kind, some in (("performed", data["acted"][test]), ("drawn", ~data["acted"][test])):
        a, b = data["face"][test][some], read["face"][some]
        moving = np.argsort(-a.std(axis=0))[:20]
        r = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in moving]
        still = np.abs(a - np.median(a, axis=0)).mean()
        print(f"{kind}: error {np.abs(a - b).mean() / still:.3f} of the best constant's, median r {np.median(r):.3f}, gaze",
              np.abs(read["gaze"][some] - data["gaze"][test][some]).mean(axis=0).round(2))  # fmt: skip
    face, away = data["face"][test], np.abs(read["face"] - data["face"][test])
    best = np.abs(face - np.median(data["face"][data["person"] % 1000 < held], axis=0))
    moving = np.argsort(-face.std(axis=0))[:20]
    r = [float(np.corrcoef(face[:, i], read["face"][:, i])[0, 1]) for i in moving]
    head = np.abs(read["head"] - data["head"][test]).mean(axis=0)
    gaze = np.abs(read["gaze"] - data["gaze"][test]).mean(axis=0)
    errors = {
        "people": given.people - held, "mae": float(away.mean()), "mae of the best constant": float(best.mean()),
        "median r of the 20 that move most": float(np.median(r)), "head degrees": head.round(2).tolist(), "gaze degrees": gaze.round(2).tolist(),
    }  # fmt: skip
    print(json.dumps(errors, indent=1))
    card = {
        "seed": given.seed, "people": given.people, "pictures": given.pictures, "epochs": given.epochs, "corpus": digest,
        "kinesics": kinesics.__version__, "licence": "Apache-2.0", "held_out": errors,
        "reliability": {
            "units": reliability(face, read["face"]),
            "head": round(float(np.exp(-head.mean() / 15)), 3), "gaze": round(float(np.exp(-gaze.mean() / 15)), 3),
        },
    }  # fmt: skip
    export(net, template, plain, card)


if __name__ == "__main__":
    main()
