"""The page as a person meets it, in headless Chromium: pointer, keyboard, phone, dark mode, screen reader."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gradcheck.model import Report
from gradcheck.report.html import write_html

from .grids import HOSTILE, all_reports, curve, drawn, hostile, hostile_error, jacobian
from .samples import SAMPLES, failing, passing

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
if CHROMIUM is None:
    pytest.skip("there is no Chromium", allow_module_level=True)

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as session:
        started = session.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a page of reports; whatever it complains of, asks for or pops up fails the test."""
    contexts: list[Any] = []
    problems: list[str] = []

    def start(reports: list[Report], *, width: int = 1200, scheme: str = "light", at: str = "", **more: Any) -> Any:
        path = tmp_path / "report.html"
        path.write_text(write_html(reports), encoding="utf-8", errors="backslashreplace")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, **more
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("request", lambda request: problems.append(request.url) if request.url[:4] == "http" else None)
        page.goto(path.as_uri() + at)
        return page

    yield start
    for context in contexts:
        context.close()
    assert problems == []


def until(page: Any, expression: str) -> None:
    """Wait for something to hold; Playwright's own way needs eval, which the page forbids."""
    for _ in range(400):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never true: {expression}")


def names(page: Any) -> list[str]:
    found: list[str] = page.eval_on_selector_all("li.case", "all => all.map(each => each.dataset.name)")
    return found


def open_all(page: Any) -> None:
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    until(page, "!document.querySelector('figure.maps:not(.drawn)')")


def test_search_and_filter(open_page: Open) -> None:
    page = open_page([passing(tags=("fast",)), failing(), failing(name="known", expected=True), SAMPLES["error"]])
    assert names(page) == ["stale-counter", "node-softmax", "softmax", "known"]
    page.fill("#find", "stale slice")
    assert names(page) == ["stale-counter", "known"]
    page.click("button[data-key=surprise]")
    assert names(page) == ["stale-counter"]
    assert page.get_attribute("button[data-key=surprise]", "aria-pressed") == "true"
    page.fill("#find", "FAST")
    assert names(page) == []
    assert page.is_visible("#nothing")
    page.press("#find", "Escape")
    page.click("button[data-key=surprise]")
    page.click("button[data-key=error]")
    page.click("button[data-key=pass]")
    assert names(page) == ["node-softmax", "softmax"]
    assert page.inner_text("#shown") == "2 of 4 cases"


def test_order(open_page: Open) -> None:
    reports = [passing(name="b"), failing(name="c"), passing(name="a")]
    reports[0].inputs[0].error, reports[2].inputs[0].error = 0.0, float("inf")
    page = open_page(reports)
    for order, expected in (("run", "bca"), ("error", "acb"), ("name", "abc"), ("surprise", "cba")):
        page.select_option("#sort", order)
        assert "".join(names(page)) == expected


def test_the_keyboard_alone_is_enough(open_page: Open) -> None:
    page = open_page([drawn("one"), drawn("two"), passing()])
    page.keyboard.press("/")
    page.keyboard.type("o")
    page.keyboard.press("Tab")
    assert names(page) == ["one", "two", "softmax"]
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert page.eval_on_selector_all("details", "all => all.map(each => each.open)") == [False, True, False]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").startswith("map")
    before = page.inner_text("li:nth-child(2) .readout")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("li:nth-child(2) .readout") != before
    page.keyboard.press("Home")
    assert page.inner_text("li:nth-child(2) .readout") == before


def test_the_value_under_the_pointer(open_page: Open) -> None:
    report = drawn(shape=(3, 4, 5))
    grid = report.inputs[0].gradient
    assert grid is not None
    page = open_page([report])
    box = page.locator("figure canvas").first.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    text = page.inner_text(".readout")
    assert text.startswith("x[0, 0, 0]")
    assert f"numeric {float(f'{grid.numeric[0]:.9g}'):.9g} ± 1e-10" in text
    wrong = grid.wrong[0]
    page.focus(".map")
    page.keyboard.press("Home")
    assert re.search(r"rel\. error 2\.0e\+00, wrong$", page.inner_text(".readout"))
    assert page.evaluate("document.querySelector('.readout').getAttribute('aria-live')") == "polite"
    assert 0 <= wrong < 60


def test_an_entry_of_a_jacobian_is_named_by_output_and_input(open_page: Open) -> None:
    report = drawn(shape=(4, 5))
    report.inputs[0].jacobian = jacobian()
    page = open_page([report])
    page.focus("figure:nth-of-type(2) .map")
    for key in ["PageUp", *["ArrowUp", "ArrowLeft"] * 30]:
        page.keyboard.press(key)
    assert page.inner_text("figure:nth-of-type(2) .readout").startswith("d y0[0, 0] / d x[0, 0]")
    for key in ["ArrowDown"] * 16 + ["ArrowRight"] * 7:
        page.keyboard.press(key)
    assert page.inner_text("figure:nth-of-type(2) .readout").startswith("d y1[1] / d x[1, 2]")
    box = page.locator("figure:nth-of-type(2) canvas").first.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    assert page.inner_text("figure:nth-of-type(2) .readout").startswith("d y0[0, 0] / d x[0, 0]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_curve_is_drawn_and_legible(open_page: Open, width: int, scheme: str) -> None:
    report = drawn()
    report.inputs[0].curve = curve()
    page = open_page([report], width=width, scheme=scheme)
    box = page.locator("figure.curve svg").bounding_box()
    assert box["width"] >= 300
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    # smaller than nine pixels is read by nobody
    heights = page.eval_on_selector_all(
        "figure.curve text", "all => all.map(each => each.getBoundingClientRect().height)"
    )
    assert min(heights) >= 9
    apart = page.eval_on_selector_all(
        "figure.curve text.label",
        """all => all.every((one, i) => all.slice(i + 1).every((other) => {
        const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
        return a.right < b.left || b.right < a.left || a.bottom <= b.top || b.bottom <= a.top;
        }))""",
    )
    assert apart
    colours = page.evaluate(
        """() => ['figure.curve .line', 'figure.curve .claim', 'figure.curve .grid']
        .map((each) => getComputedStyle(document.querySelector(each)).stroke)"""
    )
    assert len(set(colours)) == 3
    # not by colour alone: the distance of the backward is dashed, and has its name
    assert page.evaluate("getComputedStyle(document.querySelector('.claim')).strokeDasharray") != "none"


@pytest.mark.parametrize("shape", [(), (7,), (300,), (4, 5), (3, 4, 5), (2, 3, 3, 3), (500, 3), (2, 400)])
@pytest.mark.parametrize("width", [1200, 390])
def test_every_entry_can_be_reached(open_page: Open, shape: tuple[int, ...], width: int) -> None:
    page = open_page([drawn(shape=shape)], width=width)
    page.focus(".map")
    size = 1
    for each in shape:
        size *= each
    for key in ["PageUp", "ArrowUp", "ArrowLeft"] * min(size, 20):
        page.keyboard.press(key)
    seen = {page.inner_text(".readout").split("analytic")[0].strip()}
    for _ in range(min(size, 40)):
        page.keyboard.press("ArrowRight")
        seen.add(page.inner_text(".readout").split("analytic")[0].strip())
    assert len(seen) >= min(size, 38)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def pixel(page: Any, index: int) -> list[int]:
    found: list[int] = page.evaluate(
        """index => {
        const canvas = document.querySelectorAll('.panel > canvas')[index];
        return [...canvas.getContext('2d').getImageData(12, 12, 1, 1).data];
        }""",
        index,
    )
    return found


def test_colours_follow_light_and_dark(open_page: Open) -> None:
    report = drawn(shape=(1, 2))
    part = report.inputs[0]
    assert part.gradient is not None
    part.gradient.analytic, part.gradient.numeric, part.gradient.wrong = [1.0, 1.0], [-1.0, 1.0], [0]
    page = open_page([report])
    page.focus(".map")
    page.keyboard.press("ArrowRight")
    light = [pixel(page, index) for index in range(3)]
    assert light[0][0] > light[0][2]  # positive is orange, negative blue: told apart without red and green
    assert light[1][2] > light[1][0]
    page.emulate_media(color_scheme="dark")
    until(page, "matchMedia('(prefers-color-scheme: dark)').matches")
    for _ in range(200):  # the maps are drawn again a moment after the media change
        if [pixel(page, index) for index in range(3)] != light:
            break
        page.wait_for_timeout(50)
    assert [pixel(page, index) for index in range(3)] != light
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 24, 27)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_nothing_serious(open_page: Open, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="needs axe")
    chosen = ["fail", "error", "undecided", "pass-warning", "pass-unexpected", "fail-several-inputs", "hostile"]
    reports = [*(SAMPLES[name] for name in chosen), drawn(), drawn("wide", (2, 400)), hostile(HOSTILE[0])]
    reports[-3].inputs[0].jacobian, reports[-3].inputs[0].curve = jacobian(), curve()
    page = open_page(reports, width=width, scheme=scheme, bypass_csp=True)
    open_all(page)
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")

    assert [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_nothing_is_wider_than_a_phone(open_page: Open) -> None:
    page = open_page([*all_reports(), failing(name="a-very-long-name-without-any-blank" * 8)], width=390)
    open_all(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_runs(open_page: Open, text: str) -> None:
    # The policy is lifted, so that the escaping alone has to hold.
    page = open_page([hostile(text), hostile_error(text)], bypass_csp=True)
    open_all(page)

    assert page.evaluate("document.querySelectorAll('script').length") == 3


def test_a_link_opens_its_case(open_page: Open) -> None:
    reports = [passing(name=f"case-{number}") for number in range(700)]
    reports[690] = drawn("zoo/a b[axis=0,x=1]", expected=True)
    page = open_page(reports, at="#/zoo/a%20b[axis=0,x=1]")

    page.wait_for_selector("li[data-name='zoo/a b[axis=0,x=1]'] details[open] figure.drawn")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_thousands_of_cases_are_shown_some_at_a_time(open_page: Open) -> None:
    page = open_page([passing(name=f"case-{number}") for number in range(3000)])
    assert len(names(page)) == 500
    assert page.inner_text("#shown") == "3000 cases"
    page.click("#more")
    assert len(names(page)) == 1000
    page.fill("#find", "case-2999")
    until(page, "document.querySelectorAll('li.case').length === 1")
    assert names(page) == ["case-2999"]
    assert page.is_hidden("#more")


def test_the_command_is_copied(open_page: Open) -> None:
    page = open_page([failing()], permissions=["clipboard-read", "clipboard-write"])
    page.click("button.copy")
    page.wait_for_selector("button.copy:text('Copied')")

    assert page.evaluate("navigator.clipboard.readText()").endswith("::stale-counter --seed 0")


def test_without_scripts_everything_is_there(open_page: Open) -> None:
    page = open_page([passing(), failing()], java_script_enabled=False)

    assert page.is_hidden("#filter")
    assert page.is_visible("noscript")
    page.click("summary")
    assert page.is_visible("text=advance the index with the slice")
