"""Train the two networks that label frames: ``src/kinesics/see/data/gesture_phases.onnx`` and ``head_events.onnx``.

    python scripts/train_event_networks.py [gesture_phases] [head_events] [--folder work] [--epochs 22]

Both learn from the stage alone, where every phase and nod is known: speakers (phases of gestures), and listeners
who nod, shake, tilt, turn, lift and lower their heads by plans drawn at random. Speakers teach what a nod is beside
a head that dips and rolls with the syllables: one that stands out from how the head goes all the time. What cameras and
trackers do is added: noise white and slow, gaps, other sizes and tempos, the mirror. Validation is on other
speakers; the page in ``docs/benchmarks`` measures on a third lot. What ships was trained for 22 epochs.
"""

from __future__ import annotations

import argparse
import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from kinesics.formats import kin
from kinesics.performance import Interval, Performance
from kinesics.see._clock import RATE, Clock
from kinesics.see._frame_network import AFTER, BEFORE, BLOCK
from kinesics.see.gesture_phases import PHASES, PLACES, SIDES, hand_features, places_of
from kinesics.see.head_events import EVENTS, head_angles
from kinesics.seeds import rng
from kinesics.stage.listeners import head_truth, listener
from kinesics.stage.speakers import make_speakers

OUT = Path(__file__).parents[1] / "src/kinesics/see/data"
SPEAKERS = {"train": (60, 4, 5101), "valid": (10, 3, 5202)}
"""Speakers, takes of each, seed."""
LISTENERS = {"train": (110, 6101), "valid": (16, 6202)}
LENGTH = 128  # frames that one example has labels for
IGNORED = -1
QUICK = 0.6  # arm lengths a second
Example = tuple[np.ndarray, np.ndarray]


class FrameNet(nn.Module):
    """Residual dilated convolutions without padding: 112 frames of the past and 16 of the future for each frame."""

    def __init__(self, features: int, classes: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(2 * features, width, 1)
        # (dilation, frames of the future)
        self.reach = [(1, 1), (2, 2), (4, 4), (8, 8), (16, 0), (32, 0)]
        self.wide = nn.ModuleList(nn.Conv1d(width, width, 3, dilation=d) for d, _ in self.reach)
        self.mix = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in self.reach)
        self.last = nn.Conv1d(width, classes, 1)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """(B, features, BEFORE + T + AFTER) to log-odds (B, classes, T)."""
        # Speeds beside places: what a difference of two frames is, no convolution needs to learn.
        x = torch.cat([frames[..., 1:-1], 7.5 * (frames[..., 2:] - frames[..., :-2])], dim=1)
        x = self.first(x)
        for (dilation, ahead), wide, mix in zip(self.reach, self.wide, self.mix, strict=True):
            y = mix(torch.relu(wide(x)))
            x = x[..., 2 * dilation - ahead : x.shape[-1] - ahead] + y
        return self.last(torch.relu(x))


class Exported(nn.Module):
    """The network with its odds made chances."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """(S, features, frames) to (S, classes, T)."""
        return torch.softmax(self.net(frames), dim=1)


def at_rate(values: np.ndarray, fps: float, tempo: float = 1.0) -> np.ndarray:
    """Frames at 30 per second, of the same movement ``tempo`` times as quick."""
    return Clock(fps * tempo).push(values)


def labels_of(
    intervals: list[Interval], classes: dict[str, int], count: int, tempo: float = 1.0
) -> np.ndarray:
    """(count,) class of every frame, 0 where no interval is."""
    out = np.zeros(count, np.int64)
    for i in intervals:
        a, b = (round(t / tempo * RATE) for t in (i.start, i.end))
        out[max(a, 0) : max(b, 0)] = classes[i.label]
    return out


def slow_noise(draw: np.random.Generator, shape: tuple[int, ...], size: float) -> np.ndarray:
    """Noise that lasts about a third of a second, of standard deviation ``size``."""
    out = draw.normal(0, 1, shape)
    for k in range(1, len(out)):
        out[k] = 0.9 * out[k - 1] + np.sqrt(1 - 0.81) * out[k]
    return size * out


# ---- gestures


def speakers(part: str, folder: Path) -> list[Performance]:
    """The stage's speakers of one part."""
    count, takes, seed = SPEAKERS[part]
    root = folder / part
    make_speakers(root, count, seed, takes=takes, seconds=15)
    return [kin.read(path) for path in sorted(root.glob("*/*.kin"))]


def gesture_takes(part: str, folder: Path) -> list[tuple[np.ndarray, list[list[Interval]]]]:
    """Places of the joints at 60 fps, and phases of the left and the right hand."""
    out = []
    for show in speakers(part, folder):
        hands = []
        for side in "LR":
            mine = [i for i in show.tier("gestures") if i.label.endswith(f"_{side}")]
            named = [(i, i.label.rpartition(" ")[0].split()[-1]) for i in mine]
            hands.append([Interval(i.start, i.end, name) for i, name in named])
        out.append((places_of(show.body), hands))
    return out


def gesture_example(
    take: tuple[np.ndarray, list[list[Interval]]], draw: np.random.Generator | None
) -> Iterator[Example]:
    """Features (F, T) and labels (T,) of each hand; changed as a camera would where ``draw`` is given."""
    places, hands = take
    tempo = 1.0 if draw is None else float(draw.uniform(0.8, 1.25))
    places = at_rate(places.reshape(len(places), -1), 60.0, tempo).reshape(-1, len(PLACES), 3)
    # Hands that go with speech, or from one rest to another, are labelled nothing; it is not taught that they rest.
    quick = RATE * np.linalg.norm(np.gradient(hand_features(places)[..., :3], axis=0), axis=-1) > QUICK
    if draw is not None:
        places = disturbed(places, draw)
    features = hand_features(places)
    if draw is not None:
        # Sizes of gestures: hands go further or less far from where they usually are.
        usual = features.mean(axis=0, keepdims=True)
        size = float(draw.uniform(0.7, 1.35))
        for columns in (slice(0, 4), slice(11, 14)):
            features[..., columns] = usual[..., columns] + size * (features - usual)[..., columns]
    classes = {n: k for k, n in enumerate(PHASES)}
    for k in range(2):
        labels = labels_of(hands[k], classes, len(features), tempo)
        labels[quick[:, k] & (labels == 0)] = IGNORED
        yield features[:, k].T, labels


def disturbed(places: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Places as landmarks give them: with noise of up to 2.5 cm, and gaps that are filled with straight ways."""
    size = float(draw.choice([0.0, draw.uniform(0.0, 0.01), draw.uniform(0.0, 0.025)]))
    # Smoothing upstream leaves slow noise: most of it moves a hand as a whole.
    shape = places.shape
    places = places + draw.normal(0, 0.5 * size, shape) + slow_noise(draw, shape, 0.6 * size)
    for k in range(2):
        own = [i for i, n in enumerate(PLACES) if n.startswith(SIDES[k]) and not n.endswith("UpperArm")]
        places[:, own] += slow_noise(draw, (len(places), 1, 3), 0.5 * size)
        if draw.random() < 0.4:
            for _ in range(int(draw.integers(1, 6))):
                a = int(draw.integers(0, max(1, len(places) - 20)))
                b = min(a + int(draw.integers(2, 15)), len(places) - 1)
                way = np.linspace(0, 1, b - a + 1)[:, None, None]
                places[a : b + 1, own] = places[a, own] + way * (places[b, own] - places[a, own])
    return places


# ---- heads


def head_takes(part: str, folder: Path) -> list[tuple[np.ndarray, list[Interval]]]:
    """Angles at 60 fps, and events."""
    count, seed = LISTENERS[part]
    silent = [listener(seed, n) for n in range(count)]
    return [
        (head_angles(show.body).values, list(head_truth(show.plan)))
        for show in (*silent, *speakers(part, folder))
    ]


def head_example(
    take: tuple[np.ndarray, list[Interval]], draw: np.random.Generator | None
) -> Iterator[Example]:
    """Features (3, T) and labels (T,)."""
    angles, events = take
    tempo = 1.0 if draw is None else float(draw.uniform(0.75, 1.35))
    angles = at_rate(angles, 60.0, tempo)
    labels = labels_of(events, {n: k for k, n in enumerate(EVENTS)}, len(angles), tempo)
    for i in events:  # too small to see
        if (i.value or 0) < 1.5:
            a, b = (round(t / tempo * RATE) for t in (i.start, i.end))
            labels[max(a, 0) : max(b, 0)] = IGNORED
    if draw is not None:
        angles = angles * float(draw.uniform(0.7, 1.5)) * np.where(draw.random() < 0.5, 1, [1, -1, -1])
        size = float(draw.choice([0.0, draw.uniform(0, 1.0)]))
        angles = (
            angles
            + draw.normal(0, size, angles.shape)
            + slow_noise(draw, angles.shape, float(draw.uniform(0, 0.8)))
        )
        angles = angles + draw.normal(0, [8, 10, 4])
    yield 0.1 * angles.T, labels


# ---- training


def padded(features: np.ndarray) -> np.ndarray:
    """With first and last frames repeated, as the reader does."""
    return np.pad(features, ((0, 0), (BEFORE, AFTER)), mode="edge")


def batches(
    takes: list, example: Callable, draw: np.random.Generator, size: int = 24
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Pieces of all takes once, changed anew, in random order."""
    pieces = []
    for take in takes:
        for features, labels in example(take, draw):
            full = padded(features)
            for first in range(int(draw.integers(0, LENGTH // 2)), len(labels) - LENGTH // 2, LENGTH):
                y = np.full(LENGTH, IGNORED)
                part = labels[first : first + LENGTH]
                y[: len(part)] = part
                x = full[:, first : first + BEFORE + LENGTH + AFTER]
                x = np.pad(x, ((0, 0), (0, BEFORE + LENGTH + AFTER - x.shape[1])), mode="edge")
                pieces.append((x.astype(np.float32), y))
    for k in range(0, len(pieces), size):
        if k == 0:
            draw.shuffle(pieces)
        some = pieces[k : k + size]
        yield (
            torch.from_numpy(np.stack([x for x, _ in some])),
            torch.from_numpy(np.stack([y for _, y in some])),
        )


def train(
    name: str, takes: dict[str, list], example: Callable, classes: int, width: int, epochs: int
) -> FrameNet:
    """Fit a network; print how well it does on the validation speakers after every epoch."""
    torch.manual_seed(0)
    draw = rng(0, "train", name)
    features = next(iter(example(takes["valid"][0], None)))[0].shape[0]
    net = FrameNet(features, classes, width)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-3)
    best, kept = -1.0, None
    for epoch in range(epochs):
        net.train()
        # Slowly at first, then fast, and down along a cosine.
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 if epoch == 0 else 1.5e-3 * (1 + np.cos(np.pi * epoch / epochs))
        total, count = 0.0, 0
        for x, y in batches(takes["train"], example, draw):
            loss = nn.functional.cross_entropy(net(x), y, ignore_index=IGNORED, label_smoothing=0.02)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            total, count = total + loss.item(), count + 1
        score, per = validated(net, takes["valid"], example, classes)
        print(
            f"{name} epoch {epoch}: loss {total / count:.3f}, macro F1 {score:.3f} {np.round(per, 2).tolist()}",
            flush=True,
        )
        if score > best:
            best, kept = score, {k: v.clone() for k, v in net.state_dict().items()}
    assert kept is not None
    net.load_state_dict(kept)
    return net.eval()


def validated(net: FrameNet, takes: list, example: Callable, classes: int) -> tuple[float, np.ndarray]:
    """Mean over the classes of the F1 of frames, and each."""
    net.eval()
    table = np.zeros((classes, classes))
    with torch.no_grad():
        for take in takes:
            for features, labels in example(take, None):
                x = torch.from_numpy(padded(features).astype(np.float32))[None]
                found = net(x)[0].argmax(0).numpy()
                np.add.at(table, (labels[labels >= 0], found[labels >= 0]), 1)
    per = 2 * table.diagonal() / np.maximum(table.sum(0) + table.sum(1), 1)
    return float(per.mean()), per


def export(net: FrameNet, name: str, streams: int, features: int) -> None:
    """Write the ONNX file, its window and number of streams fixed."""
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Exported(net).eval(), (torch.zeros(streams, features, BEFORE + BLOCK + AFTER),), out, input_names=["frames"],
            output_names=["chances"], opset_version=18, dynamo=False,
        )  # fmt: skip
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.onnx").write_bytes(out.getvalue())
    print(f"{name}.onnx: {len(out.getvalue()) / 1e3:.0f} kB")


def main() -> None:
    """Train what is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=["gesture_phases", "head_events"])
    parser.add_argument(
        "--folder", type=Path, default=Path("work/events"), help="where the speakers are kept"
    )
    parser.add_argument("--epochs", type=int, default=22)
    given = parser.parse_args()
    torch.set_num_threads(1)
    jobs = {
        "gesture_phases": (gesture_takes, gesture_example, len(PHASES), 40, 2, 14),
        "head_events": (head_takes, head_example, len(EVENTS), 32, 1, 3),
    }
    for name in given.names:
        takes_of, example, classes, width, streams, features = jobs[name]
        takes = {part: takes_of(part, given.folder) for part in SPEAKERS}
        net = train(name, takes, example, classes, width, given.epochs)
        export(net, name, streams, features)


if __name__ == "__main__":
    main()
