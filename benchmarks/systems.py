"""How long trained systems take in the base install, by OpenVINO on the CPU.

"A window" is all that a system does for its own window of frames: listening, all steps, decoding; what it hears and the
noise are given. The network that ships is measured as it is. With PyTorch at hand (extra ``lab``) the published size is
built, with random weights, exported and measured the same way. "Speech to body" is `kn.perform` with the system, less
`kn.perform` without it, per second of speech.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks._measure import Figure
from benchmarks.performing import TEXT


def _figure(what: str, unit: str, runs: int, function: Callable[[], float], note: str = "") -> Figure:
    function()
    times = sorted(function() for _ in range(runs))
    return Figure(what, times[len(times) // 2], unit, times[0], times[-1], runs, note)


def _window(system: Any, networks: Any, steps: int) -> Callable[[], float]:
    """Seconds of one window of GestureLSM, by what its ``perform`` calls."""
    config = system.config
    audio = np.zeros((config.window * config.audio_rate // 30, 2), np.float32)
    words = np.zeros(config.window, np.int64)
    noise = np.zeros((1, 3, config.code, config.latents), np.float32)

    def once() -> float:
        begun = time.perf_counter()
        latents = system._window(noise, networks, audio, words, None, 0, steps, 1.0)
        networks["decode"](latents=latents)
        return 1000 * (time.perf_counter() - begun)

    return once


def _published() -> tuple[Any, Any] | None:
    """GestureLSM in its published size, by OpenVINO; None without PyTorch."""
    try:
        import torch
    except ImportError:
        return None
    from kinesics.lab.exporting import _onnx
    from kinesics.ports.network import load_network
    from kinesics.systems import find

    kind = find("gesturelsm")
    system = kind(kind.config_type.paper())
    torch.manual_seed(0)
    net, networks = system.network().eval(), {}
    with TemporaryDirectory() as folder:
        for name, graph in net.graphs().items():
            path = Path(folder) / f"{name}.onnx"
            path.write_bytes(_onnx(graph))
            networks[name] = load_network(path)
    return system, networks


def run(runs: int = 5) -> list[Figure]:
    """Rows of results."""
    import kinesics as kn
    from kinesics.systems import load_system

    rows = []
    system, networks = load_system("gesturelsm")
    rows.append(
        _figure(
            "GestureLSM as shipped, 128 frames, 2 steps",
            "ms",
            5 * runs,
            _window(system, networks, 2),
            "wanted: ≤ 40",
        )
    )
    if (found := _published()) is not None:
        size = sum(p.numel() for p in found[0].network().parameters()) / 1e6
        for steps in (2, 8):
            rows.append(
                _figure(f"GestureLSM in the published size, 128 frames, {steps} steps", "ms", runs, _window(*found, steps),
                        f"random weights; {size:.0f} M parameters")
            )  # fmt: skip
    heard = kn.speak(TEXT)
    given = {
        "audio": heard.speech,
        "words": heard.tier("words"),
        "phones": heard.tier("phones"),
        "progress": False,
    }

    def seconds(**options: Any) -> float:
        begun = time.perf_counter()
        kn.perform(**given, **options)
        return time.perf_counter() - begun

    rules = min(seconds() for _ in range(runs))
    for name in ("gesturelsm", "livelyspeaker", "camn"):

        def more(name: str = name) -> float:
            return heard.speech.duration / max(seconds(system=name) - rules, 1e-3)

        rows.append(
            _figure(f"speech to body by {name}", "× real time", runs, more, "beyond what the rules take")
        )

    def face() -> float:
        return heard.speech.duration / max(seconds(face="emote") - rules, 1e-3)

    rows.append(_figure("speech to face by emote", "× real time", runs, face, "beyond what the rules take"))
    return rows
