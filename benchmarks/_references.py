"""Clips of real speech with independent phone times, and the readers of their label formats."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from kinesics.performance import Interval


@dataclass(frozen=True)
class Clip:
    """One clip: 16 kHz sound, what is said, reference phones in seconds."""

    name: str
    samples: np.ndarray
    transcript: str
    phones: tuple[Interval, ...]

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / 16000


def read_textgrid(path: Path) -> dict[str, list[Interval]]:
    """Tiers of a Praat TextGrid, long or short form: the numbers and strings are read in order."""
    text = path.read_text(encoding="utf-8")
    values = re.findall(
        r'"((?:[^"]|"")*)"|<exists>|(?<![\w\["])(-?\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w\]:])', text
    )
    flat: list[str | float] = [float(n) if n else s for s, n in values]
    k = next(i for i, v in enumerate(flat) if v == "IntervalTier")
    tiers: dict[str, list[Interval]] = {}
    while k < len(flat):
        name, count = str(flat[k + 1]), int(flat[k + 4])
        rows = flat[k + 5 : k + 5 + 3 * count]
        tiers[name] = [
            Interval(float(a), float(b), str(label).strip())
            for a, b, label in zip(rows[::3], rows[1::3], rows[2::3], strict=True)
        ]
        k += 5 + 3 * count
    return tiers


def read_hts_label(path: Path) -> list[Interval]:
    """Phones of an HTS full-context label file (times in 100 ns)."""
    found = []
    for line in path.read_text().splitlines():
        a, b, label = line.split()
        phone = re.search(r"-([a-z]+)\+", label) or re.match(r"x\^x-([a-z]+)", label)
        assert phone is not None, line
        found.append(Interval(int(a) / 1e7, int(b) / 1e7, phone[1].upper().replace("PAU", "SIL")))
    return found


def _sound(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 16000, path
    return samples


def development(shared: Path) -> list[Clip]:
    """The MFA and ARCTIC clips of free-speech: everything here was chosen while looking at these."""
    folder = shared / "free-speech"
    with (folder / "transcripts.tsv").open(encoding="utf-8") as file:
        said = {row["file"]: row["transcript"] for row in csv.DictReader(file, delimiter="\t")}
    clips = []
    for name in ("mfa_acoustic_corpus", "mfa_cold_corpus"):
        tiers = read_textgrid(folder / "align" / f"{name}.TextGrid")
        clips.append(
            Clip(name, _sound(folder / "wav" / f"{name}.wav"), said[f"{name}.wav"], tuple(tiers["phones"]))
        )
    phones = tuple(read_hts_label(folder / "align" / "arctic_a0009_phone.lab"))
    clips.append(
        Clip("arctic_a0009", _sound(folder / "wav" / "arctic_a0009.wav"), said["arctic_a0009.wav"], phones)
    )
    return clips


def held_out(shared: Path) -> list[Clip]:
    """Public talks of nc-speech_textgrid (research only): scored at the end, never looked at before."""
    folder = shared / "nc-speech_textgrid"
    clips = []
    for path in sorted(folder.glob("*.TextGrid")):
        tiers = read_textgrid(path)
        name = next(n for n in tiers if "phone" in n.lower())
        words = next(n for n in tiers if "word" in n.lower())
        text = " ".join(w.label for w in tiers[words] if w.label and not w.label.startswith("<"))
        clips.append(Clip(path.stem, _sound(path.with_suffix(".wav")), text, tuple(tiers[name])))
    for path in sorted(folder.glob("*.phonemes.json")):
        entries = json.loads(path.read_text())
        phones, words = [], []
        for entry in entries:
            if entry["word"].lower() not in ("sil", "sp", "<eps>", "<unk>", ""):
                words.append(entry["word"])
            phones += [Interval(p["bg"] / 100, p["ed"] / 100, p["ph"]) for p in entry["phones"]]
        clips.append(
            Clip(
                path.name.split(".")[0],
                _sound(folder / (path.name.split(".")[0] + ".wav")),
                " ".join(words),
                tuple(phones),
            )
        )
    return clips
