"""AWS clients, made by boto3."""

from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader


class _Models(Loader):
    """Knows one service; botocore would look into the directories of hundreds, 2 to 11 % of a cold start."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def list_available_services(self, type_name: str) -> list[str]:
        return [self._service]


def client(service: str, config: Config) -> Any:
    """Return a client of this service.

    Credentials come from the environment or a container, as in Lambda: without STS it assumes no role.
    """
    core = botocore.session.get_session()
    core.register_component("data_loader", _Models(service))
    session: Any = boto3.Session(botocore_session=core)
    return session.client(service, config=config)
