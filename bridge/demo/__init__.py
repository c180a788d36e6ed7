"""The main job on one machine: a stand-in carrier, the bridge on SQLite, a merchant, and a consumer that watches.

`stage` starts the processes, `merchant` orders, `carrier` looks behind the carrier's back, `witness` reads the events,
`ledger` remembers, `telling` sorts what the carrier told, `summary` balances, `screen` shows, in `words`, and `play`
puts them together.
"""

from bridge.demo.options import DemoFailed, Options
from bridge.demo.play import run

__all__ = ["DemoFailed", "Options", "run"]
