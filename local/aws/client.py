"""Clients of the embedded AWS, which see nothing of the user's own AWS configuration."""

import functools
import os
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.session
from botocore.config import Config


def connect(service: str, environment: Mapping[str, str]) -> Any:
    """Return a boto3 client of `service` on the server that `environment` (see `EmbeddedAws`) points at."""
    create: Any = _session().client  # typed for the services that have stubs only
    return create(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={}, max_pool_connections=50),
    )


@functools.cache
def _session() -> boto3.session.Session:
    """Return a session that reads no profile and no configuration of the user's own AWS."""
    nothing = (None, None, os.devnull, None)
    user = {"profile": (None, None, None, None), "config_file": nothing, "credentials_file": nothing}
    return boto3.session.Session(botocore_session=botocore.session.Session(user))
