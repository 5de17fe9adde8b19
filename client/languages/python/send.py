"""python send.py NAME FILE [--pipe PIPE] [--unverified]

Opens FILE to read it and hands it, with an event to say that it was read, to who has opened the endpoint NAME (such
as user/inbox). Exit code 0 only if the target has set the event.
"""
import argparse
import msvcrt
import sys

from handle_broker import SERVICE_PIPE, Session
from windows import CloseHandle, CreateEventW, Error, WaitForSingleObject, must


def send(session, name, path):
    event = CreateEventW(None, True, False, None)
    must(event, "CreateEvent")
    with open(path, "rb") as file:
        sent = session.request("handle.send", {"to": name, "items": [
            {"handle": msvcrt.get_osfhandle(file.fileno()), "type": "File", "access": "read"},
            {"handle": event, "type": "Event", "access": 0x2},  # EVENT_MODIFY_STATE
        ]})
    for item in sent["items"]:  # the target has its own: ours may be closed
        print(f"source: the target has a handle to this {item['type']}, access {item['access']:#x}")
    if WaitForSingleObject(event, 10000) != 0:
        raise Error("the target has not set the event within 10 s")
    print("source: the target has set the event")
    CloseHandle(event)
    session.close()


def main():
    parser = argparse.ArgumentParser(description="hand a file to an endpoint")
    parser.add_argument("name")
    parser.add_argument("file")
    parser.add_argument("--pipe", default=SERVICE_PIPE)
    parser.add_argument("--unverified", action="store_true")
    options = parser.parse_args()
    try:
        send(Session(options.pipe, options.unverified), options.name, options.file)
    except (Error, OSError) as error:
        sys.exit(f"source: {error}")


if __name__ == "__main__":
    main()
