"""The report in a real browser: no request, no error, the orbit is drawn, it fits a phone, turns dark, and prints."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from systems import lorenz63

from takens.report import render
from takens.series import Series
from takens.study import study

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Software rendering must be asked for by name, else WebGL is missing and the test would watch the fall-back only.
FLAGS = [
    "--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-quic",
]  # fmt: skip
NO_WEBGL = """
const real = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : real.call(this, kind, ...rest);
};
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The report of a small real study of two channels."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    series = Series.from_array(
        lorenz63(1500)[:, [0, 2]], interval=0.02, unit="s", channels=("a rather long channel name", "z"), name="lorenz"
    )
    found = study(series, horizon=20, models=["persistence", "climatology", "nvar"], members=30, seed=2)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(found), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, file):
    """Open the report; every request but the file itself is refused and, like every error, fails the test."""
    trouble: list[str] = []
    contexts = []

    def go(script: str = "", **context):
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: trouble.append(str(e)))

        def route(call):
            if call.request.url.split("#")[0] == file.as_uri():
                call.continue_()
            else:
                trouble.append(call.request.url)
                call.abort()

        page.route("**/*", route)
        if script:
            page.add_init_script(script)
        page.goto(file.as_uri())
        page.locator("#viewer").scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        return page

    yield go
    for context in contexts:
        context.close()
    assert not trouble


def pixels(locator) -> np.ndarray:
    from matplotlib.image import imread

    return imread(io.BytesIO(locator.screenshot()), format="png")[:, :, :3].astype(float)


def drawn(page) -> float:
    """Share of the canvas that WebGL (or the 2-D fall-back) has drawn on, read from the canvas itself."""
    return page.evaluate("""() => {
      const scene = document.querySelector("canvas.scene"), copy = document.createElement("canvas");
      [copy.width, copy.height] = [scene.width, scene.height];
      const pen = copy.getContext("2d");
      pen.drawImage(scene, 0, 0);
      const data = pen.getImageData(0, 0, copy.width, copy.height).data;
      let count = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i] > 8) count++;
      return count / (data.length / 4);
    }""")


def test_webgl_draws_the_orbit_and_turns_it(visit):
    page = visit(viewport={"width": 1280, "height": 900})
    assert page.locator("#viewer").get_attribute("data-renderer") == "webgl2"
    assert not page.evaluate("document.querySelector('canvas.scene').getContext('webgl2').isContextLost()")
    assert 0.01 < drawn(page) < 0.6
    stage = page.locator("#viewer .stage")
    page.locator("canvas.axes").focus()
    page.keyboard.press("Home")  # shows the ring of the keyboard's focus, which is in both pictures then
    page.wait_for_timeout(150)
    before = pixels(stage)
    assert before.std() > 0.01
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(150)
    turned = pixels(stage)
    assert np.abs(turned - before).max() > 0.2
    page.keyboard.press("Home")
    page.wait_for_timeout(150)
    np.testing.assert_allclose(pixels(stage), before, atol=0.02)
    box = stage.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 230, steps=4)
    page.mouse.up()
    page.wait_for_timeout(150)
    assert np.abs(pixels(stage) - before).max() > 0.2
    page.select_option("#viewer select", "1")
    page.click("button.strokes")
    page.wait_for_timeout(150)
    assert 0.001 < drawn(page) < 0.6


def test_without_webgl_a_canvas_draws_it(visit):
    page = visit(NO_WEBGL, viewport={"width": 1280, "height": 900})
    assert page.locator("#viewer").get_attribute("data-renderer") == "canvas"
    assert 0.01 < drawn(page) < 0.6


def test_both_renderers_draw_the_same(visit):
    a = pixels(visit(viewport={"width": 900, "height": 900}).locator("#viewer .stage"))
    b = pixels(visit(NO_WEBGL, viewport={"width": 900, "height": 900}).locator("#viewer .stage"))
    ink = [np.abs(x - np.median(x, axis=(0, 1))).max(axis=2) > 0.08 for x in (a, b)]
    centre = [np.argwhere(mask).mean(axis=0) for mask in ink]
    assert np.abs(centre[0] - centre[1]).max() < 0.02 * a.shape[1]


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_no_width_scrolls_sideways(visit, width):
    page = visit(viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # What is wider than the screen must be in a box that scrolls by itself.
    wide = page.evaluate("""() => [...document.querySelectorAll("main *")]
      .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .plate, canvas"))
      .map((e) => e.outerHTML.slice(0, 80))""")
    assert not wide


def test_dark_follows_the_system_and_the_button(visit):
    def background(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    assert background(light) == "rgb(253, 253, 251)"
    assert background(dark) == "rgb(20, 23, 27)"
    light.click("#theme")
    assert background(light) == background(dark)
    assert light.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill") == dark.evaluate(
        "getComputedStyle(document.querySelector('figure svg text')).fill"
    )
    light.reload()
    assert background(light) == "rgb(253, 253, 251)"


def test_it_prints_everything_on_white(visit):
    page = visit(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("#viewer").is_visible()
    assert page.locator(".projection svg").is_visible()
    assert page.locator("details table").first.is_visible()
    page.emulate_media(media="screen")
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    assert len(paper) > 50_000
    assert page.locator("details[open]").count() < page.locator("details").count()


def test_findings_lead_to_their_figures(visit):
    page = visit(viewport={"width": 1000, "height": 800}, reduced_motion="reduce")
    links = page.locator("ol.findings a")
    for i in range(links.count()):
        links.nth(i).click()
        page.wait_for_timeout(50)
        assert page.locator(links.nth(i).get_attribute("href")).is_visible()


def test_without_scripts_it_still_reads(browser, file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator(".projection svg").is_visible()
    assert page.locator("ol.findings li").count() >= 4
    context.close()
