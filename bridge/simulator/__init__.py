"""A stand-in for the carrier, written from its documents alone.

It imports nothing else of the bridge: a misreading shared with the clients would pass every test.
"""

from bridge.simulator.app import create_app
from bridge.simulator.clock import Clock, SystemClock, VirtualClock
from bridge.simulator.errors import ScenarioError, SimulatorError, TargetRefused
from bridge.simulator.scenario import Scenario, load_scenario
from bridge.simulator.server import serve
from bridge.simulator.simulator import Simulator

__all__ = [
    "Clock",
    "Scenario",
    "ScenarioError",
    "Simulator",
    "SimulatorError",
    "SystemClock",
    "TargetRefused",
    "VirtualClock",
    "create_app",
    "load_scenario",
    "serve",
]
