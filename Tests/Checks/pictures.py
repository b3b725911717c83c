"""Photographs the dashboard and a report for the README: see deploy/pictures.

    python pictures.py path/to/wafermark FOLDER

Serves a state directory of its own, trains the demo job on a cluster of two workers and on the wafer, and writes PNG files
into FOLDER: the dashboard half-way, and of the report its first screen (wide, and at 400 pixels) and, in dark, the critical
path of a step.
"""

import argparse
import base64
import json
import pathlib
import signal
import subprocess
import tempfile
import time

from dashboard import Page, address


class Camera(Page):
    """A page of which parts are photographed."""

    def __init__(self, url: str, width: int, height: int, dark: bool = False) -> None:
        super().__init__(url, None, dark)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def take(self, path: pathlib.Path, left: float, top: float, width: int, height: int) -> None:
        """A part of the page, which may lie below the window."""
        clip = {"x": left, "y": max(0, top), "width": width, "height": height, "scale": 1}
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip})
        path.write_bytes(base64.b64decode(shot["data"]))

    def edges(self, first: str, last: str) -> tuple[float, float]:
        """Where the last element that `first` selects begins, and where the first one that `last` does ends."""
        return self.driver.execute_script(
            "const box = (node) => node.getBoundingClientRect();"
            "return [box([...document.querySelectorAll(arguments[0])].at(-1)).top + scrollY,"
            " box(document.querySelector(arguments[1])).bottom + scrollY]", first, last)


class Runs:
    """The program, with a state directory of its own."""

    def __init__(self, program: str, state: str) -> None:
        self.program, self.state = program, state

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.program, *arguments, "--state", self.state], capture_output=True, text=True, check=False, timeout=600)
        if done.returncode != 0:
            raise SystemExit(f"pictures: {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def launch(self, backend: str, job: str, *more: str) -> str:
        return json.loads(self.run("launch", backend, job, "--json", *more))["run_id"]

    def wait(self, run: str, share: float) -> None:
        """Until `run` has made this share of its steps; 1 for its end."""
        end = time.monotonic() + 600
        while time.monotonic() < end:
            shown = json.loads(self.run("runs", "show", run, "--json"))["run"]
            if shown["state"] in ("failed", "cancelled"):
                raise SystemExit(f"pictures: run {run} {shown['state']}")
            if shown["state"] == "finished" or (share < 1 and shown["steps_made"] >= share * shown["steps_planned"]):
                return
            time.sleep(0.2)
        raise SystemExit(f"pictures: run {run} did not get on")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    program, folder = str(pathlib.Path(options.program).resolve()), options.folder.resolve()
    with tempfile.TemporaryDirectory(prefix="wm-") as scratch:
        job, log = pathlib.Path(scratch, "job.yaml"), pathlib.Path(scratch, "log")
        job.write_text(subprocess.run(
            [program, "job", "example", "demo"], capture_output=True, text=True, check=True).stdout)
        runs = Runs(program, scratch + "/s")
        with log.open("w") as file:
            daemon = subprocess.Popen([program, "serve", "--state", runs.state, "--dashboard", "0"], stderr=file)
        try:
            base = address(daemon, log)
            cluster = runs.launch("cluster", str(job), "--workers", "2", "--hardware", "dgx1-v100-16g")
            runs.wait(cluster, 0.6)
            page = Camera(base, 1280, 900)
            page.wait(lambda: len(page.driver.find_elements("css selector", "#workers li")) == 2, "its workers")
            page.take(folder / "dashboard.png", 0, 0, 1280, 830)
            page.driver.quit()
            runs.wait(cluster, 1)
            wafer = runs.launch("wafer", str(job), "--hardware", "cs1")
            runs.wait(wafer, 1)
            runs.run("report", cluster, wafer, "--out", scratch + "/report")
            report = pathlib.Path(scratch, "report", "report.html").as_uri()
            path = "svg[aria-labelledby^=critical-0]"
            for name, window, left, width, dark, first, last in (
                ("report", 1280, 80, 1140, False, "body", ".details"),
                ("report-narrow", 400, 0, 400, False, "body", ".race"),
                ("report-dark", 1280, 90, 960, True, f"h3:has(~ figure {path})", f"figure:has({path}) + .scroll"),
            ):
                page = Camera(report, window, 1000, dark)
                top, bottom = page.edges(first, last)
                page.take(folder / f"{name}.png", left, top - 24, width, round(bottom - max(0, top - 24)) + 24)
                page.driver.quit()
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(30)
        finally:
            daemon.kill()


if __name__ == "__main__":
    main()
