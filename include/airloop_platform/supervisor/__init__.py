"""The platform on one machine: Airflow's four services and the MLflow server under one supervisor.

from airloop_platform import supervisor

platform = supervisor.start_detached(settings, on_progress=print)
supervisor.status(settings)
supervisor.down(settings, on_progress=print)
"""

from airloop_platform.supervisor.control import current, down, start_detached, status
from airloop_platform.supervisor.environment import airflow_environment, mlflow_environment
from airloop_platform.supervisor.records import SERVICES, Platform, ServiceStatus
from airloop_platform.supervisor.supervise import run

__all__ = [
    "SERVICES",
    "Platform",
    "ServiceStatus",
    "airflow_environment",
    "current",
    "down",
    "mlflow_environment",
    "run",
    "start_detached",
    "status",
]
