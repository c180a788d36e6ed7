"""Intelligentreturns (ReBound) as its page describes it: orders, returns, tracking and services, in JSON and XML.

https://returns.returnsplatform.com/api
"""
