"""Szybkie Zwroty as its pages describe it: return codes, active or made in advance, and a report of them.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/98795521 (overview), 101384295, 102137857, 101384311,
102137888, 101384332
"""
