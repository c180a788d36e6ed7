"""Keep the last status of every shipment, from the bridge's feed, without a broker: `pip install httpx`."""

import json
import os
import time

import httpx
from state import State


def take(state: State, event: dict, cursor: str | None = None) -> None:
    """Keep what an event says, and show what changed."""
    if state.take(event, cursor):
        print(event["subject"], event["data"]["tracking_status"], flush=True)


def follow(bridge: httpx.Client, state: State) -> None:
    """Read the pages that are missing, then the stream; returns or raises where the stream ends."""
    page = {"next": state.cursor() or ""}
    while page["next"] is not None:
        page = bridge.get("/v1/events", params={"after": page["next"], "limit": 1000}).raise_for_status().json()
        for event in page["items"]:
            take(state, event)
        if page["items"]:
            take(state, page["items"][-1], page["cursor"])  # a repeat by now: only the cursor is new
    headers = {"last-event-id": page["cursor"]}
    with bridge.stream("GET", "/v1/events/stream", headers=headers, timeout=60) as stream:
        stream.raise_for_status()
        print("following", flush=True)
        cursor = None
        for line in stream.iter_lines():  # `id: …`, `event: …`, `data: …`, and a comment every 15 seconds
            if line.startswith("id: "):
                cursor = line.removeprefix("id: ")
            elif line.startswith("data: "):
                take(state, json.loads(line.removeprefix("data: ")), cursor)


def main() -> None:
    """Follow until the program is ended, and again whenever the bridge was away."""
    state = State(os.environ.get("STATE", "feed.db"))
    headers = {"authorization": f"Bearer {os.environ['FEED_TOKEN']}"}
    with httpx.Client(base_url=os.environ["FEED_URL"], headers=headers) as bridge:
        while True:
            try:
                follow(bridge, state)
            except httpx.HTTPError as error:
                print(f"again in a second: {error!r}", flush=True)
            time.sleep(1)


main()
