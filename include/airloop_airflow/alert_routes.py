"""One alert through one of Airflow's own notifiers. Addresses and secrets lie in Airflow's connections.

A notifier renders its texts as Jinja templates, and an alert quotes data: the texts go in as values of constant
templates, so that nothing of them is rendered.
"""

import html
import logging
from collections.abc import Callable
from typing import Any

from airflow.sdk import conf

from airloop.config import Pipeline
from airloop.config.alerts import AlertRoute
from airloop.errors import ConfigError
from airloop.stores.alerts import StoredAlert
from airloop.watch import alerts

logger = logging.getLogger("airloop.alerts")

_PROVIDER = "apache-airflow-providers-{}"


def sender(pipeline: Pipeline) -> Callable[[AlertRoute, StoredAlert, bool], None]:
    """What `airloop.watch.alerts.tell` sends the messages of a pipeline with."""

    def send(route: AlertRoute, stored: StoredAlert, resolved: bool) -> None:
        address = conf.get("api", "base_url", fallback="")
        subject = alerts.subject(pipeline, stored, resolved=resolved)
        body = alerts.body(pipeline, stored, resolved=resolved, address=address)
        if route.to == "log":
            logger.log(logging.INFO if resolved else logging.WARNING, "%s\n%s", subject, body)
            return
        try:
            notifier = _NOTIFIERS[route.to](route, stored, resolved)
        except ImportError as error:
            raise ConfigError(
                f"alerts to {route.to} need {_PROVIDER.format(route.to)}; requirements/production.lock has it ({error})"
            ) from error
        slack = {"slack_subject": _slack_text(subject), "slack_body": _slack_text(body)}
        _notify(notifier, {"subject": subject, "body": body, "html": f"<pre>{html.escape(body)}</pre>", **slack})

    return send


def _notify(notifier: Any, texts: dict[str, str]) -> None:
    # Not by calling it: a notifier that is called logs what goes wrong, and nobody would send the message again.
    notifier.render_template_fields(texts)
    notifier.notify(texts)


def _smtp(route: AlertRoute, _stored: StoredAlert, _resolved: bool) -> Any:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    connection: dict[str, Any] = {"smtp_conn_id": route.connection} if route.connection else {}
    texts: dict[str, Any] = {"subject": "{{ subject }}", "html_content": "{{ html }}"}
    return SmtpNotifier(to=list(route.recipients), mime_subtype="alternative", **texts, **connection)


def _slack(route: AlertRoute, _stored: StoredAlert, _resolved: bool) -> Any:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    connection: dict[str, Any] = {"slack_webhook_conn_id": route.connection} if route.connection else {}
    return SlackWebhookNotifier(text="{{ slack_subject }}\n```{{ slack_body }}```", **connection)


def _slack_text(text: str) -> str:
    """Quoted data as Slack shows it: `<!channel>` calls nobody, `<address|text>` is not a link, no block ends early.

    Escaped as https://docs.slack.dev/messaging/formatting-message-text says: these three characters and no others.
    """
    return html.escape(text, quote=False).replace("```", "'''")


def _apprise(route: AlertRoute, stored: StoredAlert, resolved: bool) -> Any:
    from airflow.providers.apprise.notifications.apprise import AppriseNotifier
    from apprise import NotifyType

    kinds = {"critical": NotifyType.FAILURE, "warning": NotifyType.WARNING, "info": NotifyType.INFO}
    connection: dict[str, Any] = {"apprise_conn_id": route.connection} if route.connection else {}
    kind = NotifyType.SUCCESS if resolved else kinds[stored.alert.severity]
    return AppriseNotifier(title="{{ subject }}", body="{{ body }}", notify_type=kind, **connection)


_NOTIFIERS: dict[str, Callable[[AlertRoute, StoredAlert, bool], Any]] = {
    "smtp": _smtp,
    "slack": _slack,
    "apprise": _apprise,
}
