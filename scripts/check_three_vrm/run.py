"""Compare what @pixiv/three-vrm shows with what a performance says, in headless Chromium.

    cd scripts/check_three_vrm && npm install && npm run build
    python run.py talk.kin --model talk.vrm someone.vrm --clip talk.vrma --out pictures/
    python run.py talk.kin --model baked.vrm --out pictures/

With ``--clip`` the VRM animation is played on every model; without it the animation inside the models. Prints, at
some moments of the performance, the greatest difference of the bones' local rotations (clip) or world rotations
and places (inside), of the gaze, of expressions and morphs; writes pictures of body and face. Needs playwright
and a Chromium.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from kinesics import formats
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.export import face_for_export
from kinesics.bodies.humanoid import INDEX
from kinesics.formats._vrm_face import EMOTIONS, presets_of
from kinesics.formats._vrm_pose import gaze_of
from kinesics.geometry import rotations as rot
from kinesics.performance import Performance

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from screenshot import FLAGS, find_browser  # noqa: E402


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve a folder without a line for each request."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def wxyz(q: list[float], *, old: bool = False) -> np.ndarray:
    """three.js's x y z w; a 0.x model's are seen from behind."""
    x, y, z, w = q
    return np.array([w, -x, y, -z] if old else [w, x, y, z])


def compare(
    page: Any, show: Performance, model: Path, clip: Path | None, times: np.ndarray
) -> dict[str, float]:
    """Greatest differences over ``times``: degrees, metres, levels."""
    info = page.evaluate("([m, c]) => window.check.open(m, c)", [model.name, clip.name if clip else None])
    old = info["version"] == "0"
    worst: dict[str, float] = {}

    def note(what: str, value: Any) -> None:
        worst[what] = max(worst.get(what, 0.0), float(value))

    body = (show if clip else formats.load(model)).body
    places, world = body.skeleton.forward(body.rotations.astype(float), body.root.astype(float))
    with tempfile.TemporaryDirectory() as folder:
        # What our own writer makes of the gaze, through the model's range maps.
        show.save(Path(folder) / "baked.vrm", avatar=model)
        eyes = formats.load(Path(folder) / "baked.vrm").body if "body" in show else body
    face = face_for_export(show.face, show.body) if "face" in show else None
    levels = presets_of(face) if face else {}
    rest = formats.load(model).body.skeleton.offsets[0]
    heights = float(rest[1]), float(show.body.skeleton.offsets[0, 1])
    for time in times:
        frame = round((time - body.start) * float(body.fps))
        seen = page.evaluate("t => window.check.at(t)", float(time))
        for name, bone in seen["bones"].items():
            j = INDEX[name]
            if clip is None:
                note("world rotation, degrees", np.degrees(rot.angle(wxyz(bone["turn"]), world[frame, j])))
                note("place, mm", 1000 * np.abs(np.array(bone["place"]) - places[frame, j]).max())
            elif "Eye" in name:
                theirs = wxyz(bone["local"], old=old)
                note(
                    "eye bones, degrees",
                    np.degrees(rot.angle(theirs, eyes.rotations[frame, j].astype(float))),
                )
            else:
                mine = body.rotations[frame, j].astype(float)
                note("local rotation, degrees", np.degrees(rot.angle(wxyz(bone["local"], old=old), mine)))
        if clip is not None:
            hips = np.array(seen["bones"]["hips"]["place"])
            if min(heights) > 0.05:
                note("hips, mm", 1000 * np.abs(hips - body.root[frame] * heights[0] / heights[1]).max())
            azimuth, elevation = (float(a[frame]) for a in gaze_of(body))
            if seen["gaze"]:
                note("gaze, degrees", max(abs(seen["gaze"][0] - azimuth), abs(seen["gaze"][1] + elevation)))
        if face is None:
            continue
        row = face.values[round((time - face.start) * float(face.fps))]
        here = round((time - face.start) * float(face.fps))
        for name, level in seen["expressions"].items():
            if name in ARKIT:
                note("custom expressions", abs(level - np.clip(row[ARKIT.index(name)], 0, 1)))
            elif name in levels and name not in EMOTIONS:
                note("preset expressions", abs(level - levels[name][here]))
        for names, weights in seen["morphs"].values():
            for name, weight in zip(names, weights, strict=True):
                if name in ARKIT:
                    note("morphs", abs(weight - np.clip(row[ARKIT.index(name)], 0, 1)))
    return worst


def main() -> None:
    """Run the check from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("performance", type=Path)
    parser.add_argument("--model", type=Path, nargs="+", required=True)
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--times", type=int, default=8, help="how many moments")
    parser.add_argument("--out", type=Path, help="folder for pictures")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    show = formats.load(options.performance)
    # On frames, so that nothing is interpolated.
    frames = np.linspace(1, len(show.body) - 2, options.times).round()
    times = show.body.start + frames / float(show.body.fps)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        for file in (HERE / "index.html", HERE / "page.bundle.js", *options.model, options.clip):
            if file is not None:
                shutil.copy(file, folder)
        handler = functools.partial(Quiet, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = play.chromium.launch(executable_path=find_browser(), args=FLAGS)
        for model in options.model:
            page = browser.new_page(viewport={"width": 480, "height": 560})
            page.on(
                "console", lambda m: print("   page:", m.text) if m.type in ("error", "warning") else None
            )
            page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
            page.wait_for_function("window.check")
            found = compare(page, show, model, options.clip, times)
            print(model.name, f"+ {options.clip.name}" if options.clip else "(its own animation)")
            for what, value in found.items():
                print(f"   {what:28s} {value:.6f}")
            if options.out:
                options.out.mkdir(parents=True, exist_ok=True)
                for k, time in enumerate(times[:: max(1, len(times) // 3)]):
                    page.evaluate("t => window.check.at(t)", float(time))
                    for view in ("body", "face"):
                        page.evaluate("v => window.check.look(v)", view)
                        kind = "clip" if options.clip else "own"
                        page.screenshot(path=options.out / f"{model.stem}_{kind}_{k}_{view}.png")
            page.close()
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
