"""Registers the functions, nothing else."""

import azure.functions as func

from functions._starting import started
from functions.http_activity import activity
from functions.http_disclosures import disclosures
from functions.http_downloads import downloads
from functions.http_health import health
from functions.http_newsletter import newsletter
from functions.http_newsletter_systems import newsletter_systems
from functions.http_openapi import openapi
from functions.http_opendsr import opendsr
from functions.http_operations_cases import operations_cases
from functions.http_operations_decisions import operations_decisions
from functions.http_operations_holds import operations_holds
from functions.http_operations_newsletter import operations_newsletter
from functions.http_operations_queues import operations_queues
from functions.http_operations_recipients import operations_recipients
from functions.http_operations_restores import operations_restores
from functions.http_operations_retention import operations_retention
from functions.http_policy import policy
from functions.http_processing import processing
from functions.http_requests import requests
from functions.http_webhooks import webhooks
from functions.queue_newsletters import newsletter_queues
from functions.queue_poison import poison
from functions.queue_requests import queues
from functions.queue_retention import retention_queue
from functions.timer_measuring import measuring
from functions.timer_reconciliation import reconciliation
from functions.timer_retention import retention
from functions.timer_sweep import timers
from functions.timer_warnings import warnings

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for blueprint in (
    disclosures,
    activity,
    downloads,
    health,
    newsletter,
    newsletter_systems,
    openapi,
    opendsr,
    operations_cases,
    operations_decisions,
    operations_holds,
    operations_newsletter,
    operations_queues,
    operations_recipients,
    operations_restores,
    operations_retention,
    policy,
    processing,
    requests,
    webhooks,
    newsletter_queues,
    poison,
    queues,
    reconciliation,
    measuring,
    retention_queue,
    retention,
    timers,
    warnings,
):
    app.register_functions(blueprint)

started()
