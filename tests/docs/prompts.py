"""Types commands of the pages into prompts of a Windows that has what they name: files, a receiver, a sender, an entry.

A command is typed as it stands, but for what nobody can know before.
"""
import contextlib
import json
import re
import shutil
from pathlib import Path

import shell

FOLDER = r"C:\Program Files\Handle Broker"
CONFIGURATION = r"C:\ProgramData\HandleBroker\handlebroker.json"
# Wine's installer leaves an empty entry on the PATH when it removes, and Wine's prompt finds nothing behind one.
CLEAN_PATH = (r'reg add "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment" /v PATH /t REG_EXPAND_SZ'
              r' /d "%%SystemRoot%%\system32;%%SystemRoot%%" /f')
# What the examples open.
FILES = ("report.txt", "a.log", "b.log", "notes.txt", "app.log", "motd.txt", r"C:\Users\me\notes.txt")
AUDIT = r"C:\ProgramData\HandleBroker\audit.jsonl"
# Who may use the names of the examples that are not in user/, and where it is recorded.
RULES = {"rules": [{"name": name, **{verb: "D:(A;;GA;;;WD)" for verb in ("open", "send", "put", "get")}}
                   for name in ("session/*", "global/*")],
         "audit": {"file": AUDIT}}
# What stands in the examples for what is there: the processes, session, delivery, entry, handle and ticket of somebody.
PROCESS, OTHER_PROCESS, NUMBER, HANDLE, TICKET = "4711", "815", "17", "0x1c4", "0123456789abcdef0123456789abcdef"
# It ends by itself after a minute.
BENCH_SECONDS = 120
# The commands of the store.
STORE = "hbctl store"


class Prompts:
    """A Windows in @prefix, and the packages of the product."""

    def __init__(self, prefix, packages):
        self.prefix, self.packages = prefix, packages
        self.stage = packages / "stage"
        self.state = None
        self.folder = None

    # --- what is installed ----------------------------------------------------------------------

    def wanted_state(self, line):
        """Before a first line: nothing, the files of the service, or all of it, running."""
        if line.startswith("msiexec /i"):
            return "nothing"
        return "files" if line.startswith("sc create") else "installed"

    def ensure(self, state):
        if state == self.state == "installed":
            return
        self.fresh_folder()
        self.remove()
        if state == "files":
            shutil.copytree(self.stage, self.prefix.here(FOLDER))
        elif state == "installed":
            Path(self.prefix.here(CONFIGURATION)).write_text(json.dumps(RULES), encoding="utf-8")
            self.plain("msiexec /i HandleBroker-0.1.0-x64.msi /qn ADDLOCAL=ALL")
        self.state = state

    def remove(self):
        self.prefix.run(["sc stop HandleBroker"], self.folder)
        self.settle("STOPPED")
        self.prefix.run(["msiexec /x HandleBroker-0.1.0-x64.msi /qn", "sc delete HandleBroker"], self.folder)
        self.plain(CLEAN_PATH)
        shutil.rmtree(self.prefix.here(FOLDER), ignore_errors=True)
        settings = Path(self.prefix.here(CONFIGURATION)).parent
        shutil.rmtree(settings, ignore_errors=True)
        settings.mkdir()

    def settle(self, *states):
        """Waits until the service is in one of these states, or is not there."""
        self.prefix.wait_for(lambda: self.prefix.run(["sc query HandleBroker"], self.folder)[1],
                             lambda text: "STATE" not in text or any(state in text for state in states))

    def fresh_folder(self):
        self.folder = self.prefix.drive / "work"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name in FILES:
            path = Path(self.prefix.here(name)) if name.startswith("C:") else self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"this is {name}\n", encoding="utf-8")
        (self.folder / "draft.json").write_text(json.dumps(RULES), encoding="utf-8")
        for msi in self.packages.glob("*.msi"):
            shutil.copy(msi, self.folder)

    # --- typing ---------------------------------------------------------------------------------

    def check(self, line, done, wanted=0):
        code, text = done
        if code != wanted:
            raise shell.Failed(f"{line}: exit code {code}, not {wanted}:\n{text}")
        return text

    def plain(self, line, answers=""):
        return self.check(line, self.prefix.run([line], self.folder, answers))

    def start(self, line, answers=""):
        return self.prefix.start([line], self.folder, answers)

    def object_of(self, line):
        """What a command with --json says."""
        text = self.plain(line)
        try:
            return json.loads(text)
        except ValueError as error:
            raise shell.Failed(f"{line}: {error}:\n{text}") from error

    def ask(self, what):
        return self.object_of(f"hbctl {what} --json")

    def endpoint(self, name):
        """Who listens at @name, once somebody does."""
        def find():
            return [entry for entry in self.ask("endpoints")["endpoints"] if entry["name"] == name]
        self.prefix.wait_for(find, bool)
        return find()[0]

    def end(self, pid):
        """As Ctrl+C would."""
        self.plain(f"taskkill /f /pid {pid}")

    @contextlib.contextmanager
    def receiver(self, name):
        """Somebody who listens at @name and gets what a command sends there."""
        started = self.start(f"hbctl receive {name}")
        yield self.endpoint(name)
        self.check(f"hbctl receive {name}", started.wait())

    @contextlib.contextmanager
    def lent(self):
        """A process that holds a file that can be taken back, and one that could; as their placeholders."""
        holder = self.start("hbctl receive user/lent --revocable --json")
        pid = self.endpoint("user/lent")["pid"]
        lender = self.prefix.start(["hbctl send user/lent --file report.txt --revocable"], self.folder, answers=None)
        self.prefix.wait_for(lambda: self.ask("deliveries")["deliveries"], lambda found: found and "to" in found[0])
        delivery = self.ask("deliveries")["deliveries"][0]
        handle = json.loads(holder.text())["items"][0]["handle"]
        yield {PROCESS: pid, OTHER_PROCESS: delivery["from"]["pid"], NUMBER: delivery["delivery"],
               HANDLE: hex(handle), str(int(HANDLE, 16)): handle}
        lender.process.stdin.close()  # which leaves what was lent where it is
        self.check("the lender", lender.wait())
        self.check("the holder", holder.wait())

    def is_stored(self, name):
        return any(entry["name"] == name for entry in self.object_of(f"{STORE} list --json")["entries"])

    def put(self, what, *options):
        return self.object_of(" ".join([STORE, "put", what, "--file report.txt --json", *options]))

    # --- commands that need another side -----------------------------------------------------------

    def type_receive(self, line, name):
        started = self.start(line, answers="y\n")
        pid = self.endpoint(name)["pid"]
        send = f"hbctl send {name} --file report.txt"
        if "--from" in line:  # somebody that we are not
            self.check(send, self.prefix.run([send], self.folder), wanted=1)
            self.end(pid)
            started.wait()
            return
        self.plain(send)
        if "--count" in line:  # more than will come
            self.prefix.wait_for(started.text, lambda text: "File" in text)
            self.end(pid)
            started.wait()
            return
        self.check(line, started.wait())

    def type_send(self, line, name):
        with self.receiver(name) as endpoint:
            self.plain(replaced(line, {PROCESS: endpoint["pid"]}))

    def type_put(self, line, name):
        if "--replace" not in line and self.is_stored(name):
            self.plain(f"{STORE} remove {name}")
        self.plain(line)

    def type_get(self, line, name):
        if name == "--ticket":
            line = replaced(line, {TICKET: self.put("--ticket")["ticket"]})
        elif not self.is_stored(name):
            self.put(name)
        self.plain(line)

    def type_remove(self, line, name):
        entry = self.put("user/entry" if name == "--entry" else name, "--replace")
        self.plain(replaced(line, {NUMBER: entry["entry"]}))

    def type_lent(self, line, _):
        with self.lent() as values:
            if "--to user/inbox" in line:
                with self.receiver("user/inbox"):
                    self.plain(replaced(line, values))
            else:
                self.plain(replaced(line, values))

    def type_explain(self, line, _):
        with self.receiver("user/inbox") as endpoint:
            self.plain(replaced(line, {PROCESS: endpoint["pid"], NUMBER: endpoint["session"]}))
            self.plain("hbctl send user/inbox --file report.txt")

    def type_watch(self, line, _):
        """It is ended when it has told something, or tells the number it was asked for."""
        def sessions():
            return {entry["session"]: entry["pid"] for entry in self.ask("sessions")["sessions"]}

        def stayed():  # who asks is there once
            first, second = sessions(), sessions()
            return [pid for session, pid in first.items() if session in second and session not in before]
        before = sessions()
        started = self.start(line)
        self.prefix.wait_for(stayed, bool)
        pid = stayed()[0]
        if "--count" in line:
            # A put is three records.
            self.plain(f"for /l %%i in (1,1,40) do {STORE} put user/tick --file report.txt --replace")
            self.check(line, started.wait())
            return
        self.put("user/tick", "--replace")
        self.prefix.wait_for(started.text, lambda text: "store.put" in text)
        self.end(pid)
        started.wait()

    def type_graph(self, line, _):
        """Out of what has been recorded up to now."""
        if "--records" in line:
            for name in ("audit.jsonl", "audit.jsonl.1"):
                shutil.copy(self.prefix.here(AUDIT), self.folder / name)
        self.plain(line)

    def type_bench(self, line, _):
        self.check(line, self.prefix.run([line], self.folder, seconds=BENCH_SECONDS))

    def type_check_config(self, line, name):
        """Wine's drive belongs to a user who is no administrator, so the service's own file is told to be unsafe."""
        done = self.prefix.run([line], self.folder)
        text = self.check(line, done, wanted=0 if name else 1)
        if not name and ("has no mistakes" not in text or r"C:\: is owned by" not in text):
            raise shell.Failed(f"{line}: something else is wrong:\n{text}")

    def type_sc(self, line, verb):
        text = self.plain(line)
        if verb in ("start", "stop"):
            self.settle("RUNNING" if verb == "start" else "STOPPED")
        return text

    TYPED = (
        (r"hbctl receive (\S+)", type_receive),
        (r"hbctl send (\S+)", type_send),
        (STORE + r" put (\S+)", type_put),
        (STORE + r" get (\S+)", type_get),
        (STORE + r" remove (\S+)", type_remove),
        (r"hbctl (?:revoke|transfer|handles|holders) (\S+)", type_lent),
        (r"hbctl explain (\S+)", type_explain),
        (r"hbctl watch()", type_watch),
        (r"hbctl graph()", type_graph),
        (r"hbctl bench()", type_bench),
        (r"hbctl check-config ?(\S*)", type_check_config),
        (r"sc (\S+)", type_sc),
    )

    def type_line(self, line):
        for pattern, how in self.TYPED:
            match = re.match(pattern, line)
            if match:
                how(self, line, match[1])
                return
        self.plain(line)

    def type_blocks(self, blocks):
        """One block, or some that stand side by side: each in a prompt of its own."""
        self.ensure(self.wanted_state(blocks[0].lines[0]))
        self.fresh_folder()
        if len(blocks) > 1 or blocks[0].language == "console":
            shells = []
            for block in blocks:
                typed = block.transcript()[0] if block.language == "console" else block.lines
                shells.append((block, self.prefix.start(typed, self.folder)))
            for block, started in shells:
                text = self.check(block.lines[0], started.wait())
                if block.language == "console" and text.splitlines() != block.transcript()[1]:
                    raise shell.Failed(f"{block}: another text than the page's was printed:\n{text}")
        else:
            for line in blocks[0].lines:
                self.type_line(line)
        if any(line.startswith(("sc ", "msiexec ")) for block in blocks for line in block.lines):
            self.state = None


def replaced(line, values):
    """@line with what is there in the place of what stands for it."""
    return " ".join(str(values.get(word, word)) for word in line.split(" "))
