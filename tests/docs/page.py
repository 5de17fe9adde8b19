"""Reads the fenced blocks of a page, with what stands around them that says whether and how a test runs them."""
import re

# Right behind a block: what a reader sees of a block that no test here can run, or would not.
WINDOWS_ONLY = "*Windows only; not run by the tests.*"
BY_HAND = "*By hand; the tests only look whether it could be run.*"
# Right before one: the file that has its lines and is run.
RUN_BY = re.compile(r"<!-- run by (\S+) -->")
PROMPT = "> "


class Block:
    def __init__(self, page, heading, line, language, lines):
        self.page = page
        self.heading = heading  # what it stands below: "## EXAMPLES"
        self.line = line  # of its fence, from 1
        self.language = language
        self.lines = lines
        self.mark = None  # WINDOWS_ONLY or BY_HAND
        self.run_by = None
        self.beside = False  # another shell than the block right before it, at the same time

    def __str__(self):
        return f"{self.page}:{self.line}"

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"

    def transcript(self):
        """What is typed, and all that is printed."""
        typed = [line[len(PROMPT):] for line in self.lines if line.startswith(PROMPT)]
        return typed, [line for line in self.lines if not line.startswith(PROMPT)]


def read(path, name=None):
    """The blocks of the page at @path; ValueError where a fence or a mark has no partner."""
    lines = path.read_text(encoding="utf-8").splitlines()
    name = name or path.as_posix()
    blocks, around, run_by, heading, at = [], [], None, "", 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        fence = re.match(r"```(\w*)$", line)
        if fence is None:
            mark = RUN_BY.fullmatch(line)
            if mark:
                run_by = mark[1]
            elif line in (WINDOWS_ONLY, BY_HAND):
                if not blocks or "".join(around):
                    raise ValueError(f"{name}:{at}: the mark is not right behind a block")
                blocks[-1].mark = line
            elif line and run_by:
                raise ValueError(f"{name}:{at}: the mark is not right before a block")
            if line.startswith("#"):
                heading = line
            around.append(line)
            continue
        if "```" not in (end.strip() for end in lines[at:]):
            raise ValueError(f"{name}:{at}: the block has no end")
        end = next(index for index in range(at, len(lines)) if lines[index].strip() == "```")
        block = Block(name, heading, at, fence[1], lines[at:end])
        block.run_by, run_by = run_by, None
        block.beside = bool(blocks) and not "".join(around) and block.language == blocks[-1].language
        blocks.append(block)
        around, at = [], end + 1
    return blocks


def section(path, heading):
    """The text of the page from @heading to the next of its depth, each line at its place in the page."""
    text = path.read_text(encoding="utf-8")
    depth = heading.split(" ")[0]
    match = re.search(rf"^{re.escape(heading)}$\n(.*?)(?=^{depth} |\Z)", text, re.MULTILINE | re.DOTALL)
    if match is None:
        raise ValueError(f"{path}: there is no section \"{heading}\"")
    return "\n" * text.count("\n", 0, match.start(1)) + match[1]
