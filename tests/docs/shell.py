"""Prompts of Windows in a private Wine prefix, for who types what a page says."""
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

WINE = Path(__file__).resolve().parent.parent / "wine"
SECONDS = 60


class Failed(Exception):
    """What a page says has not come about."""


class Shell:
    """Some lines that are being typed at one prompt."""

    def __init__(self, process, output):
        self.process = process
        self.output = output

    def text(self):
        return self.output.read_text(encoding="utf-8", errors="replace").replace("\r", "")

    def wait(self, seconds=SECONDS):
        """The exit code of the last line, as far as Unix tells it, and all that was printed."""
        try:
            return self.process.wait(seconds), self.text()
        except subprocess.TimeoutExpired:
            raise Failed(f"did not come to its end within {seconds} s; so far it has printed:\n{self.text()}") from None


class Prefix:
    """with Prefix(folder) as prefix: a fresh Windows, which is gone afterwards."""

    def __init__(self, folder):
        self.folder = folder
        self.count = 0
        script = f'. "{WINE}/env.sh" && hbk_wine_env "$1" && env -0'
        lines = subprocess.run(["bash", "-c", script, "env", folder], check=True, stdout=subprocess.PIPE).stdout
        self.environment = dict(line.split("=", 1) for line in os.fsdecode(lines).split("\0") if line)

    def __enter__(self):
        # Ended by ctest, it still ends the prefix.
        signal.signal(signal.SIGTERM, lambda *_: exit(143))
        self.stop()
        self.script("start")
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.script("stop")
        for path in self.folder.parent.glob(self.folder.name + "*"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def script(self, action):
        subprocess.run([WINE / "prefix.sh", action, self.folder], check=True)

    @property
    def drive(self):
        return self.folder / "drive_c"

    def here(self, path):
        """Where "C:\\…" lies here."""
        return str(self.drive) + path[2:].replace("\\", "/")

    def start(self, lines, folder, answers=""):
        """Types @lines into a prompt in @folder, as they are; @answers are what its programs read, None: a pipe."""
        self.count += 1
        script = self.folder.parent / f"prompt{self.count}.bat"
        files = [script.with_suffix(suffix) for suffix in (".in", ".out")]
        script.write_bytes("\r\n".join(["@echo off", *lines, ""]).encode())
        files[0].write_text(answers or "", encoding="utf-8")
        # Files, for Wine's programs cannot use Unix pipes.
        with files[0].open() as read, files[1].open("w") as written:
            process = subprocess.Popen(
                [self.environment["HBK_WINE"], "cmd", "/c", "Z:" + str(script).replace("/", "\\")],
                cwd=folder, env=self.environment, stdin=subprocess.PIPE if answers is None else read, stdout=written,
                stderr=subprocess.STDOUT)
        return Shell(process, files[1])

    def run(self, lines, folder, answers="", seconds=SECONDS):
        done = self.start(lines, folder, answers).wait(seconds)
        # A program whose server has died ends with 0, whatever it had got to.
        subprocess.run([self.environment["HBK_WINESERVER"], "-k0"], env=self.environment, check=True)
        return done

    def wait_for(self, what, wanted):
        """Asks @what until it says @wanted, which it has SECONDS for."""
        end = time.monotonic() + SECONDS
        while not wanted(what()):
            if time.monotonic() > end:
                raise Failed(f"not within {SECONDS} s: {what()}")
            time.sleep(0.1)
