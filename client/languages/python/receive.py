"""python receive.py NAME [--pipe PIPE] [--unverified]

Opens the endpoint NAME (such as user/inbox), takes one delivery and uses it: what a file has in it is printed, an
event is set. Exit code 0 only if that was done.
"""
import argparse
import ctypes
import sys
from ctypes.wintypes import DWORD

from handle_broker import SERVICE_PIPE, Session, apply_flags, close_item
from windows import Error, ReadFile, SetEvent, must


def use(item):
    if item["type"] == "Event":
        must(SetEvent(item["handle"]), "the event cannot be set")
        print("target: the event is set", flush=True)
        return
    buffer, count = ctypes.create_string_buffer(65536), DWORD(1)
    while count.value > 0:
        must(ReadFile(item["handle"], buffer, len(buffer), ctypes.byref(count), None), "the file cannot be read")
        sys.stdout.buffer.write(buffer.raw[:count.value])
    sys.stdout.buffer.flush()


def receive(session, name):
    # This is the consent: files to read, and events to set (EVENT_MODIFY_STATE), and nothing else.
    session.request("endpoint.open", {"name": name, "types": {"File": "read", "Event": 0x2}})
    print(f"target: {name} is open", flush=True)
    done = False
    while not done:
        message = session.notification()
        if message["method"] != "handle.delivered":
            continue
        # Without an endpoint another process has put a handle into this one: not for us, but ours to close.
        sender, items = message["params"]["from"], message["params"]["items"]
        done = message["params"]["endpoint"] == name
        if done:
            print(f"target: process {sender['pid']} has sent {len(items)} handles", flush=True)
        for item in items:
            apply_flags(item)
            if done:
                use(item)
            close_item(item)
    session.request("endpoint.close", {"name": name})
    session.close()


def main():
    parser = argparse.ArgumentParser(description="take one delivery at an endpoint")
    parser.add_argument("name")
    parser.add_argument("--pipe", default=SERVICE_PIPE)
    parser.add_argument("--unverified", action="store_true")
    options = parser.parse_args()
    try:
        receive(Session(options.pipe, options.unverified), options.name)
    except Error as error:
        sys.exit(f"target: {error}")


if __name__ == "__main__":
    main()
