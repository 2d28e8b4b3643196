"""Make docs/report.png: the findings and two figures of the demo's report, side by side.

    python docs/picture.py demo-report/report.html

Needs playwright and Pillow, which the development environment has, and a Chromium on the machine.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

WIDTH, HEIGHT = 760, 1000
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
FIGURES = ("#spectrum", "#fan")


def main(report: str) -> None:
    """Photograph the top of the report and `FIGURES`, and write docs/report.png."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(Path(report).resolve().as_uri())
        page.wait_for_timeout(1000)
        left = Image.open(io.BytesIO(page.screenshot()))
        figures = [photograph(page, selector) for selector in FIGURES]
        browser.close()
    picture = Image.new("RGB", (2 * WIDTH, HEIGHT), left.getpixel((2, 2)))
    picture.paste(left, (0, 0))
    top = 20
    for figure in figures:
        picture.paste(figure, (WIDTH, top))
        top += figure.height + 24
    picture.quantize(128).save(Path(__file__).parent / "report.png", optimize=True)


def photograph(page: Page, selector: str) -> Image.Image:
    """A figure of the page with its caption."""
    return Image.open(io.BytesIO(page.locator(selector).screenshot()))


if __name__ == "__main__":
    main(sys.argv[1])
