"""`bridge doctor`: looks at everything a bridge needs, and says in words what to do about what is not well.

It changes nothing, prints no secret, and every look ends within ten seconds.
"""

from bridge.doctor.examination import examine
from bridge.doctor.report import Check, Report, render

__all__ = ["Check", "Report", "examine", "render"]
