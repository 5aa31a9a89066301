"""The page of a model version: its card, as it is now."""

from airloop.config import load_pipeline
from airloop.features import catalogue
from airloop.pages import history, mlflow_links
from airloop.pages.site import Site
from airloop.reports import card
from airloop.reports.card.page import pictures
from airloop.reports.rendering import render


def page(site: Site, name: str, number: int) -> str:
    """The card of a version.

    Raises:
        ConfigError: No such pipeline, or its declaration is wrong.
        GuardRefused: No such version.
        UpstreamUnavailable: The state database or the reports do not answer.
    """
    pipeline, settings = load_pipeline(name, site.settings), site.settings
    content = card.content(pipeline, number, settings, catalogue=catalogue.read(name, settings))
    versions = history.versions(settings, name)
    version = versions.get(content["version"]["judged"])
    return render(
        "version.html",
        site=site,
        here="version",
        pipeline=pipeline,
        card=content,
        pictures=pictures(content),
        links=mlflow_links.of_version(settings, name, version) if version else {},
        mlflow=mlflow_links.of_pipeline(settings, name, versions),
    )
