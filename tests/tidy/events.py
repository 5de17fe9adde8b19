"""Rules on the events: what collects them and what explains them knows those of the catalogue, and no others."""
import re
import xml.etree.ElementTree

CATALOGUE = "installer/handlebroker_messages.mc"
FORWARDING = "installer/forwarding.xml"
SOURCE = "installer/handlebroker.wxs"
SCRIPT = "installer/install.cmd"
PAGE = "installer/ADMIN.md"

WIX = "{http://schemas.microsoft.com/wix/2006/wi}"
SUBSCRIPTION = "{http://schemas.microsoft.com/2006/03/windows/events/subscription}"
MANAGER = "Service Control Manager"
# What a subscription cannot do without, and what these may be.
VALUES = {
    "SubscriptionType": {"SourceInitiated"}, "Enabled": {"true"},
    "Uri": {"http://schemas.microsoft.com/wbem/wsman/1/windows/EventLog"},
    "ConfigurationMode": {"Normal", "MinLatency", "MinBandwidth"}, "ReadExistingEvents": {"true", "false"},
    "TransportName": {"http", "https"}, "ContentFormat": {"RenderedText", "Events"}, "LogFile": {"ForwardedEvents"},
}
# Windows takes as many comparisons in one expression.
COMPARISONS_MAX = 20
LEVELS = {"Informational": "information", "Warning": "warning", "Error": "error"}


def parse(findings, path, text):
    """The root element, or None."""
    try:
        return xml.etree.ElementTree.fromstring(text.strip())
    except xml.etree.ElementTree.ParseError as error:
        findings.add(path, 1, "event", f"is no XML: {error}")
        return None


def names(findings, root):
    """The log and the source that both installers register, and the service's display name."""
    path = root / SOURCE
    tree = parse(findings, path, path.read_text(encoding="utf-8"))
    if tree is None:
        return None
    keys = {element.get("Key") for element in tree.iter(WIX + "RegistryValue")}
    displays = {element.get("DisplayName") for element in tree.iter(WIX + "ServiceInstall")}
    script = (root / SCRIPT).read_text(encoding="utf-8")
    service = re.search(r'^set "SERVICE=(\w+)"', script, re.MULTILINE)
    logs = re.findall(r'^set "LOG=HKLM\\(.*)"', script, re.MULTILINE)
    if len(keys) != 1 or len(displays) != 1 or not service \
            or keys != {log.replace("%SERVICE%", service.group(1)) for log in logs}:
        findings.add(path, 1, "event", f"registers {keys}, install.cmd {logs}")
        return None
    *_, log, source = keys.pop().split("\\")
    return log, source, displays.pop()


def check_select(findings, path, select, wanted):
    """One expression is about the provider, the ids and the service that @wanted has for its log."""
    log, expression = select.get("Path"), select.text or ""
    if log not in wanted:
        findings.add(path, 1, "event", f"selects from the log {log}")
        return
    provider, ids, named = wanted.pop(log)
    found = {int(number) for number in re.findall(r"\bEventID\s*=\s*(\d+)", expression)}
    if re.findall(r"Provider\[@Name='([^']*)'\]", expression) != [provider]:
        findings.add(path, 1, "event", f"selects from {log} by another provider than {provider}")
    if ids is not None and found != ids:
        findings.add(path, 1, "event",
                     f"selects ids that the catalogue does not have, or not all: {sorted(found ^ ids)}")
    if named is not None and re.findall(r"\[@Name='param1'\]='([^']*)'", expression) != [named]:
        findings.add(path, 1, "event", f"selects from {log} events of others than {named}")
    if expression.count("=") > COMPARISONS_MAX:
        findings.add(path, 1, "event", f"has more than {COMPARISONS_MAX} comparisons in one expression")
    if expression.count("[") != expression.count("]") or expression.count("(") != expression.count(")"):
        findings.add(path, 1, "event", "has a bracket too many in an expression")


def check_forwarding(findings, root, ids):
    path = root / FORWARDING
    registered = names(findings, root)
    tree = parse(findings, path, path.read_text(encoding="utf-8"))
    if registered is None or tree is None:
        return
    log, source, display = registered
    for name, allowed in VALUES.items():
        if (tree.findtext(SUBSCRIPTION + name) or "").strip() not in allowed:
            findings.add(path, 1, "event", f"{name} is none of {sorted(allowed)}")
    query = parse(findings, path, tree.findtext(SUBSCRIPTION + "Query") or "")
    if query is None:
        return
    wanted = {log: (source, ids, None), "System": (MANAGER, None, display)}
    for select in query.iter("Select"):
        check_select(findings, path, select, wanted)
    for missing in sorted(wanted):
        findings.add(path, 1, "event", f"selects nothing from the log {missing}")


def check_page(findings, root, catalogue):
    """ADMIN.md has a row for each event, with its level, and for no other."""
    path = root / PAGE
    rows = dict(re.findall(r"^\| (\d{3}) \| (\w+) \|", path.read_text(encoding="utf-8"), re.MULTILINE))
    for number, severity in catalogue.items():
        if rows.pop(number, None) != LEVELS.get(severity):
            findings.add(path, 1, "event", f"has no row on event {number}, {LEVELS.get(severity)}")
    for number in rows:
        findings.add(path, 1, "event", f"has a row on event {number}, which is none")


def check(findings, root):
    missing = [name for name in (CATALOGUE, FORWARDING, SOURCE, SCRIPT, PAGE) if not (root / name).is_file()]
    for name in missing:
        findings.add(root / name, 1, "event", "is missing")
    if missing:
        return
    catalogue = dict(re.findall(r"^MessageId=(\d+)\nSeverity=(\w+)$", (root / CATALOGUE).read_text(encoding="utf-8"),
                                re.MULTILINE))
    if not catalogue:
        findings.add(root / CATALOGUE, 1, "event", "no messages were found")
    check_forwarding(findings, root, {int(number) for number in catalogue})
    check_page(findings, root, catalogue)
