"""Registers the functions, nothing else."""

import azure.functions as func

from functions.http_downloads import downloads
from functions.http_health import health
from functions.http_processing import processing
from functions.http_requests import requests
from functions.queue_poison import poison
from functions.queue_requests import queues
from functions.timer_sweep import timers

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for blueprint in (downloads, health, processing, requests, poison, queues, timers):
    app.register_functions(blueprint)
