"""A judge of policies: what a pipeline's past would have been under each, in data time, without Airflow."""

from airloop.authoring.backtest.outcome import Backtest, Outcome, backtest
from airloop.authoring.backtest.page import page
from airloop.authoring.backtest.policies import POLICIES, Policy, find_policies
from airloop.authoring.backtest.source import past_of

__all__ = ["POLICIES", "Backtest", "Outcome", "Policy", "backtest", "find_policies", "page", "past_of"]
