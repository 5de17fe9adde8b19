"""A C source as far as the rules need it: includes, function bodies, calls. No compiler is asked, so
that every file is seen whole, whatever the platform that it is for."""
import re

COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*\b")
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else"}


def blank(text):
    """As many lines and characters as @text, and nothing in them."""
    return re.sub(r"[^\n]", " ", text)


class Source:
    def __init__(self, path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        # Text in quotes of an include is a literal too: includes are read from what has its literals.
        self.bare = COMMENT_OR_LITERAL.sub(lambda match: blank(match.group()), self.text)
        self.commented_out = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def includes(self):
        """(line, name, in quotes?) of each include."""
        code = self.commented_out.sub(lambda match: blank(match.group()), self.text)
        for match in INCLUDE.finditer(code):
            yield self.line_of(match.start()), match.group(1) or match.group(2), bool(match.group(1))

    def calls(self):
        """(line, name) of everything that looks like a call, in macros too."""
        for match in CALL.finditer(self.bare):
            if match.group(1) not in KEYWORDS:
                yield self.line_of(match.start()), match.group(1)

    def identifiers(self):
        for match in IDENTIFIER.finditer(self.bare):
            yield self.line_of(match.start()), match.group()

    def _code(self):
        code = DIRECTIVE.sub(lambda match: blank(match.group()), self.bare)
        # extern "C" { … } is no level of its own; its literal is blank by now.
        return re.sub(r"\bextern\s+\{", lambda match: blank(match.group()), code)

    def declarations(self):
        """(name, line, what stands before it) of each function that is declared or defined here."""
        code, depth, head = self._code(), 0, 0
        for match in re.finditer(r"[{};]", code):
            at, character = match.start(), match.group()
            if depth == 0 and character != "}":
                found = self._function_head(code, head, at)
                text = code[head:at]
                if found is not None and not text.lstrip().startswith("typedef"):
                    yield (*found, self.text[:head + len(text) - len(text.lstrip())])
            depth = max(depth + {"{": 1, "}": -1}.get(character, 0), 0)
            if depth == 0:
                head = at + 1

    def functions(self):
        """(name, first line of its head, last line) of each function that is defined here."""
        code = self._code()
        depth, head, begin = 0, 0, None
        for match in re.finditer(r"[{};]", code):
            at, character = match.start(), match.group()
            if character == "{":
                if depth == 0:
                    begin = self._function_head(code, head, at)
                depth += 1
            elif character == "}":
                depth = max(depth - 1, 0)
                if depth == 0:
                    if begin is not None:
                        yield begin[0], begin[1], self.line_of(at)
                    begin, head = None, at + 1
            elif depth == 0:
                head = at + 1

    def _function_head(self, code, start, brace):
        head = code[start:brace]
        if not head.rstrip().endswith(")"):
            return None
        # The name is before the brackets that end the head; those before it are a macro's.
        depth, at = 0, len(head.rstrip())
        while at > 0:
            at -= 1
            depth += {")": 1, "(": -1}.get(head[at], 0)
            if depth == 0:
                break
        name = re.search(r"(\w+)\s*$", head[:at])
        if name is None:
            return None
        first = start + len(head) - len(head.lstrip())
        return name.group(1), self.line_of(first)
