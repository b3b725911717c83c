"""Uses the dashboard in headless Chromium as its reader would: launches a run from the page, watches it end, opens its report.

Also looks that every control has a name, that text stands out from its ground (WCAG 2.2: 4.5 to 1), and that nothing
is wider than a page of 400 pixels. With --pictures DIR, writes screenshots there.
"""

import argparse
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from small_job import small_job

# The contrast of each visible text with the nearest ground that is not transparent, as WCAG defines it.
FAINT = """
const channel = (value) => { value /= 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
function ground(node) {
  for (; node; node = node.parentElement) {
    const colour = parse(getComputedStyle(node).backgroundColor);
    if (colour.length === 3 || colour[3] > 0.99) return colour;
  }
  return [255, 255, 255];
}
const faint = [];
for (const node of document.querySelectorAll("body *")) {
  const hasText = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!hasText || !node.checkVisibility() || node.disabled || getComputedStyle(node).clipPath !== "none") continue;
  const style = getComputedStyle(node);
  const colour = parse(node instanceof SVGElement ? style.fill : style.color);
  const [a, b] = [light(colour), light(ground(node))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) faint.push(`${node.tagName} "${node.textContent.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
}
return faint;
"""

NAMELESS = """
const nameless = [];
for (const node of document.querySelectorAll("button, a[href], input, select, textarea, svg[role=img], img, [role=img]")) {
  if (!node.checkVisibility()) continue;
  const name = node.getAttribute("aria-label") || node.getAttribute("aria-labelledby") || node.textContent.trim()
    || node.getAttribute("alt") || [...(node.labels ?? [])].map((label) => label.textContent.trim()).join("");
  if (!name) nameless.push(node.outerHTML.slice(0, 120));
}
return nameless;
"""


class Page:
    """The dashboard in one browser window."""

    def __init__(self, base: str, pictures: pathlib.Path | None, dark: bool = False) -> None:
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1280,1000"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        self.pictures = pictures
        self.problems: list[str] = []
        self.driver.get(base if base.startswith("file:") else base + "/")

    def find(self, identifier: str):
        return self.driver.find_element(By.ID, identifier)

    def wait(self, condition, what: str, seconds: float = 60) -> None:
        try:
            WebDriverWait(self.driver, seconds, poll_frequency=0.1).until(lambda _: condition())
        except Exception as error:
            self.picture("problem")
            raise SystemExit(f"dashboard: waited {seconds} s for {what}; the log: {self.driver.get_log('browser')}") from error

    def narrow(self) -> None:
        """400 pixels, as on a telephone: a window itself can't be so small."""
        size = {"width": 400, "height": 1200, "deviceScaleFactor": 2, "mobile": True}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def check(self, where: str) -> None:
        for kind, script in (("faint text", FAINT), ("a control without a name", NAMELESS)):
            self.problems += [f"{where}: {kind}: {found}" for found in self.driver.execute_script(script)]
        width, room = self.driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        if width > room:
            self.problems.append(f"{where}: {width} pixels wide in a window of {room}")
        self.problems += [
            f"{where}: the browser says: {entry['message']}" for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE"
        ]

    def picture(self, name: str) -> None:
        if self.pictures:
            self.driver.save_screenshot(str(self.pictures / f"{name}.png"))


def use(page: Page) -> None:
    """Launches a run from the page, watches it end and opens its report."""
    page.wait(lambda: page.find("link").text == "live", "the page to be live")
    page.find("open-launch").click()
    page.wait(lambda: page.find("launch").is_displayed(), "the launch form")
    page.check("launch form")
    page.picture("launch")
    # First a wrong job: the form must stay and say what is wrong.
    page.driver.execute_script("document.getElementById('job-text').value = 'name: x\\nlanes: many'")
    page.find("launch-go").click()
    page.wait(lambda: "lanes" in page.find("launch-problem").text, "the wrong job to be refused")
    # The browser's log names the refusal, which is meant to be there.
    page.driver.get_log("browser")
    page.driver.execute_script("document.getElementById('job-text').value = arguments[0]", small_job("from-the-page"))
    Select(page.find("hardware")).select_by_value("dgx1-v100-16g")
    page.find("launch-go").click()
    page.wait(lambda: page.find("job").text == "from-the-page", "the run to be shown")
    page.wait(lambda: "step" in page.find("progress-text").text, "its progress")
    page.wait(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, "#workers li")) == 2, "its two workers")
    page.wait(lambda: page.find("state").text == "finished", "its end", seconds=120)
    page.check("a finished run")
    page.picture("run")
    Select(page.find("report-clock")).select_by_value("mlperf")
    if not page.find("report").get_attribute("href").endswith("&clock=mlperf"):
        page.problems.append("the clock that is chosen is not the report's")
    page.find("report").click()
    page.wait(lambda: "from-the-page" in page.driver.page_source and "<h1" in page.driver.page_source, "the report")
    if "MLPerf" not in page.driver.page_source:
        page.problems.append("the report by MLPerf's rules does not tell them")
    page.picture("report")
    page.driver.back()


def look(base: str, pictures: pathlib.Path | None, dark: bool, name: str) -> list[str]:
    """The page with the finished run at 400 pixels."""
    page = Page(base, pictures, dark)
    try:
        page.narrow()
        page.wait(lambda: page.find("state").text == "finished", "the finished run")
        page.check(name)
        page.picture(name)
        return page.problems
    finally:
        page.driver.quit()


def address(daemon: subprocess.Popen, log: pathlib.Path) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end and daemon.poll() is None:
        for line in log.read_text().splitlines():
            if "dashboard: http" in line:
                return line[line.index("http"):].rstrip("/")
        time.sleep(0.05)
    raise SystemExit(f"dashboard: the daemon does not serve it: {log.read_text()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--pictures", type=pathlib.Path)
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wm-") as folder:
        log = pathlib.Path(folder, "log")
        with log.open("w") as file:
            daemon = subprocess.Popen(
                [options.program, "serve", "--state", folder + "/s", "--dashboard", "0"], stderr=file)
        try:
            base = address(daemon, log)
            page = Page(base, options.pictures)
            try:
                use(page)
            finally:
                page.driver.quit()
            problems = page.problems
            problems += look(base, options.pictures, dark=False, name="narrow")
            problems += look(base, options.pictures, dark=True, name="dark")
            daemon.send_signal(signal.SIGTERM)
            if daemon.wait(30) != 0:
                problems.append(f"the daemon ended with {daemon.returncode}: {log.read_text()}")
        finally:
            daemon.kill()
    for problem in problems:
        print(f"dashboard: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)
    print("dashboard: launched from the page, watched to its end, its report opened; names, contrast and width are right")


if __name__ == "__main__":
    main()
