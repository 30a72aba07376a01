"""Look at a performance: screenshots at given times and views, and one contact sheet of them.

    python scripts/screenshot.py talk.glb --times 0.5 1.0 1.5 --view full --out sheet.png
    python scripts/screenshot.py talk.glb --every 0.25 --view upper face --out sheet.png
    python scripts/screenshot.py talk.glb --times 1.2 --azimuth 0 45 90 --out turn.png
    python scripts/screenshot.py talk.glb --times 1.2 --page --size 1400x900 --out page.png

Opens the file in the viewer once, in a headless Chromium, then seeks and shoots: about 0.3 s a
picture on two cores. Needs playwright and pillow (`pip install playwright pillow`) and a Chromium
on the PATH.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]


def find_browser() -> str | None:
    """Path of a Chromium on this machine, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextlib.contextmanager
def opened(
    source: str | Path | bytes,
    *,
    size: tuple[int, int] = (480, 640),
    page: bool = False,
    light: bool = False,
    tone: str = "neutral",
) -> Iterator[Any]:
    """Open a performance in the viewer and give the playwright page, ready and paused.

    Parameters
    ----------
    source
        Path or content of a GLB or VRM file.
    size
        Width and height of the picture in pixels.
    page
        Keep the page's controls and tiers in the picture.
    light
        Use the page's light colours.
    tone
        Tone mapping, ``neutral`` or ``aces``.

    Yields
    ------
    playwright.sync_api.Page
    """
    from playwright.sync_api import sync_playwright

    from kinesics.studio import view

    browser_path = find_browser()
    if browser_path is None:
        raise SystemExit(f"no Chromium found: put one of {', '.join(BROWSERS)} on the PATH")
    with view(source, block=False, open_browser=False) as viewer, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        try:
            # Without transitions: a picture must not catch a caption halfway.
            sheet = browser.new_page(
                viewport={"width": size[0], "height": size[1]},
                reduced_motion="reduce",
                color_scheme="light" if light else "dark",
            )
            sheet.goto(f"{viewer.url}?paused=1&tone={tone}{'' if page else '&clean=1'}")
            sheet.evaluate("window.kinesics.ready")
            yield sheet
        finally:
            browser.close()


def shoot(
    page: Any, moment: float, view: str, *, azimuth: float = 0.0, elevation: float | None = None
) -> Image:
    """Take the picture of one moment (seconds) in one view, from a side (degrees)."""
    from PIL import Image

    turn = {"azimuth": azimuth} | ({} if elevation is None else {"elevation": elevation})
    page.evaluate(
        "async ([t, view, turn]) => { await window.kinesics.seek(t); await window.kinesics.view(view, turn); }",
        [moment, view, turn],
    )
    return Image.open(io.BytesIO(page.screenshot(type="png"))).convert("RGB")


def contact_sheet(pictures: list[tuple[str, Image]], *, columns: int | None = None) -> Image:
    """Lay pictures out in rows, each with its caption."""
    from PIL import Image, ImageDraw

    wide, high = pictures[0][1].size
    columns = columns or min(len(pictures), max(1, 2400 // wide))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (wide + 4) - 4, rows * (high + 20)), "#101318")
    draw = ImageDraw.Draw(sheet)
    for index, (caption, picture) in enumerate(pictures):
        x, y = index % columns * (wide + 4), index // columns * (high + 20)
        sheet.paste(picture, (x, y + 16))
        draw.text((x + 4, y + 2), caption, fill="#c8d2e6")
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--times", type=float, nargs="+", metavar="S", help="seconds")
    parser.add_argument("--every", type=float, metavar="S", help="one picture every S seconds")
    parser.add_argument("--start", type=float, default=0.0, metavar="S", help="first time of --every")
    parser.add_argument("--end", type=float, metavar="S", help="last time of --every")
    parser.add_argument("--view", nargs="+", default=["upper"], choices=["full", "upper", "bust", "face"])
    parser.add_argument(
        "--azimuth",
        type=float,
        nargs="+",
        default=[0.0],
        metavar="DEG",
        help="sides to look from; 90 is the character's left",
    )
    parser.add_argument("--elevation", type=float, metavar="DEG")
    parser.add_argument("--size", default="480x560", metavar="WxH")
    parser.add_argument("--columns", type=int)
    parser.add_argument("--page", action="store_true", help="with controls and tiers")
    parser.add_argument("--light", action="store_true", help="the page's light colours")
    parser.add_argument("--tone", default="neutral", choices=["neutral", "aces"])
    parser.add_argument("--out", type=Path, default=Path("sheet.png"))
    parser.add_argument("--each", type=Path, metavar="DIR", help="also write every picture to this folder")
    options = parser.parse_args()

    size = tuple(int(part) for part in options.size.split("x"))
    began = time.perf_counter()
    with opened(options.file, size=size, page=options.page, light=options.light, tone=options.tone) as page:
        info = page.evaluate("window.kinesics.info()")
        for note in [f"no {lack}" for lack in info["lacks"]] + info["faults"]:
            print(f"{options.file.name}: {note}", file=sys.stderr)
        times = list(options.times or [])
        if options.every:
            end, moment = options.end if options.end is not None else info["duration"], options.start
            while moment <= end + 1e-9:
                times.append(moment)
                moment += options.every
        pictures = [
            (
                f"{moment:.3f} s  {view}" + (f"  {azimuth:g}°" if azimuth else ""),
                shoot(page, moment, view, azimuth=azimuth, elevation=options.elevation),
            )
            for view in options.view
            for azimuth in options.azimuth
            for moment in times or [0.0]
        ]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(pictures, columns=options.columns).save(options.out)
    if options.each:
        options.each.mkdir(parents=True, exist_ok=True)
        for index, (caption, picture) in enumerate(pictures):
            picture.save(
                options.each
                / f"{index:04d}_{caption.replace(' s  ', '_').replace('  ', '_').rstrip('°')}.png"
            )
    print(f"{options.out}: {len(pictures)} pictures in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
