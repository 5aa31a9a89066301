"""What stages hand to each other: small frozen records that round-trip through JSON. Frames and models never do."""

from airloop.records.alarm import Alarm
from airloop.records.alert import Alert
from airloop.records.base import Record, Window
from airloop.records.data import (
    Arrived,
    BuiltFeatures,
    Extracted,
    Ingested,
    LandedFile,
    Materialized,
    Profiled,
    SetAside,
    TableCheck,
    TableVersion,
    Validated,
)
from airloop.records.decision import Check, Decision, Described, Promoted, Refitted
from airloop.records.evaluation import Evaluated, Evidence
from airloop.records.governance import RolledBack, TakenBack
from airloop.records.instants import instant_or_default, parse_instant
from airloop.records.monitoring import TAKE_BACK, Action, AfterPromotion, AlarmRate, Monitored, ProbeRefit, Scored
from airloop.records.training import REASONS, Snapshot, TrainedModel, TunedCandidate

__all__ = [
    "REASONS",
    "TAKE_BACK",
    "Action",
    "AfterPromotion",
    "Alarm",
    "AlarmRate",
    "Alert",
    "Arrived",
    "BuiltFeatures",
    "Check",
    "Decision",
    "Described",
    "Evaluated",
    "Evidence",
    "Extracted",
    "Ingested",
    "LandedFile",
    "Materialized",
    "Monitored",
    "ProbeRefit",
    "Profiled",
    "Promoted",
    "Record",
    "Refitted",
    "RolledBack",
    "Scored",
    "SetAside",
    "Snapshot",
    "TableCheck",
    "TableVersion",
    "TakenBack",
    "TrainedModel",
    "TunedCandidate",
    "Validated",
    "Window",
    "instant_or_default",
    "parse_instant",
]
