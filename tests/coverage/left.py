"""left.txt: what of proto and service/core no test executes, and why. An entry is

    service/core/lane.c hbk_lane_enter
      false: other->to_pid == delivery->to_pid
      line: return HBK_FATAL;
      why: one reason for all that stands above it,
        which may go on like this

"true" and "false" are the outcomes of a condition, spelled as in the source, blanks aside. What stands in a
function several times is listed as often. There are no line numbers, so that entries outlive other changes.
"""
import re

NAME = "left.txt"
HEAD = re.compile(r"^(\S+\.[ch]) (\w+)$")
ITEM = re.compile(r"^  (true|false|line): (\S.*)$")
WHY = re.compile(r"^  why: \S.*$")
MORE = re.compile(r"^    \S.*$")


def read(path):
    """[(file, function, "true", "false" or "line", text)]; ends the program over what it can't read."""
    entries, head, state = [], None, "why"
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if text == "" or text.startswith("#"):
            continue
        if HEAD.match(text) and state == "why":
            head, state = HEAD.match(text).groups(), "head"
        elif ITEM.match(text) and state in ("head", "item"):
            what, source = ITEM.match(text).groups()
            entries.append((*head, what, " ".join(source.split())))
            state = "item"
        elif WHY.match(text) and state == "item":
            state = "why"
        elif not (MORE.match(text) and state == "why" and entries):
            raise SystemExit(f"coverage: {NAME}:{number}: not as it must be: {text}")
    if state != "why":
        raise SystemExit(f"coverage: {NAME}: the last entry has no reason")
    return entries
