#!/usr/bin/env python3
"""Shows that tidy.py fails when it should: a small clean tree has no findings, and each violation that is
planted in it has exactly the findings that are named beside it. A rule without a case here is not
believed to work."""
import json
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import events  # noqa: E402
import flags  # noqa: E402
import json_page  # noqa: E402
import tidy  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cmake"))
import message_table  # noqa: E402

HEADER = '''#ifndef HANDLEBROKER_H
#define HANDLEBROKER_H
#include <windows.h>
#ifdef __cplusplus
extern "C" {
#endif
/**
 * hbk_open() - connect
 */
HBK_API hbk_result hbk_open(const hbk_open_options *options,
                            hbk_client **ret_client);
/** hbk_close() - leave */
HBK_API void hbk_close(hbk_client *client);
#ifdef __cplusplus
}
#endif
#endif
'''
OPEN_PAGE = """# hbk_open(3)

## NAME

hbk_open - connects

## SYNOPSIS

```c
hbk_result hbk_open(const hbk_open_options *options, hbk_client **ret_client);
```

## DESCRIPTION

It does.
"""
CLOSE_PAGE = OPEN_PAGE.replace("hbk_open", "hbk_close").replace(
    "hbk_result hbk_close(const hbk_close_options *options, hbk_client **ret_client)",
    "void hbk_close(hbk_client *client)")


def command_page(name):
    page = name.replace(" ", "-")
    return (f"# {page}(1)\n\n## NAME\n\n{name} - it\n\n## SYNOPSIS\n\n{name}\n\n## DESCRIPTION\n\nIt.\n"
           f"\n## EXAMPLES\n\n{name}\n")


SCHEMA = {"$defs": {"hbctl store put": {"properties": {"entry": {"type": "integer"}}, "required": []}}}
CLEAN = {
    "proto/base/base.h": "#include <stdint.h>\n/** hbk_add() - the sum */\nint hbk_add(int a, int b);\n"
                         "/* An outcome. */\nenum { HBK_E_NONE = (1) };\ntypedef void (*hbk_hear)(int a);\n"
                         "extern int (*const hbk_table[2])(int);\n",
    "proto/base/base.c": '#include "base.h"\n/* "strcpy(a, b)" in words is no call */\n'
                         'int hbk_add(int a, int b)\n{\n    return a + b;\n}\n',
    "proto/base/results.def": 'HBK_RESULT(DENIED, 2, "denied", "policy says no")\n',
    "proto/codec/message.h": '#include "base.h"\n',
    "proto/codec/schema.c": '#include "message.h"\n#include <cjson/cJSON.h>\n'
                            'static const char *const names[] = {"session.hello"};\n',
    "proto/PROTOCOL.md": "`session.hello`\n\n| code | name | meaning |\n| --- | --- | --- |\n"
                         "| 2 | `denied` | policy says no |\n",
    "service/platform/platform.h": '#include "base.h"\n',
    "service/core/core.h": '#include "base.h"\n#include "platform.h"\n',
    "service/core/core.c": '#include "core.h"\n#include "message.h"\n#include <string.h>\n',
    "service/win/win.h": '#include "platform.h"\n#include <windows.h>\n',
    "service/win/identity.c": '#include "win.h"\nvoid hbk_identity(void)\n{\n'
                              '    ImpersonateNamedPipeClient(0);\n}\n',
    "service/main/main.c": '#include "core.h"\n#include "win.h"\n#include <uv.h>\n',
    "client/include/handlebroker.h": HEADER,
    "client/lib/client.c": '#include "handlebroker.h"\n#include "message.h"\n',
    "client/cli/hbctl.c": '#include "handlebroker.h"\nHBCTL_COMMAND("store put", run,\n'
                          '"Examples:\\n"\n"  hbctl store put\\n")\n',
    "client/man/hbk_open.md": OPEN_PAGE,
    "client/man/hbk_close.md": CLOSE_PAGE,
    "client/man/hbctl.md": command_page("hbctl"),
    "client/man/hbctl-store-put.md": command_page("hbctl store put"),
    "client/man/hbctl.schema.json": json.dumps(SCHEMA),
    "client/man/hbctl-json.md": json_page.page_of(SCHEMA),
    "tests/integration/kit.c": '#include "handlebroker.h"\n#include <windows.h>\n',
}


# These are what they are: whether they agree is the rule.
PROJECT = Path(__file__).resolve().parents[2]
CLEAN.update({name: (PROJECT / name).read_text(encoding="utf-8")
              for name in (events.CATALOGUE, events.FORWARDING, events.SOURCE, events.SCRIPT, events.PAGE)})


def function_of(lines):
    return "int hbk_long(void)\n{\n" + "    hbk_add(1, 2);\n" * (lines - 3) + "}\n"


def appended(name, text):
    return {name: CLEAN[name] + text}


def replaced(name, before, after):
    if before not in CLEAN[name]:
        raise SystemExit(f"selftest: {name} has no {before}")
    return {name: CLEAN[name].replace(before, after, 1)}


# what is planted -> the files that it changes (None removes one) -> "[rule]" and a word of each finding
CASES = [
    ("core includes windows.h", appended("service/core/core.c", "#include <windows.h>\n"),
     ["[include] <windows.h>: service/core knows no such", "[include] <windows.h>: service/core knows no Win"]),
    ("core knows a clock", appended("service/core/core.c", "#include <time.h>\n"), ["[include] <time.h>"]),
    ("core reaches into win", appended("service/core/core.c", '#include "win.h"\n'),
     ["[include] service/core may not include service/win"]),
    ("win feeds the core, no finding", appended("service/win/identity.c", '#include "core.h"\n'), []),
    ("win reaches behind core.h",
     {"service/core/pool.h": "int hbk_pool;\n", **appended("service/win/identity.c", '#include "pool.h"\n')},
     ['"pool.h" is a header of service/core alone']),
    ("core prints", {"service/core/print.c": "void f(void)\n{\n    printf(a);\n}\n"}, ["[call] printf()"]),
    ("codec reaches into core", appended("proto/codec/schema.c", '#include "core.h"\n'),
     ["[include] proto/codec may not include service/core"]),
    ("client reaches into service", appended("client/lib/client.c", '#include "core.h"\n'),
     ["[include] client/lib may not include service/core"]),
    ("service reaches into client", appended("service/main/main.c", '#include "handlebroker.h"\n'),
     ["[include] service/main may not include client/include"]),
    ("cli reaches into proto", appended("client/cli/hbctl.c", '#include "message.h"\n'),
     ["[include] client/cli may not include proto/codec"]),
    ("the tests of the product reach into win", appended("tests/integration/kit.c", '#include "win.h"\n'),
     ["[include] tests/integration may not include service/win"]),
    ("a test of win reaches into it, no finding", {"tests/integration/test_access.c": '#include "win.h"\n'}, []),
    ("a test of win reaches elsewhere", {"tests/integration/test_access.c": '#include "core.h"\n'},
     ["[include] tests/integration may not include service/core"]),
    ("a path around the rules", appended("client/cli/hbctl.c", '#include "../../proto/codec/message.h"\n'),
     ["[include] client/cli may not include proto/codec"]),
    ("libuv in the client", appended("client/lib/client.c", "#include <uv.h>\n"), ["[include] <uv.h>"]),
    ("libuv in the seam", appended("service/win/win.h", "#include <uv.h>\n"), ["[include] <uv.h>"]),
    ("cJSON in the core", appended("service/core/core.c", "#include <cjson/cJSON.h>\n"),
     ["service/core knows no such system", "cJSON stands only"]),
    ("cJSON in a header of the codec", appended("proto/codec/message.h", "#include <cjson/cJSON.h>\n"),
     ["cJSON stands only"]),
    ("fuzzing beside cJSON, no finding", {"tests/fuzz/fuzz_json.c": '#include "core.h"\n#include <cjson/cJSON.h>\n'}, []),
    ("fuzzing reaches into the client and behind core.h",
     {"service/core/pool.h": "int hbk_pool;\n",
      "tests/fuzz/fuzz_core.c": '#include "handlebroker.h"\n#include "pool.h"\n'},
     ["[include] tests/fuzz may not include client/include", '"pool.h" is a header of service/core alone']),
    ("C11 threads", appended("service/win/identity.c", "#include <threads.h>\n"), ["not in all three"]),
    ("assert.h", appended("service/win/identity.c", "#include <assert.h>\n"), ["HBK_ASSERT"]),
    ("a folder without a rule", {"service/extra/extra.c": "int hbk_extra;\n"}, ["service/extra has no rule"]),
    ("two headers of one name", {"service/win/base.h": "int hbk_other;\n"},
     ["may mean any of 2"] * 3),
    ("a long function", {"service/core/long.c": function_of(71)}, ["hbk_long() has 71 lines"]),
    ("a function of 70 lines is no finding", {"service/core/long.c": function_of(70)}, []),
    ("a long function after extern C", {"service/main/long.c": 'extern "C" {\n' + function_of(80) + "}\n"},
     ["hbk_long() has 80 lines"]),
    ("a long function behind a macro",
     {"service/main/long.c": "HBK_PRINTF(1, 2)\n" + function_of(80)}, ["hbk_long() has 81 lines"]),
    ("a long function behind a macro of many brackets",
     {"service/main/long.c": "A((1), (2)) static " + function_of(80).replace("(void)", "(int (*f)(int), int b)")},
     ["hbk_long() has 80 lines"]),
    ("a long file", {"service/core/long.c": "int hbk_x;\n" * 601}, ["601 lines"]),
    ("a long script", {"tests/tidy/long.sh": ":\n" * 601}, ["601 lines"]),
    ("strcpy", {"client/cli/copy.c": "void f(void)\n{\n    strcpy(a, b);\n}\n"}, ["[call] strcpy()"]),
    ("sprintf in a macro", {"client/cli/copy.h": "#define PUT(a) sprintf (a, 0)\n"}, ["[call] sprintf()"]),
    ("lstrcatW", {"client/cli/copy.c": "void f(void)\n{\n    lstrcatW(a, b);\n}\n"}, ["[call] lstrcatW()"]),
    ("atoi behind a string with quotes",
     {"client/cli/copy.c": 'void f(void)\n{\n    g("\\"/*"); atoi(a);\n}\n'}, ["[call] atoi()"]),
    ("uv_queue_work", {"service/main/other.c": "void f(void)\n{\n    uv_queue_work(a, b);\n}\n"},
     ["[call] uv_queue_work()"]),
    ("SuspendThread", {"tests/integration/test_other.c": "void f(void)\n{\n    SuspendThread(a);\n}\n"},
     ["[call] SuspendThread()"]),
    ("uv_queue_work where it may stand, no finding",
     {"service/main/reload.c": "void f(void)\n{\n    uv_queue_work(a, b);\n}\n"}, []),
    ("uv_pipe_bind", {"service/win/bind.c": "void f(void)\n{\n    uv_pipe_bind(a, b);\n}\n"},
     ["[call] uv_pipe_bind()"]),
    ("getenv in the library", {"client/lib/env.c": "void f(void)\n{\n    getenv(a);\n}\n"},
     ["[call] getenv()"]),
    ("getenv in hbctl is no finding", {"client/cli/env.c": "void f(void)\n{\n    getenv(a);\n}\n"}, []),
    ("a second impersonation",
     {"service/win/second.c": "void f(void)\n{\n    ImpersonateNamedPipeClient(0);\n}\n"},
     ["ImpersonateNamedPipeClient, more than 1"]),
    ("an object's name", {"service/win/name.c": "int hbk_class = ObjectNameInformation;\n"},
     ["ObjectNameInformation, more than 0"]),
    ("a mark", appended("service/core/core.c", "/* " + "TO" + "DO: later */\n"), ["[mark]"]),
    ("a warning that is told to be quiet",
     appended("service/core/core.c", '#pragma GCC diagnostic ignored "-Wshadow"\n'), ["[pragma]"]),
    ("the same within a macro", appended("client/cli/hbctl.c", '#define QUIET _Pragma("warning")\n'), ["[pragma]"]),
    ("no doc comment",
     appended("client/include/handlebroker.h", "HBK_API void hbk_bare(void);\n"),
     ["hbk_bare() has no comment", "there is no page on hbk_bare"]),
    ("a doc comment that is another's",
     appended("client/include/handlebroker.h", "/** hbk_close() - again */\nHBK_API int hbk_b(void);\n"),
     ["hbk_b() has no comment", "there is no page on hbk_b"]),
    ("an inner function without a comment",
     appended("proto/base/base.h", "int hbk_sub(int a, int b);\n"), ["[doc] hbk_sub() has no comment"]),
    ("an inline function without a comment",
     appended("service/core/core.h", "/* one */\nstatic inline int hbk_one(void)\n{\n    return 1;\n}\n"),
     ["[doc] hbk_one() has no comment"]),
    ("an inner function with another's comment",
     appended("service/platform/platform.h", "/** hbk_a() - it */\nint hbk_a(void);\nint hbk_b(void);\n"),
     ["[doc] hbk_b() has no comment"]),
    ("an inner function behind a macro",
     appended("proto/codec/message.h", "/** hbk_a() - it */\nHBK_PRINTF(1, 2)\nint hbk_a(const char *format, ...);\n"
              "HBK_PRINTF(1, 2)\nint hbk_b(const char *format, ...);\n"), ["[doc] hbk_b() has no comment"]),
    ("what the core's files share, no finding", {"service/core/internal.h": "int hbk_shared(void);\n"}, []),
    ("no man page of a function", {"client/man/hbk_open.md": None}, ["there is no page on hbk_open"]),
    ("no man page of a command", {"client/man/hbctl-store-put.md": None}, ["no page on hbctl store put"]),
    ("help without an example of the command",
     {"client/cli/hbctl.c": CLEAN["client/cli/hbctl.c"].replace("hbctl store", "hbctl other")}, ["no Examples:"]),
    ("a man page of a command without examples",
     {"client/man/hbctl.md": CLEAN["client/man/hbctl.md"].replace("## EXAMPLES", "## MORE")}, ["no section EXAMPLES"]),
    ("a command that the schema does not know",
     {"client/man/hbctl.schema.json": json.dumps(SCHEMA).replace("store put", "store get")},
     ["hbctl store get: ", "hbctl store put: ", "json_page.py"]),
    ("a page on JSON that is not the schema's",
     {"client/man/hbctl-json.md": json_page.page_of(SCHEMA).replace("entry", "other")}, ["json_page.py"]),
    ("a man page on nothing", {"client/man/hbk_gone.md": OPEN_PAGE}, ["nothing that exists"]),
    ("a man page of another name", {"client/man/hbctl.md": command_page("hbx")}, ["does not begin", "NAME"]),
    ("a man page without a section",
     {"client/man/hbk_open.md": OPEN_PAGE.replace("## DESCRIPTION", "## TEXT")}, ["no section DESCRIPTION"]),
    ("a man page of another prototype",
     {"client/man/hbk_open.md": OPEN_PAGE.replace("**ret_client", "*ret_client")}, ["the header's"]),
    ("a result without a row",
     appended("proto/base/results.def", 'HBK_RESULT(EXISTS, 4, "exists", "taken")\n'), ["no row for 4"]),
    ("a row that says something else",
     {"proto/PROTOCOL.md": CLEAN["proto/PROTOCOL.md"].replace("says no", "says maybe")}, ["the row of 2"]),
    ("a row of no result",
     appended("proto/PROTOCOL.md", "| 9 | `odd` | nothing has it |\n"), ["a row for 9 odd, which is no result"]),
    ("a method without a specification",
     appended("proto/codec/schema.c", 'static const char *const more = "handle.send";\n'),
     ["does not specify handle.send"]),
    ("no specification", {"proto/PROTOCOL.md": None}, ["[page] is missing"]),
    ("no subscription", {events.FORWARDING: None}, ["[event] is missing"]),
    ("a subscription that is no XML", replaced(events.FORWARDING, "</Description>", ""), ["is no XML"]),
    ("a query that is no XML", replaced(events.FORWARDING, "</Select>", ""), ["is no XML"]),
    ("an event that is not collected", replaced(events.FORWARDING, "EventID=201 or ", ""), ["or not all: [201]"]),
    ("an event that is none", replaced(events.FORWARDING, "EventID=201", "EventID=202"), ["or not all: [201, 202]"]),
    ("an event that is new", appended(events.CATALOGUE, "MessageId=999\nSeverity=Error\n"),
     ["or not all: [999]", "has no row on event 999, error"]),
    ("another provider", replaced(events.FORWARDING, "'HandleBroker'", "'Handle Broker'"),
     ["another provider than HandleBroker"]),
    ("another log", replaced(events.FORWARDING, 'Select Path="Application"', 'Select Path="Setup"'),
     ["from the log Setup", "nothing from the log Application"]),
    ("somebody else's end", replaced(events.FORWARDING, "='Handle Broker'", "='HandleBroker'"),
     ["of others than Handle Broker"]),
    ("a bracket too many", replaced(events.FORWARDING, "EventID=401)]]", "EventID=401)]]]"), ["a bracket too many"]),
    ("too many comparisons", replaced(events.FORWARDING, "EventID=100", " or ".join(["EventID=100"] * 10)),
     ["more than 20 comparisons"]),
    ("a way that there is not", replaced(events.FORWARDING, "MinLatency", "Fast"), ["ConfigurationMode is none of"]),
    ("installers that register another source", replaced(events.SCRIPT, "EventLog\\Application", "EventLog\\System"),
     ["install.cmd ["]),
    ("a page without an event", replaced(events.PAGE, "| 301 | error |", "| 301 | warning |"),
     ["no row on event 301, error"]),
    ("a page with an event that is none", replaced(events.PAGE, "| 301 |", "| 302 | error | x | y |\n| 301 |"),
     ["a row on event 302, which is none"]),
]


def findings_with(changes):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for path, text in {**CLEAN, **changes}.items():
            if text is not None:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
        return tidy.check_tree(root)[0]


GOOD_FLAGS = "gcc " + " ".join(flags.WANTED) + " -c a.c"
# what is compiled how -> how many findings, of how many compilations
FLAG_CASES = [
    ("all flags", "proto/a.c", GOOD_FLAGS, 0, 1),
    ("one flag fewer", "proto/a.c", GOOD_FLAGS.replace("-Wshadow ", ""), 1, 1),
    ("none", "tests/a.c", "gcc -c a.c", len(flags.WANTED), 1),
    ("a warning turned off", "proto/a.c", GOOD_FLAGS + " -Wno-conversion", 1, 1),
    ("all turned off", "proto/a.c", GOOD_FLAGS + " -w", 1, 1),
    ("another's source", "../other/a.c", "gcc -c a.c", 0, 0),
    ("a resource", "proto/a.rc", "windres a.rc", 0, 0),
]


def wrong_flags():
    wrong = 0
    for title, name, command, findings, compiled in FLAG_CASES:
        found, count = flags.findings_of(
            Path("/project"), [{"directory": "/project", "file": name, "command": command}])
        if (len(found), count) != (findings, compiled):
            wrong += 1
            print(f"selftest: flags: {title}: found {found} of {count}")
    return wrong


# what message_table.py is given -> the texts that it makes of it, or a word of why it takes none
MESSAGE_CASES = [
    ('HBK_RESULT(OK, 0, "ok", "done")\n/* HBK_RESULT */\nHBK_RESULT(BAD, -32700,\n  "bad", "not so")\n',
     {0: "done", 0xFFFF8044: "not so"}),
    ('HBK_RESULT(OK, 0, "ok", "100%")\n', "no plain text"),
    ('HBK_RESULT(OK, 0, "ok", "a \\"b\\"")\n', "no plain text"),
    ('HBK_RESULT(OK, 0, "ok", "f\u00fcnf")\n', "no plain text"),
    ('HBK_RESULT(OK, 0, "ok", "a")\nHBK_RESULT(B, 0, "b", "b")\n', "is there twice"),
    ('HBK_RESULT(OK, 0, "ok", "a")\nHBK_RESULT(B, 0x10, "b", "b")\n', "could be read"),
    ("/* nothing */\n", "could be read"),
]


def wrong_messages():
    wrong = 0
    for text, expected in MESSAGE_CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.def"
            path.write_text(text, encoding="utf-8")
            try:
                found = message_table.read([path])
            except SystemExit as error:
                found = str(error)
        if found != expected and not (isinstance(expected, str) and isinstance(found, str) and expected in found):
            wrong += 1
            print(f"selftest: messages: {text!r}: found {found}")
    return wrong


def main():
    failed = wrong_flags() + wrong_messages()
    for title, changes, expected in [("the clean tree", {}, [])] + CASES:
        found = findings_with(changes)
        missing = [text for text in expected if not any(text in line for line in found)]
        if missing or len(found) != len(expected):
            failed += 1
            print(f"selftest: {title}: expected {expected}, found {found}")
    print(f"selftest: {len(CASES) + 1} trees, {len(FLAG_CASES)} compilations, "
          f"{len(MESSAGE_CASES)} tables, {failed} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
