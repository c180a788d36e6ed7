"""InPost Returns as its page describes it: tickets, their list and their labels, behind tokens that expire.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/1043791894/InPost+Returns+REST+API
"""
