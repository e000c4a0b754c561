"""The page in a real browser: filters, search, keys, print, themes, and that nothing hostile ever runs."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.report import html
from tests.report.copies import together
from tests.report.fleet import Fleet
from tests.report.test_forms import HOSTILE, hostile, seeded
from translators.comparison.model import Report

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

from selenium.webdriver import ActionChains, Keys  # noqa: E402 - after the check above
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
WIDE, NARROW = (1400, 1000), (420, 900)
LIMIT = 20.0

pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="no Chromium with its driver (Debian: chromium, chromium-driver)"
)


class Browser:
    """One headless Chromium; a page is opened from a file, as its reader does."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver = driver
        self._folder = folder
        self._pages = 0

    def open(self, report: Report, fragment: str = "") -> None:
        self._pages += 1
        page = self._folder / f"{self._pages}.html"
        page.write_text("".join(html.render(report)), encoding="utf-8")
        self.driver.get(f"{page.as_uri()}{fragment}")
        self.until(lambda: self.js("return document.documentElement.dataset.ready !== undefined"))

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def until(self, condition: Callable[[], Any]) -> None:
        WebDriverWait(self.driver, LIMIT, poll_frequency=0.05).until(lambda _: condition())

    def all(self, selector: str) -> list[WebElement]:
        found: list[WebElement] = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return found

    def one(self, selector: str) -> WebElement:
        found: WebElement = self.driver.find_element(By.CSS_SELECTOR, selector)
        return found

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def rows(self) -> list[str]:
        """The names of the objects that are drawn."""
        found: list[str] = self.js(
            "return [...document.querySelectorAll('#objects > article .who')].map(e => e.textContent)"
        )
        return found

    def shown(self) -> str:
        return self.one("#shown").text

    def type(self, words: str) -> None:
        self.one("#search").clear()
        self.one("#search").send_keys(words)
        wanted = self.js("return new URLSearchParams({q: arguments[0]}).toString()", words) if words else ""
        self.until(lambda: wanted == self.js("return location.hash.slice(1)"))

    def size(self, width: int, height: int) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def theme(self, name: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]


@contextmanager
def started_browser() -> Iterator[Any]:
    """A headless Chromium with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER or ""
    with tempfile.TemporaryDirectory(prefix="report-browser-", ignore_cleanup_errors=True) as profile:
        for flag in (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={profile}",
        ):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        try:
            yield driver
        finally:
            driver.quit()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started_browser() as driver:
        yield Browser(driver, tmp_path_factory.mktemp("pages"))


@pytest.fixture
def browser(started: Browser) -> Browser:
    started.size(*WIDE)
    started.theme("light")
    return started


@pytest.fixture(scope="module")
def report() -> Report:
    """66 objects, of every class but cosmetic, one not read."""
    return seeded().report()


def test_the_summary_comes_first_and_names_the_worst(browser: Browser, report: Report) -> None:
    browser.open(report)
    assert browser.one("h1").text.endswith("of 66 old objects block the cutover.")
    assert "2 things could not be read" in browser.one(".caution").text
    tiles = {
        tile.get_attribute("data-class"): tile.find_element(By.TAG_NAME, "b").text
        for tile in browser.all(".tile")
    }
    for cls, number in report.counts.items():
        assert tiles[cls.value] == str(number)
    assert tiles["unread"] == str(report.unread)
    assert list(tiles)[:2] == ["unread", "blocking"]
    assert browser.shown() == "66 objects"
    assert not browser.complaints()


def test_a_class_a_kind_and_a_cell_of_the_table_filter(browser: Browser, report: Report) -> None:
    browser.open(report)
    browser.one(".tile.drift").click()
    drifting = [o for o in report.objects if not o.is_unread and o.worst.value == "drift"]
    assert browser.shown() == f"{len(drifting)} of 66 objects"
    assert browser.one(".tile.drift").get_attribute("aria-pressed") == "true"
    browser.one("#kind").send_keys("HostingDeployment")
    wanted = [o for o in drifting if o.reference.kind == "HostingDeployment"]
    assert browser.shown() == f"{len(wanted)} of 66 objects"
    browser.one("#clear").click()
    assert browser.shown() == "66 objects"
    browser.one('td button[data-kind="TrainingJob"][data-class="blocking"]').click()
    blocking = [
        o for o in report.objects if o.reference.kind == "TrainingJob" and o.worst.value == "blocking"
    ]
    assert len(browser.rows()) == len(blocking)
    assert all(row.startswith("TrainingJob") for row in browser.rows())


def test_a_behaviour_shows_the_objects_that_it_concerns(browser: Browser, report: Report) -> None:
    browser.open(report)
    browser.one(".notes details summary").click()
    browser.one('.notes details[open] button[data-behaviour="BC01"]').click()
    tagged = sum("BC01" in o.behaviours for o in report.objects)
    assert browser.shown() == f"{tagged} of 66 objects"


def test_several_classes_at_once(browser: Browser, report: Report) -> None:
    browser.open(report, "#class=blocking,drift")
    wanted = [o for o in report.objects if not o.is_unread and o.worst.value in {"blocking", "drift"}]
    assert browser.shown() == f"{len(wanted)} of 66 objects"


def test_search_finds_names_fields_and_values(browser: Browser, report: Report) -> None:
    browser.open(report)
    browser.type("volumeSizeInGB")
    assert browser.rows() == ["TrainingJob default/long-run"]
    browser.type("TRAININGJOB NIGHTLY-A")
    assert browser.rows() == ["TrainingJob default/nightly-a"]
    browser.type("model elsewhere/model.tar.gz")
    assert browser.rows() == ["Model default/alone"]
    browser.type("no such thing anywhere")
    assert browser.one(".empty").text == "No object matches these filters."


def test_the_filters_are_in_the_address(browser: Browser, report: Report) -> None:
    browser.open(report, "#class=blocking&kind=Model&q=alone")
    assert browser.rows() == ["Model default/alone"]
    assert browser.one("#search").get_attribute("value") == "alone"
    browser.one("#clear").click()
    assert browser.js("return location.hash") == ""


def test_an_object_expands_to_its_sides_with_the_differing_part_marked(
    browser: Browser, report: Report
) -> None:
    browser.open(report, "#q=score-a")
    browser.one("#objects .head").click()
    assert browser.one("#objects .head").get_attribute("aria-expanded") == "true"
    row = next(row for row in browser.all("tr.difference") if "transformOutput.s3OutputPath" in row.text)
    sides = {
        cell.get_attribute("data-side"): cell for cell in row.find_elements(By.CSS_SELECTOR, "td[data-side]")
    }
    assert sides["Old YAML"].text == sides["AWS"].text == "s3://churn-scores/2026-11/"
    assert sides["ACK"].text == "s3://elsewhere/"
    assert [mark.text for mark in row.find_elements(By.TAG_NAME, "mark")] == ["elsewhere"]
    said = browser.one("tr.said.blocking").text
    assert "ACK can't change a TransformJob" in said
    assert "kubectl edit transformjobs.sagemaker.services.k8s.aws score-a -n default" in said
    equal = browser.one(".equal-toggle")
    equal.click()
    assert equal.get_attribute("aria-expanded") == "true"
    assert len(browser.all("tbody.rest tr")) == int(equal.text.split()[0])
    browser.one("#objects .head").click()
    assert not browser.one("#objects .detail").is_displayed()


def test_hidden_values_are_shown_as_letters(browser: Browser, report: Report) -> None:
    fleet = Fleet.untouched(migrated=True)
    fleet.described("ProcessingJob", "clean-a")["Environment"]["LOG_LEVEL"] = "very-private"
    browser.open(fleet.report(), "#q=clean-a")
    browser.one("#objects .head").click()
    row = next(row for row in browser.all("tr.difference") if "environment.LOG_LEVEL" in row.text)
    assert [cell.text for cell in row.find_elements(By.CSS_SELECTOR, ".secret")] == [
        "hidden A",
        "hidden A",
        "hidden B",
    ]
    assert "very-private" not in browser.driver.page_source


def test_everything_can_be_done_from_the_keyboard(browser: Browser, report: Report) -> None:
    browser.open(report)

    def focused() -> str:
        text: str = browser.js(
            "return document.activeElement.closest('article')?.querySelector('.who').textContent || ''"
        )
        return text

    rows = browser.rows()
    browser.press("j")
    assert focused() == rows[0]
    browser.press("j", "j", "k")
    assert focused() == rows[1]
    browser.press(Keys.ENTER)
    assert browser.js("return document.activeElement.getAttribute('aria-expanded')") == "true"
    browser.press("/")
    assert browser.js("return document.activeElement.id") == "search"
    browser.press("C", "p", "u", "T", "a", "r", "g", "e", "t", Keys.ENTER)
    assert browser.rows() == ["HostingAutoscalingPolicy default/cpu"]
    assert focused() == browser.rows()[0]
    browser.press(Keys.ESCAPE)
    browser.until(lambda: browser.shown() == "66 objects")
    browser.press("1")
    blocking = sum(not o.is_unread and o.worst.value == "blocking" for o in report.objects)
    assert browser.shown() == f"{blocking} of 66 objects"
    browser.press("1")
    assert browser.shown() == "66 objects"
    browser.press("e")
    assert len(browser.all("#objects .detail")) == len(browser.rows())
    browser.press("e")
    assert not any(detail.is_displayed() for detail in browser.all("#objects .detail"))
    browser.press("?")
    assert browser.one("#help").is_displayed()
    browser.press(Keys.ESCAPE)
    assert not browser.one("#help").is_displayed()


def test_nothing_hostile_runs_or_becomes_markup(browser: Browser) -> None:
    browser.open(hostile().report(show_values=True))
    browser.press("e")
    for script in (
        "document.images.length",
        "document.querySelectorAll('iframe, object, embed, link, a').length",
    ):
        assert browser.js(f"return {script}") == 0
    assert browser.js("return document.scripts.length") == 2
    assert HOSTILE in browser.js("return document.getElementById('objects').textContent")
    assert HOSTILE in browser.one(".unread-list").text
    assert not browser.complaints(), "an alert, or something that the policy had to stop"


def test_even_a_script_that_came_in_would_not_run(browser: Browser, report: Report) -> None:
    """The policy by itself: our own texts are no way in, so one is opened."""
    browser.open(report)
    browser.js(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1';document.body.append(s)"
    )
    browser.js("const i = new Image(); i.src = 'https://evil.example/x'; document.body.append(i)")
    assert browser.js("return window.ran") is None
    complaints = browser.complaints()
    assert sum("Content Security Policy" in complaint for complaint in complaints) == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_it_is_readable_in_both_themes_and_sizes(
    browser: Browser, report: Report, theme: str, size: tuple[int, int], tmp_path: Path
) -> None:
    browser.size(*size)
    browser.theme(theme)
    browser.open(report, "#class=blocking")
    browser.press("e")
    assert browser.js("return document.documentElement.scrollWidth <= innerWidth"), "scrolls sideways"
    contrasts = browser.js(CONTRASTS)
    assert contrasts
    low = {what: ratio for what, ratio in contrasts.items() if ratio < 4.5}
    assert not low, "less than WCAG AA asks for"
    path = tmp_path / f"{theme}.png"
    path.write_bytes(base64.b64decode(browser.driver.get_screenshot_as_base64()))
    assert path.stat().st_size > 20_000


CONTRASTS = """
  const channel = (c) => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const [r, g, b, a] = rgb(getComputedStyle(e).backgroundColor);
      if (a === undefined || a > .99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const selector of ["h1", ".sources dt", ".tile:not(:disabled) span", ".tile small",
      ".matrix td button",
      ".badge", ".kind", ".namespace", ".name", ".hint", ".stage", ".field > code", ".field small", ".said p",
      ".todo", ".said p code", "mark", ".not-set", ".facts", ".link", ".code", "#shown", ".applies"]) {
    for (const e of [...document.querySelectorAll(selector)].slice(0, 6)) {
      const [one, two] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
      const ratio = (Math.max(one, two) + .05) / (Math.min(one, two) + .05);
      found[selector] = Math.min(found[selector] ?? 99, ratio);
    }
  }
  return found;
"""


def test_on_paper_is_everything_that_matters(browser: Browser, report: Report) -> None:
    browser.open(report)
    printed = browser.js(
        """
        dispatchEvent(new Event('beforeprint'));
        const seen = [document.querySelectorAll('#objects > article').length,
                      document.querySelectorAll('#objects .detail:not([hidden])').length,
                      document.querySelectorAll('.notes details:not([open])').length];
        dispatchEvent(new Event('afterprint'));
        return [...seen, document.querySelectorAll('#objects .detail:not([hidden])').length];
        """
    )
    matter = sum(o.is_unread or o.worst.rank >= 3 for o in report.objects)
    assert printed == [66, matter, 0, 0]
    pdf = base64.b64decode(
        browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    )
    assert pdf.startswith(b"%PDF")


def test_paper_says_how_much_of_all_it_shows(browser: Browser, report: Report) -> None:
    browser.open(report, "#class=drift")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.one("#shown").is_displayed()
    assert browser.shown().endswith(" of 66 objects")
    assert not browser.one("#search").is_displayed()
    assert not browser.one("#expand").is_displayed()
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_thousand_objects_are_drawn_as_they_come_into_view(browser: Browser) -> None:
    browser.open(together(16).report())
    assert browser.shown() == "1,056 objects"
    assert len(browser.rows()) < 300
    browser.js("scrollTo(0, document.body.scrollHeight)")
    browser.until(lambda: len(browser.rows()) > 100)
    browser.one("#namespace").send_keys("team-03")
    browser.until(lambda: browser.shown() == "66 of 1,056 objects")
